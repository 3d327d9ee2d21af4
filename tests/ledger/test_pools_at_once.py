"""Eight workers over one queue: no deadlock, never more released than the pool has, nothing double or forgotten."""

from __future__ import annotations

from functools import partial
from random import Random
from threading import Event

import pytest
from sqlalchemy import Engine

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from infra.ledger.schema import connect
from schemas.records import Delivery
from tests.support.acts import publish
from tests.support.builders import SHARDS, Json, bill, contribution, contribution_void, pool
from tests.support.deadlocks import deadlocks
from tests.support.ledgers import at_once, held, in_order, patiently, ranges, ticking
from tests.support.length import times
from tests.support.pools import POOL_POLICY, villager
from tests.support.village import Village, guard_the_balance

POOLS = ("V1", "V2")


def lives(rng: Random) -> list[Json]:
    """Members of two pools whose stays are billed more than once, and money that comes in small sums."""
    events: list[Json] = [pool(name) for name in POOLS]
    for number in range(40):
        name, day = f"P{number}", f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        events += villager(name, day, rng.randrange(10, 300, 10), rng.choice(POOLS))
        for version in range(2, rng.choice((2, 3, 4))):
            copay = 2000 + 2 * rng.randrange(10, 300, 10)
            events.append(bill(f"S-{name}", f"E-{name}", copay, version=version, person_id=name))
    events += [contribution(f"G{number}", rng.choice(POOLS), rng.randrange(20, 300)) for number in range(30)]
    events += [contribution_void(f"N{number}", rng.choice(POOLS)) for number in range(3)]
    rng.shuffle(events)
    return events


@pytest.mark.parametrize("seed", range(times(1, 4)))
def test_eight_workers_serve_queues_without_a_deadlock(ledger: Engine, ledger_url: str, seed: int) -> None:
    """Four take in what comes, each a partition; four do the steps of any pool. The balance holds at every commit."""
    rng, now = Random(seed), ticking()
    guard_the_balance(ledger)
    publish(ledger, POOL_POLICY, "li.na", SHARDS, now)
    events, epochs, ended = lives(rng), held(ledger), Event()
    parts = [[each for each in in_order(events) if each.partition == shard] for shard in range(SHARDS)]
    engine = connect(ledger_url, pool=12)

    def taking(part: list[Delivery]) -> None:
        worker, sizes = RememberedPersons(), Random(seed)
        while part:
            size = sizes.randint(1, 3)
            batch, part = part[:size], part[size:]
            waiting = patiently(partial(take_in, engine, ranges(batch), epochs, SHARDS, now, worker)).groups_wait
            patiently(partial(recompute_groups, engine, waiting, SHARDS, now, worker))

    def releasing() -> None:
        worker = RememberedPersons()
        while not ended.is_set():
            patiently(partial(recompute_groups, engine, range(SHARDS), SHARDS, now, worker))

    def all_taken() -> None:
        try:
            at_once(*(partial(taking, part) for part in parts))
        finally:
            ended.set()

    at_once(all_taken, *[releasing] * 4)
    recompute_groups(engine, range(SHARDS), SHARDS, now)
    engine.dispose()
    assert 0 == deadlocks(ledger, ledger_url)
    village = Village(ledger, policy=None, guarded=False)
    assert village.orders()
    village.check()
    _assert_served(village)


def _assert_served(village: Village) -> None:
    """Of each pool the first who waits is not covered by what is left."""
    first = dict[str, tuple[str, str, int]]()
    for claim_id, amount in village.waiting().items():
        benefit = village.decisions(claim_id)[-1]["benefits"][0]
        place = (village.discharged_on(claim_id), claim_id, amount)
        first[benefit["pool_id"]] = min(place, first.get(benefit["pool_id"], place))
    assert first
    for pool_id, (_, _, amount) in first.items():
        assert 0 <= village.balance(pool_id) < amount
