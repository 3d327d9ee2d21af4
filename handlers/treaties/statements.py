"""The statements of a treaty's month: their lines, who bears what, and the messages about it (payers.md, section 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson

from handlers.audit.journal import Journal
from handlers.audit.operator_acts import statements_issued
from handlers.books.entries import shared
from handlers.treaties.shares import month_parts
from schemas.bordereau import (
    LINES_MAX,
    AuditedShard,
    InsurerPart,
    InsurerShare,
    LineEntry,
    SchemeTotal,
    StatedPayout,
    StatementAct,
    StatementIssued,
    StatementRow,
    StateTotal,
    StopLossTerms,
)
from schemas.canonical import canonical_json, derived_id, sha256_hex
from schemas.dates import shanghai_date
from schemas.ids import StatementId
from schemas.money import format_yuan
from schemas.months import format_month, last_day, month_of
from schemas.outbound import InstructionKind
from schemas.records import PayoutState
from schemas.topics import STATEMENTS
from schemas.treaty.treaty_model import StopLoss, Treaty, share_text

_MESSAGES_AT_ONCE = 16


def first_month(treaty: Treaty, published: date, instructed: date | None) -> date:
    """The month of a treaty's first statement.

    It is the month of its publication or of its first day, whichever is later; or that of its first instruction, if it
    was recorded before that. ``published`` and ``instructed`` are days.
    """
    first = max(month_of(published), month_of(treaty.effective_from))
    return first if instructed is None else min(first, month_of(instructed))


@dataclass(slots=True)
class MonthLines:
    """The lines of a month, counted and hashed as they come.

    ``chunks`` are the JSON arrays of the messages, as many lines in each as a message holds; ``kept`` unless nobody
    will need them.
    """

    kept: bool = True

    count: int = 0
    reports: int = 0
    net: int = 0
    chunks: list[bytes] = field(default_factory=list)
    by_scheme: dict[str, list[int]] = field(default_factory=dict)
    by_state: dict[PayoutState, list[int]] = field(default_factory=dict)
    _open: list[bytes] = field(default_factory=list)
    _hash: Any = field(default_factory=hashlib.sha256)

    def add(self, entry: LineEntry, payout: StatedPayout, state: PayoutState) -> bytes:
        """The next line, as canonical JSON."""
        self.count += 1
        line = line_of(self.count, entry, payout, state)
        if entry is LineEntry.REPORT:
            self.reports += 1
        else:
            amount = payout.amount if payout.kind == InstructionKind.PAYMENT else -payout.amount
            self.net += amount
            for totals in (
                self.by_scheme.setdefault(payout.scheme_id, [0, 0]),
                self.by_state.setdefault(state, [0, 0]),
            ):
                totals[0] += 1
                totals[1] += amount
        self._hash.update(line + b"\n")
        if self.kept:
            self._open.append(line)
        if len(self._open) == LINES_MAX:
            self._close()
        return line

    def end(self) -> None:
        """Closes the last chunk."""
        if self._open:
            self._close()

    @property
    def sha256(self) -> str:
        """Of all lines so far."""
        return str(self._hash.hexdigest())

    def _close(self) -> None:
        self.chunks.append(b"[" + b",".join(self._open) + b"]")
        self._open = []


def line_of(number: int, entry: LineEntry, payout: StatedPayout, state: PayoutState) -> bytes:
    """A line as canonical JSON; the members are those of `BordereauLine`."""
    told = orjson.loads(payout.value)
    return canonical_json(
        {
            "amount": format_yuan(payout.amount),
            "claim_id": payout.claim_id,
            "corrects": payout.reversal_of or payout.reissue_of or payout.before,
            "discharged_on": payout.discharged_on.isoformat(),
            "entry": entry,
            "kind": payout.kind,
            "line": number,
            "payee": told["payee"],
            "payout_id": payout.payout_id,
            "recorded_on": shanghai_date(payout.recorded_at).isoformat(),
            "scheme_id": payout.scheme_id,
            "state": state,
            "tier": told["tier"],
        }
    )


def statement_id(treaty_id: str, month: date, insurer: str) -> StatementId:
    """The id of a statement: it follows from treaty, month and insurer alone."""
    return StatementId(derived_id("ST", treaty_id, format_month(month), insurer))


def audit_root(audit: Sequence[AuditedShard]) -> str:
    """One hash over the roots of all shards."""
    return sha256_hex(canonical_json([each.model_dump(mode="json") for each in audit]))


def statements_of(
    treaty: Treaty,
    month: date,
    number: int,
    cum_before: int,
    lines: MonthLines,
    audit: Sequence[AuditedShard],
    occurred_at: str,
) -> list[StatementIssued]:
    """One statement for each insurer of the treaty, in the order of `Treaty.insurers`. Amounts are fen."""
    cum = cum_before + lines.net
    borne, cession = month_parts(cum_before, cum, treaty)
    own = dict(zip((each.insurer for each in treaty.shares), borne, strict=True))
    over = None if treaty.stop_loss is None else treaty.stop_loss.insurer
    parts = [
        InsurerPart(insurer=each, part=own.get(each, 0), cession=cession if each == over else 0)
        for each in treaty.insurers
    ]
    same: dict[str, Any] = {
        "occurred_at": occurred_at,
        "number": number,
        "treaty_id": treaty.id,
        "treaty_sha256": treaty.sha256,
        "month": month,
        "lead": treaty.lead,
        "shares": [InsurerShare(insurer=each.insurer, share=share_text(each.share)) for each in treaty.shares],
        "stop_loss": None if treaty.stop_loss is None else _terms(treaty.stop_loss),
        "lines": lines.count,
        "reports": lines.reports,
        "net": lines.net,
        "cum_before": cum_before,
        "cum": cum,
        "cession": cession,
        "parts": parts,
        "by_scheme": [
            SchemeTotal(scheme_id=name, lines=count, net=net) for name, (count, net) in sorted(lines.by_scheme.items())
        ],
        "by_state": [
            StateTotal(state=name, lines=lines.by_state[name][0], net=lines.by_state[name][1])
            for name in PayoutState
            if name in lines.by_state
        ],
        "lines_sha256": lines.sha256,
        "audit": list(audit),
        "audit_root": audit_root(audit),
    }
    found = []
    for part in parts:
        name = statement_id(treaty.id, month, part.insurer)
        own_part = {"insurer": part.insurer, "part": part.part, "part_of_cession": part.cession}
        found.append(StatementIssued(event_id=name, statement_id=name, **same, **own_part))
    return found


def _terms(stop_loss: StopLoss) -> StopLossTerms:
    return StopLossTerms(
        attachment=stop_loss.attachment,
        limit=stop_loss.limit,
        share=share_text(stop_loss.share),
        insurer=stop_loss.insurer,
    )


def published(statement: StatementIssued) -> bytes:
    """A statement as it is published and kept."""
    return canonical_json(statement.model_dump(mode="json"))


def line_messages(statement: StatementIssued, occurred_at: str, chunks: Sequence[bytes]) -> Iterator[bytes]:
    """The messages with the lines of a statement, in order."""
    for place, chunk in enumerate(chunks):
        first = place * LINES_MAX + 1
        yield canonical_json(
            {
                "event_id": derived_id("SL", statement.statement_id, first),
                "event_type": "statement.lines",
                "first_line": first,
                "insurer": statement.insurer,
                "lines": orjson.Fragment(chunk),
                "month": format_month(statement.month),
                "occurred_at": occurred_at,
                "statement_id": statement.statement_id,
                "treaty_id": statement.treaty_id,
            }
        )


def issue(
    journal: Journal,
    treaty: Treaty,
    statements: Sequence[StatementIssued],
    lines: MonthLines,
    operator: str,
    shards: Mapping[str, int],
    write: Callable[[], None] = lambda: None,
    reason: str = "",
) -> tuple[int, list[StatementRow]]:
    """Issues the statements of a month: the act, its postings, and the messages to each insurer.

    Returns the number of the act in the journal, and the rows to keep. ``shards`` are those of the insurers. ``write``
    is called now and then, so that the messages of a long month need not be in memory at once.
    """
    values = [published(each) for each in statements]
    one = statements[0]
    hashes = {each.insurer: sha256_hex(value) for each, value in zip(statements, values, strict=True)}
    month = format_month(one.month)
    act = StatementAct(treaty.id, month, one.number, lines.count, lines.sha256, hashes, operator, reason)
    number = statements_issued(journal, act)
    rows = []
    for statement, value in zip(statements, values, strict=True):
        if statement.insurer != treaty.lead:
            borne = statement.part + statement.part_of_cession
            for entry in shared(treaty.lead, statement.insurer, treaty.id, borne):
                journal.post(number, entry, last_day(statement.month), statement.statement_id)
        shard, key = shards[statement.insurer], statement.insurer.encode()
        for place, message in enumerate(line_messages(statement, journal.occurred_at, lines.chunks), start=1):
            journal.send(shard, STATEMENTS.name, key, message)
            if place % _MESSAGES_AT_ONCE == 0:
                write()
        journal.send(shard, STATEMENTS.name, key, value)
        place_of = (statement.statement_id, treaty.id, statement.month, statement.insurer, statement.number)
        rows.append(StatementRow(*place_of, value))
    return number, rows
