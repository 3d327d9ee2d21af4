"""Pools in a real ledger: what their money covers is paid, the rest waits, and nobody is overtaken."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from acts.close_pool_year import close_pool_year
from tests.support.builders import SHARDS, bill, contribution, discharge, pool
from tests.support.pools import villager
from tests.support.village import PoolOrder, Village


def test_a_queue_pays_in_canonical_order_as_far_as_the_money_goes(ledger: Engine) -> None:
    """Whatever the order in which the bills come."""
    village = Village(ledger)
    village.take(pool(), contribution(yuan=700), *villager("P3", "2024-03-03", 100), *villager("P2", "2024-03-02", 300))
    assert {"E-P2": 30_000, "E-P3": 10_000} == village.released()
    village.take(*villager("P1", "2024-03-01", 500))
    village.take(*villager("P4", "2024-03-04", 100))
    assert {"E-P1": 50_000, "E-P4": 10_000} == village.waiting()
    village.take(contribution("G2", yuan=200))
    assert {"E-P4": 10_000} == village.waiting()
    village.take(contribution("G3", yuan=100))
    assert {} == village.waiting()
    assert 0 == village.balance()
    village.check()


def test_nobody_is_overtaken_by_who_would_be_covered(ledger: Engine) -> None:
    """100.00 are there, and the first in the queue waits for 500.00."""
    village = Village(ledger)
    village.take(pool(), contribution(yuan=100), *villager("P1", "2024-03-01", 500), *villager("P2", "2024-03-02", 50))
    assert {"E-P1": 50_000, "E-P2": 5_000} == village.waiting()
    village.take(contribution("G2", yuan=400))
    assert {"E-P2": 5_000} == village.waiting()
    village.check()


def test_of_one_day_the_lower_claim_id_comes_first(ledger: Engine) -> None:
    """By code point, in whatever collation the database sorts."""
    village = Village(ledger)
    village.take(*villager("a1", "2024-03-01", 100), *villager("B1", "2024-03-01", 100))
    village.take(pool(), contribution(yuan=100))
    assert {"E-B1": 10_000, "E-a1": 0} == village.released()
    village.check()


def test_what_was_released_is_not_taken_back_because_an_earlier_claim_appears(ledger: Engine) -> None:
    """It waits in front of all others who wait."""
    village = Village(ledger)
    village.take(pool(), contribution(yuan=500), *villager("P2", "2024-03-02", 500), *villager("P3", "2024-03-03", 100))
    village.take(*villager("P1", "2024-03-01", 200))
    assert {"E-P1": 0, "E-P2": 50_000, "E-P3": 0} == village.released()
    village.take(contribution("G2", yuan=250))
    assert {"E-P1": 20_000, "E-P2": 50_000, "E-P3": 0} == village.released()
    assert all(each.kind == "payment" for each in village.orders())
    village.check()


def test_what_a_lower_due_frees_serves_the_queue_in_the_same_step(ledger: Engine) -> None:
    """One batch recovers 300.00 of the first, and pays the second."""
    village = Village(ledger)
    village.take(pool(), contribution(yuan=500), *villager("P1", "2024-03-01", 500), *villager("P2", "2024-03-02", 300))
    village.take(bill("S-P1", "E-P1", 2400, version=2, person_id="P1"))
    assert {"E-P1": 20_000, "E-P2": 30_000} == village.released()
    assert [
        PoolOrder("E-P1", "payment", 50_000, "V1"),
        PoolOrder("E-P1", "recovery", 30_000, "V1"),
        PoolOrder("E-P2", "payment", 30_000, "V1"),
    ] == village.orders()
    village.check()


def test_a_higher_due_waits_for_the_difference_alone(ledger: Engine) -> None:
    """What was released before stays."""
    village = Village(ledger)
    village.take(pool(), contribution(yuan=500), *villager("P1", "2024-03-01", 400))
    village.take(bill("S-P1", "E-P1", 3200, version=2, person_id="P1"))
    assert {"E-P1": 40_000} == village.released()
    assert {"E-P1": 20_000} == village.waiting()
    village.take(contribution("G2", yuan=100))
    assert {"E-P1": 60_000} == village.released()
    village.check()


def test_a_corrected_day_of_discharge_changes_the_place(ledger: Engine) -> None:
    """Though nothing else of the decision changes."""
    village = Village(ledger)
    village.take(pool(), *villager("P1", "2024-03-01", 300), *villager("P2", "2024-03-02", 100))
    village.take(discharge("E-P2", "2024-02-01", admitted_on="2024-02-01", person_id="P2", version=2))
    village.take(contribution(yuan=100))
    assert {"E-P1": 30_000} == village.waiting()
    village.check()


def test_a_pool_that_owes_pays_at_once_and_is_overdrawn_until_it_is_covered(ledger: Engine) -> None:
    """One alert when it falls below zero, and one when it is not any more."""
    village = Village(ledger)
    village.take(pool(on_shortage="owe"), contribution(yuan=100), *villager("P1", "2024-03-01", 100))
    assert [] == village.alerts()
    village.take(*villager("P2", "2024-03-02", 300))
    village.take(*villager("P3", "2024-03-03", 300))
    assert {} == village.waiting()
    assert -60_000 == village.balance()
    assert [("alert.raised", "POOL_OVERDRAWN", "V1")] == village.alerts()
    village.take(contribution("G2", yuan=599))
    assert 1 == len(village.alerts())
    village.take(contribution("G3", yuan=1))
    assert ("alert.withdrawn", "POOL_OVERDRAWN", "V1") == village.alerts()[-1]
    village.check()


def test_a_pool_that_pays_pro_rata_pays_nothing_before_its_close(ledger: Engine) -> None:
    """However much it has."""
    village = Village(ledger)
    village.take(pool(on_shortage="pro_rata"), contribution(), *villager("P1", "2024-03-01", 100))
    assert {"E-P1": 10_000} == village.waiting()
    assert [] == village.orders()
    village.check()


def test_a_year_is_shared_and_what_it_left_is_not_served_again(ledger: Engine) -> None:
    """700 yuan for dues of 500, 300 and 201: each gets the same part, and the fen left over by largest remainder."""
    village = Village(ledger)
    village.take(pool(on_shortage="pro_rata"), contribution(yuan=700))
    for name, day, due in (("P1", "2024-03-01", 500), ("P2", "2024-03-02", 300), ("P3", "2024-03-03", 201)):
        village.take(*villager(name, day, due))
    with ledger.begin() as connection:
        closing = close_pool_year(connection, "V1", 2024, "li.na", SHARDS, village.clock, "year's end")
    assert (70_000, 100_100, 70_000, 3) == closing[2:]
    shared = {"E-P1": 34_965, "E-P2": 20_979, "E-P3": 14_056}
    assert shared == village.released()
    village.take(contribution("G2", yuan=1000))
    assert shared == village.released()
    village.check()


@pytest.mark.parametrize("rule", ["owe", "queue"])
def test_restricted_money_pays_only_its_schemes(ledger: Engine, rule: str) -> None:
    """Money for another scheme covers nobody; the villager waits beside it, or the pool owes."""
    village = Village(ledger)
    village.take(
        pool(on_shortage=rule),
        contribution("R1", yuan=500, restricted_to=["self_pay_assistance"]),
        contribution("R2", yuan=60, restricted_to=["village_mutual_aid", "self_pay_assistance"]),
        contribution("G1", yuan=30),
        *villager("P1", "2024-03-01", 90),
        *villager("P2", "2024-03-02", 100),
    )
    assert {"queue": {"E-P2": 10_000}, "owe": {}}[rule] == village.waiting()
    assert {"queue": 50_000, "owe": 40_000}[rule] == village.balance()
    village.check()


def test_two_pools_do_not_pay_for_each_other(ledger: Engine) -> None:
    """Each has its own money and its own queue."""
    village = Village(ledger)
    village.take(pool("V1"), pool("V2"), contribution("G1", "V1", 100), contribution("G2", "V2", 300))
    village.take(*villager("P1", "2024-03-01", 200, "V1"), *villager("P2", "2024-03-02", 200, "V2"))
    assert {"E-P1": 20_000} == village.waiting()
    assert (10_000, 10_000) == (village.balance("V1"), village.balance("V2"))
    village.check()


def test_more_claims_than_one_step_takes_are_paid_all(ledger: Engine) -> None:
    """In steps of a hundred, one after the other."""
    village = Village(ledger)
    members = [event for number in range(230) for event in villager(f"P{number:03}", "2024-03-01", 10)]
    village.take(*members, pool())
    assert 230 == len(village.waiting())
    village.take(contribution(yuan=2290))
    assert {"E-P229": 1_000} == village.waiting()
    assert [[], [], [("10.00", 230)]] == village.told("E-P229")
    village.check()
