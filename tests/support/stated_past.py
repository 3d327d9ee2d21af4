"""Statements made again in memory, from the instructions and reports of a ledger that is replayed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from handlers.audit.journal import Journal
from handlers.audit.merkle import Frontier, leaf_hash
from handlers.claims.payout_reports import PayoutReport, state_told
from handlers.treaties import statements
from handlers.treaties.statements import MonthLines
from infra.sharding import shard_of
from schemas.bordereau import AuditedShard, LineEntry, StatedPayout
from schemas.dates import shanghai_date
from schemas.ids import StatementId
from schemas.months import month_at, month_end, month_start, parse_month
from schemas.records import InstructionRow, Outcome, PayoutState
from schemas.treaty.treaty_model import Treaties
from tests.support.builders import SHARDS, EmptyLedger

Place = tuple[str, str]


class _Order(NamedTuple):
    event_no: int
    recorded_at: datetime
    row: InstructionRow
    before: str | None
    discharged_on: date


class _Report(NamedTuple):
    event_no: int
    recorded_at: datetime
    report: PayoutReport


class StatedPast:
    """What was instructed and reported so far."""

    def __init__(self, shards: int = SHARDS) -> None:
        self._shards = shards
        self.orders: list[_Order] = []
        self.reports: dict[Place, list[_Report]] = {}
        self.issued: dict[str, tuple[int, int]] = {}

    def add(self, event_no: int, recorded_at: datetime, outcome: Outcome, world: EmptyLedger) -> None:
        """Notes what an event has added."""
        for row in outcome.instructions:
            line = (row.claim_id, row.scheme_id, row.payee_id, row.treaty_id)
            same = [
                each.row
                for each in self.orders
                if (each.row.claim_id, each.row.scheme_id, each.row.payee_id, each.row.treaty_id) == line
            ]
            before = max(same, key=lambda each: each.revision).payout_id if same else None
            day = world.claims[row.claim_id].discharged_on
            assert day is not None
            self.orders.append(_Order(event_no, recorded_at, row, before, day))
        for place in outcome.payout_states:
            known = self.reports.setdefault(place, [])
            for report in world.reports[place][len(known) :]:
                known.append(_Report(event_no, recorded_at, report))

    def issue(
        self,
        journal: Journal,
        treaties: Treaties,
        published: Mapping[str, datetime],
        audit: Mapping[tuple[int, int], bytes],
        act: dict[str, Any],
    ) -> dict[StatementId, str]:
        """Issues the statements of a month again; returns to whom each went."""
        treaty = next(each for each in treaties.releases if each.id == act["treaty_id"])
        month, lines = parse_month(act["month"]), MonthLines()
        start, end = month_start(month), month_end(month)
        own = [each for each in self.orders if each.row.treaty_id == treaty.id]
        for each in sorted(own, key=lambda each: (each.event_no, each.row.payout_id)):
            if start <= each.recorded_at < end:
                lines.add(LineEntry.INSTRUCTION, _stated(each, each.recorded_at), self._state(each.row, end))
        told = []
        for each in own:
            heard = [one for one in self._heard(each.row, end) if one.recorded_at >= start]
            if each.recorded_at < start and heard and self._state(each.row, start) != self._state(each.row, end):
                told.append((heard[-1].event_no, heard[-1].recorded_at, each))
        for _, recorded_at, each in sorted(told, key=lambda one: one[0]):
            lines.add(LineEntry.REPORT, _stated(each, recorded_at), self._state(each.row, end))
        lines.end()
        number, cum_before = self.issued.get(treaty.id, (0, 0))
        if number == 0:
            first = min((each.recorded_at for each in own), default=None)
            days = [shanghai_date(published[treaty.id]), None if first is None else shanghai_date(first)]
            assert month == statements.first_month(treaty, *days)  # type: ignore[arg-type]
        assert month_at(journal.recorded_at) > month
        trees = _audited(audit, self._shards)
        made = statements.statements_of(treaty, month, number + 1, cum_before, lines, trees, journal.occurred_at)
        to = {each: shard_of(each, self._shards) for each in treaty.insurers}
        statements.issue(journal, treaty, made, lines, act["operator"], to, reason=act["reason"])
        self.issued[treaty.id] = (number + 1, cum_before + lines.net)
        return {each.statement_id: each.insurer for each in made}

    def _heard(self, row: InstructionRow, until: datetime) -> list[_Report]:
        return [one for one in self.reports.get((row.payout_id, row.person_id), []) if one.recorded_at < until]

    def _state(self, row: InstructionRow, until: datetime) -> PayoutState:
        reports = [one.report for one in self._heard(row, until)]
        return state_told(row.payout_id, row.person_id, reports, book=not row.moves_money)


def _stated(order: _Order, recorded_at: datetime) -> StatedPayout:
    row = order.row
    place = (row.payout_id, row.claim_id, row.scheme_id, row.kind, row.amount, row.person_id)
    links = (row.reissue_of, row.reversal_of or row.set_off_of, order.before)
    return StatedPayout(*place, *links, row.value, order.discharged_on, recorded_at)


def _audited(audit: Mapping[tuple[int, int], bytes], shards: int) -> list[AuditedShard]:
    trees = {shard: Frontier() for shard in range(shards)}
    for shard, seq in sorted(audit):
        trees[shard].append(leaf_hash(audit[shard, seq]))
    return [AuditedShard(shard=shard, size=tree.size, root=tree.root().hex()) for shard, tree in trees.items()]
