"""A ledger under a treaty of several insurers, whose months are lived through and stated."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from acts.issue_statements import issue_statements
from infra.ledger import clearing_tables, payout_states, tables
from schemas.bordereau import StatementIssued
from schemas.dates import parse_instant
from schemas.months import parse_month
from tests.support.acts import publish, publish_treaty_text
from tests.support.builders import POLICY, SHARDS, Json, coverage, discharge
from tests.support.ledgers import give, held, in_order
from tests.support.outbox import waiting_messages
from tests.support.treaties import shared_text


class StatedTown:
    """A clock that is set by hand, and moves by a second whenever it is asked; what is posted; what was issued."""

    def __init__(self, ledger: Engine, *texts: str, published: str = "2025-01-10") -> None:
        self.ledger = ledger
        self.set(f"{published}T10:00:00+08:00")
        self.posted: list[Json] = []
        publish(ledger, POLICY, "test", SHARDS, self.clock)
        for text in texts or (shared_text(),):
            publish_treaty_text(ledger, text, "li.na", SHARDS, self.clock)
        held(ledger)

    def set(self, moment: str) -> None:
        """The clock shows this moment from now on."""
        self.now = parse_instant(moment)

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def take(self, *events: Json) -> None:
        """A worker takes these events in, in one batch."""
        self.posted += events
        give(self.ledger, in_order(self.posted)[-len(events) :], self.clock)

    def cover(self, *persons: str, stay: str = "E") -> None:
        """Members of the village who were in hospital; the stay of P1 is E1, and a bill of 3,000 is worth 300.00."""
        for person in persons:
            place = {"person_id": person}
            self.take(coverage(f"C-{person}", **place), discharge(f"{stay}-{person}", **place))

    def payouts(self) -> list[Any]:
        with self.ledger.connect() as connection:
            return payout_states.payouts(connection)

    def issue(self, month: str, treaty_id: str = "t1") -> list[StatementIssued]:
        with self.ledger.begin() as connection:
            return issue_statements(connection, treaty_id, parse_month(month), "li.na", SHARDS, self.clock)

    def rows(self) -> list[Any]:
        """The statements as the ledger keeps them."""
        kept = clearing_tables.statements
        with self.ledger.connect() as connection:
            return list(connection.execute(select(kept).order_by(kept.c.number, kept.c.insurer)))

    def messages(self, insurer: str) -> list[Json]:
        """What waits to be sent to an insurer."""
        return [
            json.loads(row.value)
            for row in waiting_messages(self.ledger)
            if (row.topic, row.key) == ("insurance.statements", insurer.encode())
        ]

    def lines(self, month: str, insurer: str = "insurer-a") -> list[Json]:
        """The lines that an insurer reads of a month."""
        sent = [each for each in self.messages(insurer) if each["month"] == month]
        return [line for each in sent if each["event_type"] == "statement.lines" for line in each["lines"]]

    def instructed(self) -> list[str]:
        """The payouts of the treaty in recorded order."""
        order = tables.instructions
        query = select(order.c.payout_id).where(order.c.treaty_id == "t1").order_by(order.c.event_no, order.c.payout_id)
        with self.ledger.connect() as connection:
            return list(connection.scalars(query))
