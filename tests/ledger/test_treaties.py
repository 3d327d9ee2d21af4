"""Treaties in a real ledger: who pays, who takes back, guarded by the database, replayed byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from acts.publish_treaty import preview_treaty, publish_treaty
from infra.ledger import payout_states, tables
from schemas.treaty.treaty_conflicts import TreatiesConflict
from tests.support.acts import reissue
from tests.support.builders import SHARDS, Json, bill, discharge, report, void
from tests.support.covered_person import CoveredPerson
from tests.support.ledger_rows import benefit, event, instruction
from tests.support.replayed import assert_replays
from tests.support.treaties import VILLAGE, treaty_text

Line = tuple[str, str, str | None, int, str, int]


class Town(CoveredPerson):
    """Who pays what, under the treaties that are published."""

    def publish(self, text: str) -> None:
        with self.ledger.begin() as connection:
            assert publish_treaty(connection, text, "li.na", SHARDS, self.clock).new

    def lines(self) -> list[Line]:
        """Each instruction of the village's scheme, as columns and bytes: payee, payer, treaty, revision, kind, fen."""
        orders = self.instructed()
        assert all((each["payer"], each.get("treaty_id")) == (row.payer, row.treaty_id) for each, row in orders)
        return [(each["payee"], row.payer, row.treaty_id, row.revision, row.kind, row.amount) for each, row in orders]


@pytest.fixture(params=[True, False], ids=["remembered", "loaded"])
def town(ledger: Engine, request: pytest.FixtureRequest) -> Town:
    """Once with persons remembered between batches, and once loaded for each."""
    return Town(ledger, request.param)


def taken(amount: str) -> list[Json]:
    return [{"scheme_id": VILLAGE, "amount": amount}]


def test_the_fund_pays_until_a_treaty_is_published(town: Town) -> None:
    """Publishing moves no money: what was paid stays paid by the fund, and what is paid afterwards is the lead's."""
    town.take(bill())
    town.publish(treaty_text())
    assert town.lines() == [("person", "fund", None, 1, "payment", 30_000)]
    town.take(bill(version=2, copay=4000))
    paid = town.lines()[1]
    assert ("person", "insurer-a", "t1", 2, "payment") == paid[:5]
    assert_replays(town.ledger)


def test_what_is_taken_back_is_taken_back_by_whom_had_paid_it(town: Town) -> None:
    """The newest payment first, in one instruction for each payer."""
    town.take(bill())
    town.publish(treaty_text())
    town.take(bill(version=2, copay=4000))
    more = town.lines()[1][5]
    town.take(void(version=3))
    assert town.lines()[2:] == [
        ("person", "insurer-a", "t1", 3, "recovery", more),
        ("person", "fund", None, 4, "recovery", 30_000),
    ]
    town.take(bill(version=4))
    assert town.lines()[4:] == [("person", "insurer-a", "t1", 5, "payment", 30_000)]
    assert_replays(town.ledger)


def test_the_day_of_discharge_says_whose_a_payment_is(town: Town) -> None:
    """Not the day on which it is posted; and a corrected day moves no money from one insurer to the other."""
    town.publish(treaty_text("y24", "insurer-a", "2024-01-01", "2025-01-01"))
    town.publish(treaty_text("y25", "insurer-b", "2025-01-01", "2026-01-01"))
    town.take(bill())
    town.take(discharge(version=2, discharged_on="2025-01-01"))
    assert town.lines() == [("person", "insurer-a", "y24", 1, "payment", 30_000)]
    town.take(bill(version=2, copay=4000))
    assert ("person", "insurer-b", "y25", 2, "payment") == town.lines()[1][:5]
    assert_replays(town.ledger)


def test_a_hospital_that_advanced_is_paid_by_the_insurer(town: Town) -> None:
    """And so is the person the rest, on a line of its own; both are taken back by the insurer."""
    town.publish(treaty_text())
    town.take(bill(advances=taken("100.00")))
    assert sorted(town.lines()) == [
        ("facility", "insurer-a", "t1", 1, "payment", 10_000),
        ("person", "insurer-a", "t1", 1, "payment", 20_000),
    ]
    town.take(void(version=2))
    assert sorted(town.lines()[2:]) == [
        ("facility", "insurer-a", "t1", 2, "recovery", 10_000),
        ("person", "insurer-a", "t1", 2, "recovery", 20_000),
    ]
    assert_replays(town.ledger)


def test_a_failed_payout_is_ordered_again_from_its_payer(town: Town) -> None:
    """Whatever treaty has been published since."""
    town.take(bill())
    with town.ledger.connect() as connection:
        (failed,) = payout_states.payouts(connection)
    town.take(report(failed.payout_id, status="failed"))
    town.publish(treaty_text())
    reissue(town.ledger, failed.payout_id, "li.na", "wrong account", SHARDS, town.clock)
    assert town.lines()[1:] == [
        ("person", "fund", None, 2, "recovery", 30_000),
        ("person", "fund", None, 3, "payment", 30_000),
    ]
    town.take(void(version=2))
    assert town.lines()[3:] == [("person", "fund", None, 4, "recovery", 30_000)]
    assert_replays(town.ledger)


