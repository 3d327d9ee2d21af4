"""Whom a pool's money reaches: hospitals that advanced it, payouts ordered again, recoveries kept back, households."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, select

from acts.adopt_ledger import money_of
from infra.ledger import tables
from schemas.records import Manner
from tests.support.acts import settle
from tests.support.builders import SHARDS, Json, bill, contribution, coverage, discharge, membership, pool, report
from tests.support.household_town import POLICY as HOUSEHOLDS
from tests.support.ledgers import person_of_shard
from tests.support.pools import villager
from tests.support.village import PoolOrder, Village


def advanced(yuan: int, due: int = 500, **fields: Any) -> Json:
    """The bill of E-P1 with so much taken off by the hospital."""
    advances = [{"scheme_id": "village_mutual_aid", "amount": f"{yuan}.00"}]
    return bill("S-P1", "E-P1", 2000 + 2 * due, person_id="P1", advances=advances, **fields)


def test_a_hospital_that_advanced_waits_for_an_empty_pool(ledger: Engine) -> None:
    """It is owed what it advanced: no alert says otherwise. When money comes, it is paid before the person."""
    village = Village(ledger)
    village.take(pool(), *villager("P1", "2024-03-01", 500)[:2], advanced(200))
    assert ([], []) == (village.orders(), village.alerts())
    village.take(contribution(yuan=500))
    assert [
        PoolOrder("E-P1", "payment", 30_000, "V1"),
        PoolOrder("E-P1", "payment", 20_000, "V1", "H1"),
    ] == village.orders()
    village.check()


def test_an_advance_over_what_is_due_is_told_though_the_rest_waits(ledger: Engine) -> None:
    """Due and not released is what counts."""
    village = Village(ledger)
    village.take(pool(), *villager("P1", "2024-03-01", 500)[:2], advanced(600))
    assert [("alert.raised", "ADVANCE_EXCEEDS_DUE", "E-P1")] == village.alerts()
    village.take(contribution(yuan=500))
    assert 1 == len(village.alerts())
    village.check()


def test_money_that_moves_between_payees_stays_that_of_the_pool_that_paid(ledger: Engine) -> None:
    """The hospital turns out to have advanced what V1 had paid to the person; V2, which is to pay now, has nothing."""
    village = Village(ledger)
    village.take(pool(), pool("V2"), contribution(yuan=500), *villager("P1", "2024-03-01", 500))
    village.take(coverage("C-P1", person_id="P1", version=2, pool_id="V2"))
    village.take(advanced(200, version=2))
    assert [
        PoolOrder("E-P1", "payment", 50_000, "V1"),
        PoolOrder("E-P1", "recovery", 20_000, "V1"),
        PoolOrder("E-P1", "payment", 20_000, "V1", "H1"),
    ] == village.orders()
    assert (0, 0) == (village.balance("V1"), village.balance("V2"))
    village.check()


def test_money_of_two_pools_that_moves_stays_the_money_of_both(ledger: Engine) -> None:
    """The newest payment goes back first, and goes on first."""
    village = Village(ledger)
    village.take(pool(), pool("V2"), contribution(yuan=500), *villager("P1", "2024-03-01", 500))
    village.take(coverage("C-P1", person_id="P1", version=2, pool_id="V2"), contribution("G2", "V2", 100))
    village.take(bill("S-P1", "E-P1", 3200, version=2, person_id="P1"))
    village.take(advanced(600, 600, version=3))
    moved = [each for each in village.orders()[2:] if each.kind == "payment"]
    assert {("V1", 50_000, "H1"), ("V2", 10_000, "H1")} == {
        (each.pool_id, each.amount, each.payee_id) for each in moved
    }
    village.check()


def test_a_pool_payout_ordered_again_changes_nothing_in_its_money(ledger: Engine) -> None:
    """Its reversal and the new order name the pool; nobody in the queue is served or has to wait for that."""
    village = Village(ledger)
    village.take(pool(), contribution(yuan=500), *villager("P1", "2024-03-01", 500), *villager("P2", "2024-03-02", 100))
    (payout,) = village.payouts("E-P1")
    village.take(report(payout, status="failed"))
    village.reissue(payout)
    assert ["V1", "V1", "V1"] == [each.pool_id for each in village.orders()]
    assert (0, {"E-P2": 10_000}) == (village.balance(), village.waiting())
    village.check()


def test_a_recovery_is_set_off_only_against_payments_of_the_same_pool(ledger: Engine) -> None:
    """The person moved in between: V2 pays in full, and V1 keeps back what it is owed."""
    village = Village(ledger)
    village.take(pool(), pool("V2"), contribution(yuan=900), contribution("G2", "V2", 900))
    village.take(*villager("P1", "2024-03-01", 500))
    village.take(
        coverage("C-P1", person_id="P1", version=2, pool_id="V1", valid_to="2024-04-01"),
        coverage("D-P1", person_id="P1", pool_id="V2", valid_from="2024-04-01"),
        bill("S-P1", "E-P1", 2400, version=2, person_id="P1"),
    )
    recovery = village.payouts("E-P1")[-1]
    settle(ledger, recovery, Manner.SET_OFF, "li.na", "agreed by phone", SHARDS, village.clock)
    village.take(*stay("E2", "2024-05-01", 100), *stay("E3", "2024-03-20", 400))
    order = tables.instructions
    with ledger.connect() as connection:
        query = select(order.c.claim_id, order.c.amount, order.c.pool_id, order.c.set_off_of)
        rows = connection.execute(query.where(order.c.claim_id != "E-P1").order_by(order.c.claim_id, order.c.revision))
        found = [tuple(row) for row in rows]
    assert [("E2", 10_000, "V2", None), ("E3", 30_000, "V1", recovery), ("E3", 10_000, "V1", None)] == found
    assert (30_000, 80_000) == (village.balance("V1"), village.balance("V2"))
    village.check()


def test_another_pool_in_a_payout_is_other_money() -> None:
    """What a restored ledger is compared by with what the topics hold."""
    order = {"payout_id": "PO-1", "person_id": "P1", "kind": "payment", "amount": "1.00", "payee": "person"}
    told = [json.dumps({**order, **more}).encode() for more in ({}, {"pool_id": "V1"}, {"pool_id": "V2"})]
    assert 3 == len({money_of(each) for each in told})


def stay(name: str, day: str, due: int, person: str = "P1") -> list[Json]:
    """Another stay, for which so many yuan are due."""
    ended = discharge(name, day, admitted_on=day, person_id=person)
    return [ended, bill(f"S-{name}", name, 2000 + 2 * due, person_id=person)]


def test_members_of_a_household_wait_for_their_pool_on_all_shards(ledger: Engine) -> None:
    """They are decided together, and then served in the order of their stays."""
    village = Village(
        ledger,
        HOUSEHOLDS.replace('accumulates = "household_year"', 'accumulates = "household_year"\nfunded_by = "pool"'),
    )
    people = [person_of_shard(shard) for shard in range(SHARDS)]
    for number, name in enumerate(people):
        village.take(
            coverage(f"C{number}", person_id=name, pool_id="V1"),
            membership(f"M{number}", person_id=name),
            *stay(f"E{number}", f"2024-03-0{5 - number}", 500, name),
        )
    village.take(pool(), contribution(yuan=700))
    assert {"E0": 0, "E1": 16_800, "E2": 99_900, "E3": 33_300} == village.due()
    assert {"E1": 16_800, "E2": 99_900} == village.waiting()
    village.take(contribution("G2", yuan=800))
    assert {} == village.waiting()
    village.check()
