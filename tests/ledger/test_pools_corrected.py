"""Pools whose money, rule or members are corrected: before anything was paid, and after."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.support.builders import Json, bill, contribution, contribution_void, coverage, pool
from tests.support.pools import villager
from tests.support.village import PoolOrder, Village

LESS = [contribution(yuan=300, version=2), contribution_void()]


@pytest.mark.parametrize("correction", LESS, ids=["lowered", "voided"])
def test_a_contribution_corrected_before_it_was_spent_covers_less(ledger: Engine, correction: Json) -> None:
    """Who comes afterwards waits."""
    village = Village(ledger)
    village.take(pool(), contribution(yuan=500))
    village.take(correction)
    village.take(*villager("P1", "2024-03-01", 400))
    assert {"E-P1": 40_000} == village.waiting()
    assert [] == village.alerts()
    village.check()


@pytest.mark.parametrize("correction", LESS, ids=["lowered", "voided"])
def test_a_contribution_corrected_after_it_was_spent_leaves_the_pool_overdrawn(
    ledger: Engine, correction: Json
) -> None:
    """Nothing is taken back for it; nothing is released before the money covers it again, and what then comes next."""
    village = Village(ledger)
    village.take(pool(), contribution(yuan=500), *villager("P1", "2024-03-01", 500))
    village.take(correction)
    missing = -village.balance()
    assert [("alert.raised", "POOL_OVERDRAWN", "V1")] == village.alerts()
    village.take(contribution("G2", yuan=missing // 100 + 50), *villager("P2", "2024-03-02", 100))
    assert ("alert.withdrawn", "POOL_OVERDRAWN", "V1") == village.alerts()[-1]
    assert {"E-P2": 10_000} == village.waiting()
    village.take(contribution("G3", yuan=50))
    assert {} == village.waiting()
    assert 0 == village.balance()
    village.check()


def test_a_lowered_contribution_is_booked_as_the_difference(ledger: Engine) -> None:
    """The balance of the books is that of the newest versions, also where a restriction changes."""
    village = Village(ledger)
    village.take(pool(), contribution(yuan=500), contribution("G2", yuan=100))
    village.take(contribution(yuan=300, version=3, restricted_to=["self_pay_assistance"]))
    village.take(contribution(yuan=999, version=2), contribution_void("G2", version=5))
    village.take(*villager("P1", "2024-03-01", 200))
    assert 30_000 == village.balance()
    assert {"E-P1": 20_000} == village.waiting()
    village.check()


def test_a_contribution_voided_before_it_came_is_never_received(ledger: Engine) -> None:
    """The void has the greater version."""
    village = Village(ledger)
    village.take(contribution_void(version=2), pool())
    village.take(contribution(), *villager("P1", "2024-03-01", 200))
    assert (0, {"E-P1": 20_000}) == (village.balance(), village.waiting())
    village.check()


def test_a_pool_that_is_recorded_last_pays_those_who_waited_for_it(ledger: Engine) -> None:
    """Before, nobody knows whether it may owe: everything waits, and an alert says for which pool."""
    village = Village(ledger)
    village.take(contribution(yuan=500), *villager("P1", "2024-03-01", 500))
    assert {"E-P1": 50_000} == village.waiting()
    assert [("alert.raised", "NO_POOL", "V1")] == village.alerts()
    village.take(pool())
    assert {} == village.waiting()
    assert ("alert.withdrawn", "NO_POOL", "V1") == village.alerts()[-1]
    village.check()


def test_a_queue_that_may_owe_from_now_on_pays_everybody(ledger: Engine) -> None:
    """In the step of the event that says so."""
    village = Village(ledger)
    village.take(pool(), *villager("P1", "2024-03-01", 500), *villager("P2", "2024-03-02", 100))
    village.take(pool(version=2, on_shortage="owe"))
    assert {} == village.waiting()
    assert -60_000 == village.balance()
    village.check()


def test_a_pool_that_may_owe_no_longer_releases_nothing_below_zero(ledger: Engine) -> None:
    """What it paid stays paid; who comes next waits until the money covers all of it."""
    village = Village(ledger)
    village.take(pool(on_shortage="owe"), *villager("P1", "2024-03-01", 500))
    village.take(pool(version=2, on_shortage="queue"), *villager("P2", "2024-03-02", 100))
    village.take(contribution(yuan=599))
    assert {"E-P2": 10_000} == village.waiting()
    village.take(contribution("G2", yuan=1))
    assert {} == village.waiting()
    assert 1 == len([each for each in village.alerts() if each[0] == "alert.withdrawn"])
    village.check()


def test_where_the_coverage_names_no_pool_the_fund_pays_at_once(ledger: Engine) -> None:
    """The alert is about the claim; corrected, what was paid stays the fund's, and a recovery goes back to it."""
    village = Village(ledger)
    village.take(pool(), *villager("P1", "2024-03-01", 500)[1:], coverage("C-P1", person_id="P1"))
    assert [PoolOrder("E-P1", "payment", 50_000, None)] == village.orders()
    assert [("alert.raised", "NO_POOL", "E-P1")] == village.alerts()
    village.take(coverage("C-P1", person_id="P1", version=2, pool_id="V1"))
    assert ("alert.withdrawn", "NO_POOL", "E-P1") == village.alerts()[-1]
    village.take(bill("S-P1", "E-P1", 2800, version=2, person_id="P1"))
    assert PoolOrder("E-P1", "recovery", 10_000, None) == village.orders()[-1]
    assert 0 == village.balance()
    village.check()


