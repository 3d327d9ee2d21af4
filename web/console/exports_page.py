"""Exports claims, payouts, those that are open, or refused events as Excel, CSV or Parquet.

Each export leaves an audit entry. Persons appear as a token and a masked number; unmasked only with the right to
unmask, and with a reason.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from acts.published_policies import published_policies
from acts.record_operator_acts import record_operator_acts
from handlers.words.masking import mask_id, mask_text
from infra.files.export_files import MEDIA_TYPES, OFFERED, WRITERS, Field
from infra.ledger import digest
from infra.ledger.export_rows import Filter, rows_of
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.dates import format_instant, shanghai_date
from schemas.decisions import Status
from schemas.outbound import InstructionKind
from schemas.records import Export, PayoutState
from schemas.refusals import RefusalCode
from web.console.visit import PageRefused, Visit

KINDS = {
    "claims": Saying("理赔", "Claims"),
    "payouts": Saying("支付", "Payouts"),
    "open": Saying("未结清的支付和收回", "Open payouts"),
    "refused": Saying("拒收事件", "Refused events"),
}
STATUSES: dict[str, type[StrEnum]] = {
    "claims": Status,
    "payouts": PayoutState,
    "open": InstructionKind,
    "refused": RefusalCode,
}
"""What the rows of each kind can be filtered by."""

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
        schemes=_schemes(visit),
        formats=OFFERED,
        today=shanghai_date(visit.now()),
    )


def download(replica: Engine, visit: Visit) -> Response:
    """The file, after writing its audit entry: what was exported, by whom, how many rows, and the hash."""
    visit.require(Right.EXPORT)
    what, kind = visit.form.get("what", ""), visit.form.get("format", "")
    if what not in KINDS or kind not in OFFERED:
        raise PageRefused(422, "请选择导出内容和格式。", "Choose what to export and the format.")
    row_filter = _filter(visit, what)
    clear = visit.form.get("clear") == "yes"
    conditions = row_filter.words()
    if clear:
        visit.require(Right.UNMASK)
        conditions |= {"persons": "clear", "reason": mask_text(visit.reason())}
    moment = visit.now()
    if what in _FROM_DIGEST:
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
        with rows_of(visit.engine if what in _FROM_DIGEST else replica, what, row_filter) as rows:
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


def _filter(visit: Visit, what: str) -> Filter:
    """The filter of the form. Raises PageRefused for one that no row of this kind could ever match."""
    days = []
    for name in ("since", "until"):
        text = visit.form.get(name, "").strip()
        try:
            days.append(date.fromisoformat(text) if text else None)
        except ValueError:
            raise PageRefused(422, "日期格式应为 2027-01-31。", "Write dates as 2027-01-31.") from None
    since, until = days
    if since is not None and until is not None and until <= since:
        raise PageRefused(422, "结束日期须晚于开始日期(结束当天不含)。", "The end must be after the first day.")
    status, scheme = visit.form.get("status", ""), visit.form.get("scheme", "")
    if status and status not in list(STATUSES[what]):
        raise PageRefused(
            422, f"{KINDS[what].zh}没有这种状态或代码。", f"{KINDS[what].en} never have this status or code."
        )
    if scheme and what == "refused":
        raise PageRefused(422, "拒收事件不按保障层区分。", "Refused events belong to no scheme.")
    if scheme and scheme not in _schemes(visit):
        raise PageRefused(422, "没有这个保障层。", "There is no such scheme.")
    return Filter(since, until, status, scheme)


def _schemes(visit: Visit) -> list[str]:
    """The schemes of all published policies."""
    with visit.engine.connect() as connection:
        policies = published_policies(connection)
    return sorted({scheme.id for policy in policies.releases for scheme in policy.schemes})


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
