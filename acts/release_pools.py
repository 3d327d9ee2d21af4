"""The pools' steps in the ledger: what their money covers is instructed (groups.md, 1 and 3; decision 0019)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from acts.ledger_act import LedgerJournal, ledger_act
from acts.load_world import add_persons, empty_world
from acts.remembered_persons import RememberedPersons
from handlers.claims.process import Processor
from handlers.claims.world import World
from handlers.pools.pool_money import PoolMoney
from handlers.pools.pool_step import Pool, does_something, plan, take_step, waiting_in
from infra.clock import Clock
from infra.ledger import alert_rows, pool_rows
from infra.ledger.pool_rows import Unfolded
from infra.sharding import shard_of
from schemas.facts import OnShortage
from schemas.ids import ClaimId, PersonId
from schemas.pool_records import PoolSide, PoolStep, WaitingBenefit

AT_ONCE = 200
"""So many pools are looked at for one transaction."""

CLAIMS_AT_ONCE = 100
"""So many benefits of a pool are released, or told to wait, by one step."""


def release_pools(
    engine: Engine,
    shards: Collection[int],
    shard_count: int,
    now: Clock,
    remembered: RememberedPersons | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> int:
    """Does the steps of some shards' pools until none has work; returns how many transactions that took.

    Ends early, after a transaction, when ``is_over``. Any process may do this for any shard: it holds the locks of the
    pools' shards and of those of all persons who are paid or told something, and no offsets move. Raises Contended, or
    what the database raises; then the work is still there.
    """
    rounds = 0
    while True:
        with engine.connect() as connection:
            waiting = pool_rows.waiting_pools(connection, shards, AT_ONCE)
            if not waiting or is_over():
                return rounds
            persons = _changed_by(gather(connection, waiting).pools)
        remembered = RememberedPersons() if remembered is None else remembered
        locked = {*waiting.values(), *(shard_of(person_id, shard_count) for person_id in persons)}
        with engine.begin() as connection, ledger_act(connection, locked, now) as journal:
            remembered.compare(journal.shards)
            world = empty_world(connection, shard_count)
            decide_pools(connection, journal, world, waiting, remembered)
        remembered.put_back(world, journal.shards)
        rounds += 1


def decide_waiting_pools(connection: Connection, journal: LedgerJournal, shard_count: int) -> None:
    """Does the steps of all pools that have work, in the transaction of an act that holds all shards."""
    while waiting := pool_rows.waiting_pools(connection, journal.shards, AT_ONCE):
        decide_pools(connection, journal, empty_world(connection, shard_count), waiting, RememberedPersons())
        journal.write()


def decide_pools(
    connection: Connection,
    journal: LedgerJournal,
    world: World,
    pool_ids: Iterable[str],
    remembered: RememberedPersons,
) -> None:
    """Does the steps of some pools as far as the journal holds their shards and those of the persons in their queues.

    What is out of reach, or too much for one step, is left as work for the next transaction.
    """
    journal.write()
    held = sorted(pool_id for pool_id in pool_ids if world.shard_of(pool_id) in journal.shards)
    gathered = gather(connection, held)
    steps, again = list[tuple[PoolStep, OnShortage | None]](), set[str]()
    for pool in gathered.pools:
        step, unfinished = plan(pool, lambda each: world.shard_of(each.person_id) in journal.shards, CLAIMS_AT_ONCE)
        if unfinished:
            again.add(pool.pool_id)
        if does_something(step):
            steps.append((step, pool.on_shortage))
    touched = {each[0] for step, _ in steps for each in (*step.released, *step.told)}
    waiting = [each for pool in gathered.pools for each in waiting_in(pool) if each.claim_id in touched]
    load_waiting(connection, world, waiting, remembered)
    processor = Processor(world, journal)
    for step, on_shortage in steps:
        take_step(processor, step, on_shortage)
    pool_rows.fold(connection, gathered.work, own_changes(journal, gathered.changed), again)


class PoolsFound(NamedTuple):
    """Some pools with the work that waits for their steps, which their money counts, and what that changes."""

    pools: list[Pool]
    work: list[Unfolded]
    changed: Counter[tuple[str, PoolSide, str]]


def gather(connection: Connection, pool_ids: Collection[str]) -> PoolsFound:
    """Pools as their steps find them; those without work are left out."""
    work = pool_rows.work_of(connection, pool_ids)
    names = sorted({each.pool_id for each in work})
    changed = Counter[tuple[str, PoolSide, str]]()
    for each in work:
        changed[each.pool_id, each.side, each.key] += each.amount
    money = {pool_id: PoolMoney() for pool_id in names}
    for pool_id, side, key, amount in pool_rows.sums_of(connection, names):
        money[pool_id].add(side, key, amount)
    for (pool_id, side, key), amount in changed.items():
        money[pool_id].add(side, key, amount)
    rules = {row.pool_id: OnShortage(row.on_shortage) for row in pool_rows.recorded(connection, names)}
    alerts = alert_rows.of_pools(connection, names)
    pools = [
        Pool(
            pool_id,
            rules.get(pool_id),
            money[pool_id],
            pool_rows.queue(connection, pool_id, CLAIMS_AT_ONCE),
            pool_rows.untold(connection, pool_id, CLAIMS_AT_ONCE),
            pool_rows.waiting_sum(connection, pool_id) if pool_id not in rules else 0,
            frozenset(code for name, code in alerts if name == pool_id),
        )
        for pool_id in names
    ]
    return PoolsFound(pools, work, changed)


def _changed_by(pools: Iterable[Pool]) -> set[PersonId]:
    """Whom the pools' steps would pay, or tell that they wait."""
    persons = set[PersonId]()
    for pool in pools:
        step, _ = plan(pool, lambda _: True, CLAIMS_AT_ONCE)
        claims = {each[0] for each in (*step.released, *step.told)}
        persons |= {each.person_id for each in waiting_in(pool) if each.claim_id in claims}
    return persons


def own_changes(
    journal: LedgerJournal, changed: Counter[tuple[str, PoolSide, str]]
) -> Counter[tuple[str, PoolSide, str]]:
    """What the pools' money changes by, with what their steps have just released, which is no work any more."""
    sums = Counter(changed)
    for each in journal.outcome.pool_work:
        sums[each.pool_id, each.side, each.key] += each.amount
    journal.outcome.pool_work.clear()
    return sums


def load_waiting(
    connection: Connection,
    world: World,
    waiting: Iterable[WaitingBenefit],
    remembered: RememberedPersons | None = None,
) -> None:
    """Puts into the world whatever changes when benefits that wait are released, or told to wait."""
    owners = {ClaimId(each.claim_id): each.person_id for each in waiting}
    persons = set(owners.values()) - world.accounts.keys()
    add_persons(connection, world, persons, RememberedPersons() if remembered is None else remembered)
    unknown = owners.keys() - world.decided.keys()
    if unknown:
        world.decided |= pool_rows.newest_decisions(connection, unknown)


def pool_money(connection: Connection, pool_id: str) -> PoolMoney:
    """What a pool has, with what waits for its step."""
    money = PoolMoney()
    for done in pool_rows.sums_of(connection, [pool_id]):
        money.add(done.side, done.key, done.amount)
    for waiting in pool_rows.work_of(connection, [pool_id]):
        money.add(waiting.side, waiting.key, waiting.amount)
    return money


def record_own_changes(connection: Connection, journal: LedgerJournal) -> None:
    """Adds what an act has just released to the pools' sums: no step has to look at it."""
    pool_rows.fold(connection, [], own_changes(journal, Counter()), ())
