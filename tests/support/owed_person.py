"""A ledger with one person who is owed money, and an insurer who reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from infra.ledger import tables
from tests.support.acts import publish, reissue
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, bill, coverage, discharge, report
from tests.support.ledgers import give, held, in_order


def standing() -> datetime:
    """A clock that stands."""
    return RECORDED_AT


class OwedPerson:
    """A ledger with one person who is owed 300.00 for E1, and an insurer who reports."""

    def __init__(self, ledger: Engine) -> None:
        self.ledger = ledger
        publish(ledger, POLICY, "li.na", SHARDS, standing)
        held(ledger)
        self._ends = Counter[str]()
        give(ledger, in_order([coverage(), discharge(), bill()]))

    @property
    def payouts(self) -> list[str]:
        """The ids of all payouts, in order of revision."""
        with self.ledger.connect() as connection:
            order = tables.instructions
            return list(connection.scalars(select(order.c.payout_id).order_by(order.c.revision)))

    def report(self, payout_id: str, status: str, day: int = 1, person_id: str = "P1", **fields: Any) -> None:
        when = f"2025-04-{day:02d}T10:00:00+08:00"
        told = report(payout_id, status=status, reported_at=when, person_id=person_id, **fields)
        give(self.ledger, in_order([told], first=self._ends[person_id]))
        self._ends[person_id] += 1

    def correct(self, copay: int, version: int) -> None:
        """The bill is corrected."""
        give(self.ledger, in_order([bill(copay=copay, version=version)], first=version - 1))

    def reissue(self, payout_id: str, operator: str = "wang.wei", now: Callable[[], Any] = standing) -> tuple[str, int]:
        return reissue(self.ledger, payout_id, operator, "the account was closed", SHARDS, now)

    def state(self, payout_id: str, person_id: str = "P1") -> str | None:
        told = tables.payout_states
        with self.ledger.connect() as connection:
            place = (told.c.payout_id == payout_id) & (told.c.person_id == person_id)
            return connection.scalar(select(told.c.state).where(place))

    def told(self) -> list[tuple[str, str, str | None, str | None]]:
        """Every instruction as an insurer reads it: kind, amount, what it reissues, what it takes off the books."""
        with self.ledger.connect() as connection:
            order = tables.instructions
            values = [json.loads(each) for each in connection.scalars(select(order.c.value).order_by(order.c.revision))]
        return [(v["kind"], v["amount"], v.get("reissue_of"), v.get("reversal_of")) for v in values]
