"""Households in a real ledger: members on different shards share sums and caps, and are decided at once."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from infra.ledger import group_tables, tables
from infra.sharding import shard_of
from tests.support.acts import publish
from tests.support.builders import RECORDED_AT, SHARDS, Json, bill, coverage, discharge, membership
from tests.support.household import POLICY
from tests.support.ledgers import held, in_order, ranges
from tests.support.replayed import assert_replays

MEMBERS = ("P1", next(each for each in ("P2", "P3", "P4") if shard_of(each, SHARDS) != shard_of("P1", SHARDS)))


def life(person: str, number: int, copay: int) -> list[Json]:
    return [
        coverage(f"C{number}", person_id=person),
        membership(f"M{number}", person_id=person),
        discharge(f"E{number}", person_id=person, discharged_on=f"2024-03-1{number}"),
        bill(f"S{number}", f"E{number}", copay, person_id=person),
    ]


def test_members_on_different_shards_share_a_sum_and_a_cap(ledger: Engine) -> None:
    """Each batch holds one member's shard: the group waits, and is decided by the next transaction."""
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    for number, person in enumerate(MEMBERS):
        events = in_order(life(person, number, 3000))
        taken = take_in(ledger, ranges(events), held(ledger), SHARDS, lambda: RECORDED_AT)
        assert {shard_of(person, SHARDS)} == taken.groups_wait
        assert 1 == recompute_groups(ledger, taken.groups_wait, SHARDS, lambda: RECORDED_AT, RememberedPersons())
    with ledger.connect() as connection:
        paid = dict(connection.execute(select(tables.benefits.c.claim_id, tables.benefits.c.benefit)).tuples().all())
        assert {"E0": 50_000, "E1": 50_000} == paid
        assert 0 == connection.scalar(select(func.count()).select_from(group_tables.group_work))
    assert_replays(ledger)