def test_a_waiting_benefit_without_a_pool_any_more_is_paid_at_once(ledger: Engine) -> None:
    """By the fund."""
    village = Village(ledger)
    village.take(pool(), *villager("P1", "2024-03-01", 500))
    village.take(coverage("C-P1", person_id="P1", version=2))
    assert [PoolOrder("E-P1", "payment", 50_000, None)] == village.orders()
    assert {} == village.waiting()
    village.check()


def test_what_waits_moves_to_the_pool_that_a_corrected_coverage_names(ledger: Engine) -> None:
    """And leaves the queue of the other one, whose next member is served."""
    village = Village(ledger)
    village.take(pool(), pool("V2"), contribution(yuan=100))
    village.take(*villager("P1", "2024-03-01", 500), *villager("P2", "2024-03-02", 100))
    assert {"E-P1": 50_000, "E-P2": 10_000} == village.waiting()
    village.take(coverage("C-P1", person_id="P1", version=2, pool_id="V2"))
    assert {"E-P1": 50_000} == village.waiting()
    village.take(contribution("G2", "V2", 500))
    assert PoolOrder("E-P1", "payment", 50_000, "V2") == village.orders()[-1]
    village.check()


def test_what_was_released_stays_with_the_pool_that_paid(ledger: Engine) -> None:
    """A rise waits with the new pool; what falls goes back to whoever paid it, the newest payment first."""
    village = Village(ledger)
    village.take(pool(), pool("V2"), contribution(yuan=500), *villager("P1", "2024-03-01", 500))
    village.take(coverage("C-P1", person_id="P1", version=2, pool_id="V2"))
    village.take(bill("S-P1", "E-P1", 3600, version=2, person_id="P1"))
    assert {"E-P1": 30_000} == village.waiting()
    village.take(contribution("G2", "V2", 300))
    village.take(bill("S-P1", "E-P1", 2200, version=3, person_id="P1"))
    assert [
        PoolOrder("E-P1", "payment", 50_000, "V1"),
        PoolOrder("E-P1", "payment", 30_000, "V2"),
        PoolOrder("E-P1", "recovery", 30_000, "V2"),
        PoolOrder("E-P1", "recovery", 40_000, "V1"),
    ] == village.orders()
    assert (40_000, 30_000) == (village.balance("V1"), village.balance("V2"))
    village.check()
