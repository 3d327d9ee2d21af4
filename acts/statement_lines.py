"""The lines of a treaty's month, made from what the ledger never changes: the same ones at any later time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from handlers.claims.payout_reports import PayoutReport, report_of, state_told
from handlers.claims.read import recall
from handlers.treaties.statements import MonthLines
from infra.ledger import statement_rows
from schemas.bordereau import LineEntry, StatedPayout
from schemas.facts import PayoutReported
from schemas.months import month_end, month_start
from schemas.records import PayoutState
from schemas.treaty.treaty_model import Treaty


class NewLine(NamedTuple):
    """A line as it was made: its canonical JSON, what it is about, and the state at the end of the month."""

    value: bytes
    entry: LineEntry
    payout: StatedPayout
    state: PayoutState


def month_lines(connection: Connection, treaty: Treaty, month: date, *, kept: bool = True) -> MonthLines:
    """All lines of a treaty's month; without ``kept`` they are only counted and hashed."""
    lines = MonthLines(kept=kept)
    for _ in each_line(connection, treaty, month, lines):
        pass
    return lines


def each_line(connection: Connection, treaty: Treaty, month: date, lines: MonthLines) -> Iterator[NewLine]:
    """Adds the lines of a treaty's month to ``lines``, and gives each.

    First the instructions of the month, then earlier ones whose state was changed by reports of the month.
    """
    start, end = month_start(month), month_end(month)
    of = (connection, treaty.id, treaty.lead, start, end)
    for payouts in statement_rows.instructed_in(*of):
        reports = _Reports(connection, payouts)
        for payout in payouts:
            state = reports.state(payout, end)
            yield NewLine(lines.add(LineEntry.INSTRUCTION, payout, state), LineEntry.INSTRUCTION, payout, state)
    for payouts in statement_rows.reported_in(*of):
        reports = _Reports(connection, payouts)
        for payout in payouts:
            state = reports.state(payout, end)
            if state is not reports.state(payout, start):
                yield NewLine(lines.add(LineEntry.REPORT, payout, state), LineEntry.REPORT, payout, state)
    lines.end()


class _Reports:
    """What was reported of some payouts, and when each report was recorded."""

    def __init__(self, connection: Connection, payouts: list[StatedPayout]) -> None:
        self._told: dict[tuple[str, str], list[tuple[datetime, PayoutReport]]] = defaultdict(list)
        for kept in statement_rows.reports_of(connection, [each.payout_id for each in payouts]):
            fact = recall(kept.value)
            if isinstance(fact, PayoutReported):
                told = (kept.recorded_at, report_of(fact, kept.content_sha256))
                self._told[kept.payout_id, kept.person_id].append(told)

    def state(self, payout: StatedPayout, until: datetime) -> PayoutState:
        """The state of a payout by what was recorded before a moment."""
        told = self._told.get((payout.payout_id, payout.person_id), [])
        reports = [report for recorded_at, report in told if recorded_at < until]
        return state_told(payout.payout_id, payout.person_id, reports, book=payout.reversal_of is not None)