def test_an_insurers_failed_payout_is_ordered_again_from_the_insurer(town: Town) -> None:
    """The reversal and the new order are both the insurer's."""
    town.publish(treaty_text())
    town.take(bill())
    with town.ledger.connect() as connection:
        (failed,) = payout_states.payouts(connection)
    town.take(report(failed.payout_id, status="returned"))
    reissue(town.ledger, failed.payout_id, "li.na", "wrong account", SHARDS, town.clock)
    assert town.lines()[1:] == [
        ("person", "insurer-a", "t1", 2, "recovery", 30_000),
        ("person", "insurer-a", "t1", 3, "payment", 30_000),
    ]
    assert_replays(town.ledger)


def test_a_treaty_is_published_once(town: Town) -> None:
    """The same file again does nothing; another for one of its days is refused, and nothing is written."""
    town.publish(treaty_text())
    with town.ledger.begin() as connection:
        assert not publish_treaty(connection, treaty_text(), "wang.wei", SHARDS, town.clock).new
        assert not preview_treaty(connection, treaty_text()).new
    with pytest.raises(TreatiesConflict), town.ledger.begin() as connection:
        publish_treaty(
            connection, treaty_text("t2", "insurer-b", "2024-12-31", "2026-01-01"), "li.na", SHARDS, town.clock
        )
    with town.ledger.connect() as connection:
        assert [("t1", "li.na")] == [
            (row.treaty_id, row.operator) for row in connection.execute(select(tables.treaties))
        ]
        acts = select(tables.events).where(tables.events.c.disposition == "treaty")
        assert 1 == len(connection.execute(acts).all())


def test_a_scheme_that_no_policy_has_is_noticed(town: Town) -> None:
    """A treaty for it would cover nothing."""
    with town.ledger.connect() as connection:
        text = treaty_text().replace(VILLAGE, "village_mutual_ade")
        assert ("village_mutual_ade",) == preview_treaty(connection, text).unknown
        assert () == preview_treaty(connection, treaty_text()).unknown


def row(name: str = "t1", **columns: Any) -> dict[str, Any]:
    given = {"treaty_id": name, "sha256": name, "lead": "insurer-a", "schemes": [VILLAGE], "effective_to": None}
    times = {"effective_from": "2024-01-01", "published_at": "2024-01-01T00:00:00Z"}
    return {**given, **times, "source_text": "", "event_no": 1, "operator": "li.na", **columns}


def _paid(connection: Connection) -> None:
    """A line of ten fen that the fund paid, under a ledger with one treaty."""
    connection.execute(insert(tables.events), [event(1)])
    connection.execute(insert(tables.treaties), [row()])
    connection.execute(insert(tables.benefits), [benefit(10)])
    connection.execute(insert(tables.instructions), [instruction(1, 0, 10)])


def _back(connection: Connection, **payer: Any) -> None:
    """Everything is taken back, for one payer."""
    connection.execute(insert(tables.instructions), [instruction(2, 10, 0, **payer)])
    connection.execute(update(tables.benefits).values(benefit=0, released=0))


WRONG: dict[str, Callable[[Connection], object]] = {
    "a recovery for somebody who has not paid": lambda c: _back(c, payer="insurer-a", treaty_id="t1"),
    "an insurer without a treaty": lambda c: _back(c, payer="insurer-a"),
    "the fund under a treaty": lambda c: _back(c, treaty_id="t1"),
    "a treaty that was never published": lambda c: _back(c, payer="insurer-a", treaty_id="t2"),
    "two treaties for a scheme on one day": lambda c: c.execute(
        insert(tables.treaties), [row("t2", schemes=["other", VILLAGE], effective_from="2030-01-01")]
    ),
    "a treaty that ends before it begins": lambda c: c.execute(
        insert(tables.treaties), [row("t2", schemes=["other"], effective_to="2023-01-01")]
    ),
    "a changed treaty": lambda c: c.execute(update(tables.treaties).values(lead="insurer-b")),
    "a deleted treaty": lambda c: c.execute(delete(tables.treaties)),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_the_database_refuses_a_wrong_payer(ledger: Engine, wrong: Callable[[Connection], object]) -> None:
    """Nobody takes back what they had not paid, and treaties do not overlap or change."""
    with ledger.begin() as connection:
        _paid(connection)
    with pytest.raises(DBAPIError), ledger.begin() as connection:
        wrong(connection)
    with ledger.begin() as connection:
        _back(connection)
