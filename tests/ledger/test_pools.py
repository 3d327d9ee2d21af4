"""Pools in a real ledger: what their money covers is paid, the rest waits, and nobody is overtaken."""

from __future__ import annotations

from sqlalchemy import Engine, select

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
        return dict(connection.execute(select(tables.benefits.c.claim_id, tables.benefits.c.released)).tuples().all())


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
