"""A person who was paid too much, and an operator who sets that off or waives it."""

from __future__ import annotations

import json
from collections import Counter

from sqlalchemy import Engine, select

from infra.ledger import clearing_tables, tables
from schemas.records import Manner, SettledRecovery
from tests.support.acts import settle
from tests.support.builders import SHARDS, bill, discharge, report
from tests.support.covered_person import CoveredPerson
from tests.support.outbox import waiting_messages

Told = tuple[str, str, int, str | None]


class Debtor(CoveredPerson):
    """300.00 were paid for E1, of which the village then wants 150.00 back by ``recovery``."""

    def __init__(self, ledger: Engine, remembers: bool = False) -> None:
        super().__init__(ledger, remembers)
        self.take(bill())
        self.take(bill(version=2, copay=2500))
        self.recovery = self.payouts[-1]

    @property
    def payouts(self) -> list[str]:
        """The ids of all payouts of the village's scheme, in their order."""
        return [row.payout_id for _, row in self.instructed()]

    def stay(self, number: int, copay: int = 3000) -> None:
        """Another stay; the village owes 30 % of what is over 2,000.00."""
        days = {"discharged_on": f"2024-0{number}-20", "admitted_on": f"2024-0{number}-12"}
        self.take(discharge(f"E{number}", **days), bill(f"S{number}", f"E{number}", copay))

    def report(self, payout_id: str, status: str, day: int = 1) -> None:
        self.take(report(payout_id, status=status, reported_at=f"2025-04-{day:02d}T10:00:00+08:00"))

    def settle(self, manner: Manner, payout_id: str = "", operator: str = "li.na") -> SettledRecovery:
        return settle(self.ledger, payout_id or self.recovery, manner, operator, "agreed by phone", SHARDS, self.clock)

    def told(self) -> list[Told]:
        """What insurers read: claim, kind, fen, and the recovery for which it is kept back."""
        found = list[Told]()
        for each, row in self.instructed():
            assert row.set_off_of == each.get("set_off_of")
            if row.set_off_of is not None:
                assert (None, row.set_off_of) == (row.reversal_of, each["reversal_of"])
            found.append((row.claim_id, row.kind, row.amount, row.set_off_of))
        return found

    def left(self) -> dict[str, tuple[str, int]]:
        """How each settled recovery was settled, and what it has left."""
        with self.ledger.connect() as connection:
            rows = connection.execute(select(clearing_tables.settled_recoveries))
            return {row.payout_id: (row.manner, row.left) for row in rows}

    def balances(self) -> dict[str, int]:
        """Every account of the books that is not zero."""
        sums = Counter[str]()
        with self.ledger.connect() as connection:
            for row in connection.execute(select(clearing_tables.postings)):
                sums[row.account] += row.amount
        return {name: amount for name, amount in sums.items() if amount}

    def alerts(self) -> list[str]:
        return [json.loads(each.value)["code"] for each in waiting_messages(self.ledger, "alerts")]

    def audited(self, prefix: str) -> list[tuple[str, str]]:
        """Kind and actor of the audit entries whose kinds begin so."""
        entry = tables.audit_entries
        with self.ledger.connect() as connection:
            rows = connection.execute(select(entry.c.kind, entry.c.actor).order_by(entry.c.event_no)).all()
        return [(kind, actor) for kind, actor in rows if kind.startswith(prefix)]
