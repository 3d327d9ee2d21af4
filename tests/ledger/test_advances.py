"""Advances in a real ledger: settled with whom was paid, guarded by the database, replayed byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import DBAPIError

from infra.ledger import payout_states, reads, tables
from schemas.topics import ALERTS
from tests.support.acts import reissue
from tests.support.builders import SHARDS, Json, bill, report, void
from tests.support.covered_person import CoveredPerson
from tests.support.ledger_rows import benefit, event, instruction
from tests.support.outbox import waiting_messages
from tests.support.replayed import assert_replays
from tests.support.treaties import VILLAGE

Line = tuple[str, str, int, str, int]


class Town(CoveredPerson):
    """What facilities and the person are instructed, and what is raised."""

    def lines(self) -> list[Line]:
        """Each instruction of the village's scheme: payee, facility, revision, kind and fen."""
        return [
            (each["payee"], each.get("payee_id", ""), row.revision, row.kind, row.amount)
            for each, row in self.instructed()
        ]

    def alerts(self) -> list[tuple[str, str, str | None]]:
        told = [json.loads(row.value) for row in waiting_messages(self.ledger, ALERTS.name)]
        return [(each["event_type"], each["code"], each.get("amount")) for each in told]


@pytest.fixture(params=[True, False], ids=["remembered", "loaded"])
def town(ledger: Engine, request: pytest.FixtureRequest) -> Town:
    """Once with persons remembered between batches, and once loaded for each."""
    return Town(ledger, request.param)


def taken(amount: str, scheme_id: str = VILLAGE) -> list[Json]:
    return [{"scheme_id": scheme_id, "amount": amount}]


def test_whoever_was_paid_is_settled_with(town: Town) -> None:
    """An advance raised, moved to another facility, taken back: recovered from whom it was paid to; 300.00 are due."""
    town.take(bill(advances=taken("100.00")))
    town.take(bill(version=2, advances=taken("250.00")))
    town.take(bill(version=3, advances=taken("300.00"), facility_id="H2"))
    town.take(bill(version=4))
    assert sorted(town.lines()[:2]) == [("facility", "H1", 1, "payment", 10_000), ("person", "", 1, "payment", 20_000)]
    assert town.lines()[2:4] == [("person", "", 2, "recovery", 15_000), ("facility", "H1", 2, "payment", 15_000)]
    assert sorted(town.lines()[4:7]) == [
        ("facility", "H1", 3, "recovery", 25_000),
        ("facility", "H2", 1, "payment", 30_000),
        ("person", "", 3, "recovery", 5_000),
    ]
    assert town.lines()[7:] == [("facility", "H2", 2, "recovery", 30_000), ("person", "", 4, "payment", 30_000)]
    assert_replays(town.ledger)


def test_an_alert_is_raised_changed_and_withdrawn(town: Town) -> None:
    """More than due, a little more than due, a scheme that is not there, nothing."""
    town.take(bill(advances=taken("500.00")))
    town.take(bill(version=2, advances=taken("300.01")))
    town.take(bill(version=3, advances=taken("500.00", "nowhere")))
    town.take(void(version=4))
    assert town.alerts() == [
        ("alert.raised", "ADVANCE_EXCEEDS_DUE", "200.00"),
        ("alert.raised", "ADVANCE_EXCEEDS_DUE", "0.01"),
        ("alert.raised", "ADVANCE_UNKNOWN_SCHEME", "500.00"),
        ("alert.withdrawn", "ADVANCE_EXCEEDS_DUE", None),
        ("alert.withdrawn", "ADVANCE_UNKNOWN_SCHEME", None),
    ]
    assert_replays(town.ledger)


def test_a_facilitys_payout_that_failed_is_ordered_again_for_the_facility(town: Town) -> None:
    """Two instructions of its own line; the person's line stays as it is."""
    town.take(bill(advances=taken("100.00")))
    with town.ledger.connect() as connection:
        (failed,) = [each for each in payout_states.payouts(connection) if each.payee_id == "H1"]
    town.take(report(failed.payout_id, status="failed"))
    again = reissue(town.ledger, failed.payout_id, "li.na", "wrong account", SHARDS, town.clock)
    with town.ledger.connect() as connection:
        assert reads.line_of(connection, again.payout_id)[0] == failed.payout_id
    assert town.lines()[2:] == [("facility", "H1", 2, "recovery", 10_000), ("facility", "H1", 3, "payment", 10_000)]
    town.take(bill(version=2))
    assert ("facility", "H1", 4, "recovery", 10_000) in town.lines()
    assert_replays(town.ledger)


def share(amount: int, **columns: Any) -> dict[str, Any]:
    row = {"claim_id": "E1", "scheme_id": "s", "facility_id": "H1", "advanced": 10, "amount": amount}
    return {**row, "instruction_revision": 1, "known": True, **columns}


def _paid(connection: Connection, amount: int = 5) -> None:
    """A claim and scheme of ten fen, of which so many go to H1."""
    connection.execute(insert(tables.events), [event(1)])
    connection.execute(insert(tables.benefits), [benefit(10)])
    connection.execute(insert(tables.instructions), [instruction(1, 0, 10 - amount)])
    facility = instruction(1, 0, amount, payout_id="PO-H1", payee_id="H1")
    connection.execute(insert(tables.instructions), [facility])
    connection.execute(insert(tables.facility_shares), [share(amount)])


WRONG: dict[str, Callable[[Connection], object]] = {
    "a share without its instruction": lambda c: c.execute(
        insert(tables.facility_shares), [share(5, facility_id="H2")]
    ),
    "a share that differs from its instructions": lambda c: c.execute(update(tables.facility_shares).values(amount=4)),
    "an instruction without its share": lambda c: c.execute(
        insert(tables.instructions), [instruction(1, 0, 5, payout_id="PO-H2", payee_id="H2")]
    ),
    "more than was advanced": lambda c: c.execute(update(tables.facility_shares).values(advanced=4)),
    "a line that does not continue its own": lambda c: c.execute(
        insert(tables.instructions), [instruction(2, 10, 5, payout_id="PO-2", payee_id="H1")]
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_the_database_refuses_a_wrong_share(ledger: Engine, wrong: Callable[[Connection], object]) -> None:
    """What a facility is paid is what it was instructed, line by line, at every commit."""
    with ledger.begin() as connection:
        _paid(connection)
    with pytest.raises(DBAPIError), ledger.begin() as connection:
        wrong(connection)
    with ledger.connect() as connection:
        assert [5] == list(connection.scalars(select(tables.facility_shares.c.amount)))
