"""A covered person whose events a real ledger takes in, as a worker does that remembers persons or loads them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, select

from acts.remembered_persons import RememberedPersons
from infra.ledger import tables
from tests.support.acts import publish
from tests.support.builders import POLICY, SHARDS, Json, coverage, discharge
from tests.support.ledgers import do_steps, give, held, in_order, ticking
from tests.support.treaties import VILLAGE


class CoveredPerson:
    """A ledger that takes what is posted about a person, one batch after the other. Of a bill 300.00 yuan are due."""

    def __init__(self, ledger: Engine, remembers: bool, policy: str = POLICY) -> None:
        self.ledger, self.clock = ledger, ticking()
        self.remembered = RememberedPersons() if remembers else None
        self.posted: list[Json] = []
        publish(ledger, policy, "test", SHARDS, self.clock)
        held(ledger)
        self.take(coverage(), discharge())

    def take(self, *events: Json) -> None:
        self.posted += events
        give(self.ledger, in_order(self.posted)[-len(events) :], self.clock, self.remembered)
        do_steps(self.ledger, self.clock)

    def instructed(self) -> list[tuple[Json, Any]]:
        """The instructions of the village's scheme in their order: as published, and as the row of the ledger."""
        order = tables.instructions
        with self.ledger.connect() as connection:
            rows = connection.execute(
                select(order).where(order.c.scheme_id == VILLAGE).order_by(order.c.event_no, order.c.revision)
            ).all()
        return [(json.loads(row.value), row) for row in rows]
