"""A ledger whose clock is set by hand, and what its books then hold."""

from __future__ import annotations

import json
from datetime import date, datetime

from sqlalchemy import Engine, select

from acts.book_balances import all_balances, balance_of
from acts.close_month import MonthClosed, close_month
from acts.settle_recovery import settle
from handlers.books.trial_balance import trial_balance_bytes
from infra.ledger import book_rows, payout_states, reads, tables
from infra.ledger.book_rows import EntryFilter
from infra.ledger.clearing_tables import postings
from schemas.books import BookEntry
from schemas.dates import SHANGHAI
from schemas.months import parse_month
from schemas.records import Manner
from tests.support.acts import reissue
from tests.support.builders import POLICY, SHARDS, Json, report
from tests.support.covered_person import CoveredPerson
from tests.support.ledgers import do_steps, ticking


class BookYear(CoveredPerson):
    """The books of one covered person's payouts, from whatever day it is made to be."""

    def __init__(self, ledger: Engine, day: str = "2025-04-02", policy: str = POLICY) -> None:
        super().__init__(ledger, remembers=False, policy=policy)
        self.on(day)

    def on(self, day: str, time: str = "09:00:00") -> BookYear:
        """From now on it is this day."""
        self.clock = ticking(datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=SHANGHAI))
        return self

    def payouts(self) -> list[str]:
        """The ids of all payouts in their order."""
        with self.ledger.connect() as connection:
            return [each.payout_id for each in payout_states.payouts(connection)]

    def report(self, payout_id: str, status: str, at: str = "2025-04-03T10:00:00+08:00") -> None:
        with self.ledger.connect() as connection:
            (row,) = reads.instructions(connection, [payout_id])
        self.take(report(payout_id, status=status, reported_at=at, person_id=row.person_id))

    def reissue(self, payout_id: str) -> None:
        reissue(self.ledger, payout_id, "wang.wei", "wrong account", SHARDS, self.clock)
        do_steps(self.ledger, self.clock)

    def settle(self, payout_id: str, manner: Manner) -> None:
        """Sets a recovery off, or waives it."""
        with self.ledger.begin() as connection:
            settle(connection, payout_id, manner, "wang.wei", "the family is poor", SHARDS, self.clock)

    def close(self, month: str, operator: str = "li.na") -> MonthClosed:
        with self.ledger.begin() as connection:
            return close_month(connection, parse_month(month), operator, SHARDS, self.clock)

    def balance(self, month: str) -> bytes:
        """A trial balance as it is now, from the postings alone; it is also what the shorter way gives."""
        with self.ledger.connect() as connection:
            *_, balance = all_balances(connection, parse_month(month))
            assert balance == balance_of(connection, parse_month(month))
        return trial_balance_bytes(balance)

    def stored(self, month: str) -> bytes:
        """The trial balance that was kept at closing."""
        with self.ledger.connect() as connection:
            return book_rows.closed_months(connection)[parse_month(month)].trial_balance

    def entries(self, chosen: EntryFilter = EntryFilter()) -> list[BookEntry]:  # noqa: B008
        with self.ledger.connect() as connection:
            return list(book_rows.entries(connection, chosen))

    def audited(self, kind: str) -> list[Json]:
        """The audit entries of a kind."""
        entry = tables.audit_entries
        with self.ledger.connect() as connection:
            return [json.loads(each) for each in connection.scalars(select(entry.c.value).where(entry.c.kind == kind))]

    def booked(self) -> list[tuple[date, int]]:
        """The day of each leg and its fen."""
        order = (postings.c.event_no, postings.c.entry, postings.c.leg)
        with self.ledger.connect() as connection:
            query = select(postings.c.booked_on, postings.c.amount).order_by(*order)
            return [(row[0], row[1]) for row in connection.execute(query)]
