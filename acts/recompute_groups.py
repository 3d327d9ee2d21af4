"""The group step in the ledger: those whom households link are decided together (groups.md, 1; decision 0018)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from sqlalchemy import Connection, Engine

from acts.ledger_act import LedgerJournal, ledger_act
from acts.load_world import add_persons, empty_world
from acts.release_pools import decide_waiting_pools, release_pools
from acts.remembered_persons import RememberedPersons
from handlers.claims.group_step import recompute_group
from handlers.claims.households import linked
from handlers.claims.process import Processor
from handlers.claims.twice import is_invoice
from handlers.claims.world import World
from infra.clock import Clock
from infra.ledger import group_rows
from infra.ledger.group_rows import Work
from infra.sharding import shard_of
from schemas.ids import PersonId
from schemas.records import GroupStep

AT_ONCE = 200
"""So many rows of the queue are looked at for one transaction."""


def recompute_groups(
    engine: Engine,
    shards: Collection[int],
    shard_count: int,
    now: Clock,
    remembered: RememberedPersons | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> int:
    """Decides the groups that wait because of events of some shards, until none waits; returns how many that were.

    Then does the steps of the pools that wait because of these events. Ends early, after a transaction, when
    ``is_over``.

    Any process may do this for any shard: it holds the locks of all members' shards, and no offsets move. Raises
    Contended, or what the database raises; then the group still waits.
    """
    remembered = RememberedPersons() if remembered is None else remembered
    steps, pools = 0, set[str]()
    while True:
        with engine.connect() as connection:
            waiting = group_rows.waiting(connection, shards, AT_ONCE)
            if not waiting or is_over():
                break
            persons = group_rows.links(connection, waiting)
        locked = {shard_of(person_id, shard_count) for person_id in persons}
        with engine.begin() as connection, ledger_act(connection, locked, now) as journal:
            remembered.compare(journal.shards)
            world = empty_world(connection, shard_count)
            decided = decide_groups(connection, journal, world, waiting, remembered)
        remembered.put_back(world, journal.shards)
        steps, pools = steps + decided, pools | journal.pools
    of_pools = {shard_of(pool_id, shard_count) for pool_id in pools}
    return steps + release_pools(engine, of_pools.union(shards), shard_count, now, remembered, is_over)


def decide_waiting(connection: Connection, journal: LedgerJournal, shard_count: int) -> None:
    """Decides all groups that wait, in the transaction of an act that holds all shards."""
    while work := group_rows.waiting(connection, journal.shards, AT_ONCE):
        world = empty_world(connection, shard_count)
        decide_groups(connection, journal, world, work, RememberedPersons())
        journal.write()
    decide_waiting_pools(connection, journal, shard_count)


def decide_groups(
    connection: Connection,
    journal: LedgerJournal,
    world: World,
    work: Iterable[Work],
    remembered: RememberedPersons,
    moving: frozenset[PersonId] = frozenset(),
) -> int:
    """Decides the groups of some work as far as the journal holds the shards of all their persons; returns how many.

    A group of somebody who is ``moving``, as their membership is not committed yet, is left to the next transaction.
    So of two who join a household at once, whoever is decided last sees both. What a step sends has the traceparent of
    the newest event that queued one of its persons and had one.
    """
    links = group_rows.links(connection, work)
    groups = [
        group
        for group in linked(links)
        if moving.isdisjoint(group) and all(world.shard_of(person_id) in journal.shards for person_id in group)
    ]
    queued = group_rows.work_of(connection, [person_id for group in groups for person_id in group])
    waiting, moved = {each.person_id for each in queued}, {each.person_id for each in queued if each.moved}
    steps = [
        GroupStep(group, [person_id for person_id in group if person_id in moved])
        for group in groups
        if not waiting.isdisjoint(group)  # another process may have been faster
    ]
    if not steps:
        return 0
    persons = {person_id for step in steps for person_id in step.persons}
    add_persons(connection, world, persons - world.accounts.keys(), remembered)
    invoices = {link for person_id in persons for link in links[person_id] if is_invoice(link)}
    if invoices:
        first, shared = group_rows.invoices_named(connection, invoices, persons)
        world.invoices |= first
        world.shared |= shared
    processor = Processor(world, journal)
    last = {each.person_id: each for each in queued if each.traceparent}
    for step in steps:
        traced = [last[person_id] for person_id in step.persons if person_id in last]
        recompute_group(processor, step, max(traced).traceparent if traced else None)
    group_rows.done(connection, queued)
    return len(steps)
