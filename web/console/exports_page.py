"""Exports claims, payouts, those that are open, or refused events as Excel, CSV or Parquet.

Each export leaves an audit entry. Persons appear as a token and a masked number; unmasked only with the right to
unmask, and with a reason.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from acts.record_operator_acts import record_operator_acts
from handlers.words.masking import mask_id, mask_text
from infra.files.export_files import MEDIA_TYPES, OFFERED, WRITERS, Field
from infra.ledger import digest
from infra.ledger.export_rows import rows_of
from schemas.access.console_rights import Right
from schemas.dates import format_instant, shanghai_date
from schemas.records import Export
from web.console.filter_fields import KINDS, STATUSES, read_filter, scheme_titles
from web.console.visit import PageRefused, Visit

_PERSON = [Field("person_token", "text"), Field("person_id", "text")]
FIELDS = {
    "claims": [
        Field("claim_id", "text"),
        *_PERSON,
        Field("status", "text"),
        Field("revision", "count"),
        Field("discharged_on", "day"),
        Field("policy_sha256", "text"),
        Field("personal_burden", "yuan"),
        Field("total_benefit", "yuan"),
        Field("patient_pays", "yuan"),
    ],
    "payouts": [
        Field("payout_id", "text"),
        Field("claim_id", "text"),
        *_PERSON,
        Field("scheme_id", "text"),
        Field("revision", "count"),
        Field("kind", "text"),
        Field("amount", "yuan"),
        Field("instructed_at", "instant"),
        Field("state", "text"),
        Field("reported_at", "instant"),
        Field("reference", "text"),
        Field("payee_id", "text"),
        Field("payer", "text"),
        Field("treaty_id", "text"),
    ],
    "open": [
        Field("payout_id", "text"),
        Field("claim_id", "text"),
        *_PERSON,
        Field("scheme_id", "text"),
        Field("kind", "text"),
        Field("amount", "yuan"),
        Field("instructed_on", "day"),
        Field("payer", "text"),
        Field("payee_id", "text"),
        Field("treaty_id", "text"),
    ],
    "refused": [
        Field("event_no", "count"),
        Field("code", "text"),
        Field("facility_id", "text"),
        Field("event_type", "text"),
        Field("recorded_at", "instant"),
        Field("topic", "text"),
        Field("partition", "count"),
        Field("offset", "count"),
    ],
}
_PERSON_AT = {"claims": 1, "payouts": 2, "open": 2}
_FROM_DIGEST = ("open", "refused")


def index(visit: Visit) -> Response:
    visit.require(Right.EXPORT)
    return visit.page(
        "exports.html",
        kinds=KINDS,
        statuses=STATUSES,
        schemes=scheme_titles(visit),
        formats=OFFERED,
        today=shanghai_date(visit.now()),
    )


def download(replica: Engine, visit: Visit) -> Response:
    """The file, after writing its audit entry: what was exported, by whom, how many rows, and the hash."""
    visit.require(Right.EXPORT)
    what, kind = visit.form.get("what", ""), visit.form.get("format", "")
    if what not in KINDS or kind not in OFFERED:
        raise PageRefused(422, "请选择导出内容和格式。", "Choose what to export and the format.")
    row_filter = read_filter(visit, visit.form, what)
    from_digest = what in _FROM_DIGEST or row_filter.needs_list
    clear = visit.form.get("clear") == "yes"
    conditions = row_filter.words()
    if clear:
        visit.require(Right.UNMASK)
        conditions |= {"persons": "clear", "reason": mask_text(visit.reason())}
    moment = visit.now()
    if from_digest:
        digest.bring_forward(visit.engine, moment)
    head = [
        ("导出 export", what),
        ("导出人 by", visit.user),
        ("时间 at", format_instant(moment.replace(microsecond=0))),
        ("条件 filter", ", ".join(f"{name}={value}" for name, value in sorted(conditions.items())) or "-"),
    ]
    with tempfile.NamedTemporaryFile(prefix="huzhu-export-", suffix=f".{kind}", delete=False) as file:
        path = Path(file.name)
    try:
        with rows_of(visit.engine if from_digest else replica, what, row_filter) as rows:
            written = WRITERS[kind](path, FIELDS[what], _with_tokens(visit, rows, what, clear), head)
        sha256 = _sha256(path)
        with visit.engine.begin() as connection:
            act = Export(f"{what}.{kind}", conditions, written.rows, sha256, visit.user)
            record_operator_acts(connection, visit.now, [act])
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    name = f"huzhu-{what}-{shanghai_date(moment)}.{kind}"
    headers = {"X-Content-SHA256": sha256, "X-Rows": str(written.rows)}
    task = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, 200, headers, MEDIA_TYPES[kind], task, name)


def _with_tokens(visit: Visit, rows: Iterable[Sequence[Any]], what: str, clear: bool) -> Iterator[Sequence[Any]]:
    """Adds a token before each person's number, and masks the number unless ``clear``."""
    at = _PERSON_AT.get(what)
    if at is None:
        yield from rows
        return
    for row in rows:
        number = row[at]
        yield (*row[:at], visit.token(number), number if clear else mask_id(number), *row[at + 1 :])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
