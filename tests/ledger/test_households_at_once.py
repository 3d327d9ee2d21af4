"""Eight workers over one ledger of households: no deadlock, no cap exceeded at any commit, and the same end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from threading import Event

import pytest
from sqlalchemy import Engine, func, select

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from infra.ledger import tables
from infra.ledger.schema import connect
from schemas.records import Delivery
from tests.support.acts import publish
from tests.support.builders import SHARDS, policies
from tests.support.deadlocks import deadlocks
from tests.support.household_town import (
    POLICY,
    assert_decided_as_offline,
    guard_the_cap,
    lives,
)
from tests.support.ledgers import at_once, held, in_order, patiently, ranges, ticking
from tests.support.length import times
from tests.support.replayed import assert_replays

PERSONS = tuple(f"P{number}" for number in range(24))


@pytest.mark.parametrize("seed", range(times(1, 4)))
def test_eight_workers_decide_households_without_a_deadlock(ledger: Engine, ledger_url: str, seed: int) -> None:
    """Four take in what comes, each a partition; four decide groups of any shards; a policy is published meanwhile."""
    rng, now = Random(seed), ticking()
    guard_the_cap(ledger)
    events = lives(rng, PERSONS, households=6)
    epochs, ended = held(ledger), Event()
    parts = [[each for each in in_order(events) if each.partition == shard] for shard in range(SHARDS)]
    engine = connect(ledger_url, pool=12)

    def taking(part: list[Delivery]) -> None:
        worker = RememberedPersons()
        for batch in _cut(part, Random(seed)):
            take = partial(take_in, engine, ranges(batch), epochs, SHARDS, now, worker)
            if waiting := patiently(take).groups_wait:
                patiently(partial(recompute_groups, engine, waiting, SHARDS, now, worker))

    def deciding() -> None:
        worker = RememberedPersons()
        while not ended.is_set():
            patiently(lambda: recompute_groups(engine, range(SHARDS), SHARDS, now, worker))

    def all_taken() -> None:
        try:
            published = partial(publish, engine, POLICY, "li.na", SHARDS, now)
            at_once(partial(patiently, published), *(partial(taking, part) for part in parts))
        finally:
            ended.set()

    at_once(all_taken, *[deciding] * 4)
    recompute_groups(engine, range(SHARDS), SHARDS, now)
    engine.dispose()
    assert 0 == deadlocks(ledger, ledger_url)
    with ledger.connect() as connection:
        counted = connection.scalar(
            select(func.count()).select_from(tables.events).where(tables.events.c.disposition == "group")
        )
    assert (counted or 0) > 20
    assert_decided_as_offline(ledger, events, policies(POLICY))
    assert_replays(ledger)


def _cut(part: list[Delivery], rng: Random) -> Iterator[list[Delivery]]:
    """A partition in batches of one to three messages; the order within each topic stays."""
    while part:
        size = rng.randint(1, 3)
        yield part[:size]
        part = part[size:]
