"""Pools in a real ledger: what their money covers is paid, the rest waits, and nobody is overtaken."""

from __future__ import annotations

from sqlalchemy import Engine, select

from acts.close_pool_year import close_pool_year
from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from infra.ledger import tables
from tests.support.acts import publish
from tests.support.builders import RECORDED_AT, SHARDS, Json, contribution, pool
from tests.support.ledgers import held, in_order, ranges
from tests.support.pools import POOL_POLICY, villager
from tests.support.replayed import assert_replays


def take(ledger: Engine, events: list[Json], posted: list[Json]) -> None:
    """The next batch, after those events that were ``posted`` before."""
    deliveries = in_order([*posted, *events])[len(posted) :]
    posted += events
    taken = take_in(ledger, ranges(deliveries), held(ledger), SHARDS, lambda: RECORDED_AT)
    recompute_groups(ledger, taken.groups_wait, SHARDS, lambda: RECORDED_AT, RememberedPersons())


def paid(ledger: Engine) -> dict[str, int]:
    with ledger.connect() as connection:
        rows = connection.execute(select(tables.benefits.c.claim_id, tables.benefits.c.released))
        return {row.claim_id: row.released for row in rows}


def test_a_queue_pays_in_canonical_order_as_far_as_the_money_goes(ledger: Engine) -> None:
    publish(ledger, POOL_POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    events = [
        pool(),
        contribution(yuan=700),
        *villager("P1", "2024-03-01", 500),
        *villager("P2", "2024-03-02", 300),
        *villager("P3", "2024-03-03", 100),
    ]
    posted: list[Json] = []
    take(ledger, events, posted)
    assert {"E-P1": 50_000, "E-P2": 0, "E-P3": 0} == paid(ledger)
    take(ledger, [contribution("G2", yuan=100)], posted)
    assert {"E-P1": 50_000, "E-P2": 30_000, "E-P3": 0} == paid(ledger)
    take(ledger, [contribution("G3", yuan=100)], posted)
    assert {"E-P1": 50_000, "E-P2": 30_000, "E-P3": 10_000} == paid(ledger)
    assert_replays(ledger)


def test_a_year_is_shared_and_what_it_left_is_not_served_again(ledger: Engine) -> None:
    """700 yuan for dues of 500, 300 and 201: each gets the same part, and the fen left over by largest remainder."""
    publish(ledger, POOL_POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    posted: list[Json] = []
    events = [
        pool(on_shortage="pro_rata"),
        contribution(yuan=700),
        *villager("P1", "2024-03-01", 500),
        *villager("P2", "2024-03-02", 300),
        *villager("P3", "2024-03-03", 201),
    ]
    take(ledger, events, posted)
    assert {"E-P1": 0, "E-P2": 0, "E-P3": 0} == paid(ledger)
    with ledger.begin() as connection:
        closing = close_pool_year(connection, "V1", 2024, "li.na", SHARDS, lambda: RECORDED_AT, "year's end")
    assert (70_000, 100_100, 70_000, 3) == closing[2:]
    shared = {"E-P1": 34_965, "E-P2": 20_979, "E-P3": 14_056}
    assert shared == paid(ledger)
    take(ledger, [contribution("G2", yuan=1000)], posted)
    assert shared == paid(ledger)
    assert_replays(ledger)
