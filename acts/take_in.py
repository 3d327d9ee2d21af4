"""One batch of events: gather from the ledger, decide, record, in one database transaction.

This is the only place where deliveries become ledger rows; the worker, the catch-up and the tests all use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from acts.ledger_act import LedgerJournal, ledger_act
from acts.load_world import load_world
from acts.recompute_groups import decide_groups
from acts.release_pools import decide_pools
from acts.remembered_persons import RememberedPersons
from handlers.claims.process import Processor
from handlers.claims.read import Reading
from handlers.claims.world import World
from handlers.days.close_day import take_message
from handlers.days.read_day import read_message
from infra.clock import Clock
from infra.ledger import day_rows, group_rows, pool_rows, reads
from infra.ledger.write import move_offsets
from infra.metrics.measured_batch import MeasuredBatch
from infra.sharding import shard_of
from schemas.closed_days import DayClosed
from schemas.records import Range


class GapInOffsets(Exception):
    """A range begins above what the ledger has: the messages between must be read first."""

    def __init__(self, topic: str, partition: int, next_offset: int) -> None:
        super().__init__(f"{topic}-{partition}: the ledger is at offset {next_offset}")
        self.topic, self.partition, self.next_offset = topic, partition, next_offset


class Taken(NamedTuple):
    """The ledger's new offsets of some partitions, and the shards of persons and pools that wait for their step."""

    offsets: dict[tuple[str, int], int]
    groups_wait: frozenset[int] = frozenset()


def take_in(
    engine: Engine,
    ranges: Sequence[Range],
    epochs: Mapping[int, int],
    shard_count: int,
    now: Clock,
    remembered: RememberedPersons | None = None,
) -> Taken:
    """Records ranges in the ledger and returns the ledger's new offsets of their partitions.

    Groups are decided too where the transaction holds the shards of all their persons, and wait otherwise. Messages
    that the ledger has already are skipped. Raises Fenced (another worker has taken a shard),
    GapInOffsets, Contended, or what the database raises; then nothing was written.

    ``remembered`` are the persons whom this process met last: they need not be loaded.
    """
    remembered = RememberedPersons() if remembered is None else remembered
    events = [(delivery, read_message(delivery)) for r in ranges for delivery in r.deliveries]
    partitions = {each.partition for each in ranges}
    persons_shards = {shard_of(r.fact.person_id, shard_count) for _, r in events if isinstance(r, Reading)}
    held = _held(epochs, partitions)
    groups_wait = frozenset[int]()
    batch, shards = MeasuredBatch(), partitions | persons_shards
    with engine.begin() as connection, batch.written(), ledger_act(connection, shards, now, held) as journal:
        offsets = reads.next_offsets(connection)
        ends = _new_ends(ranges, offsets)
        fresh = [event for event in events if event[0].offset >= offsets.get(event[0][:2], 0)]
        world = None
        if fresh:
            readings = [reading for _, reading in fresh if isinstance(reading, Reading)]
            remembered.compare(journal.shards)
            world = load_world(connection, readings, shard_count, remembered)
            days = {delivery.partition for delivery, found in fresh if isinstance(found, DayClosed)}
            if days:
                world.closed_days = day_rows.days_of_shards(connection, days)
            processor = Processor(world, journal)
            for delivery, found in fresh:
                take_message(processor, delivery, found)
            batch.holds((delivery.topic for delivery, _ in fresh), (each.code for each in journal.outcome.refusals))
            if journal.outcome.group_work:
                groups_wait = _decide_groups(connection, journal, world, remembered)
            if journal.pools or journal.outcome.pool_work:
                groups_wait |= _decide_pools(connection, journal, world, remembered)
        if ends:
            move_offsets(connection, ends)
    batch.committed()
    if world is not None:  # it was committed
        remembered.put_back(world, journal.shards)
    reached = {
        (each.topic, each.partition): max(each.end, offsets.get((each.topic, each.partition), 0)) for each in ranges
    }
    return Taken(reached, groups_wait)


def _decide_groups(
    connection: Connection, journal: LedgerJournal, world: World, remembered: RememberedPersons
) -> frozenset[int]:
    """Decides the groups that wait because of this batch as far as may be; returns the shards of the others."""
    work = journal.outcome.group_work
    persons = {each.person_id for each in work}
    moving = frozenset(each.person_id for each in work if each.moved)
    journal.write()
    decide_groups(connection, journal, world, group_rows.work_of(connection, persons), remembered, moving)
    return frozenset(each.shard for each in group_rows.work_of(connection, persons))


def _decide_pools(
    connection: Connection, journal: LedgerJournal, world: World, remembered: RememberedPersons
) -> frozenset[int]:
    """Does the steps of the pools that this batch woke as far as may be; returns the shards of the others."""
    journal.write()
    decide_pools(connection, journal, world, journal.pools, remembered)
    return frozenset(pool_rows.pools_with_work(connection, journal.pools))


def _held(epochs: Mapping[int, int], partitions: Iterable[int]) -> dict[int, int]:
    """The epochs to check. A partition that is not held gets epoch -1, which no shard ever has, so it is fenced."""
    return {partition: epochs.get(partition, -1) for partition in partitions}


def _new_ends(ranges: Sequence[Range], offsets: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    ends: dict[tuple[str, int], int] = {}
    for each in ranges:
        place = (each.topic, each.partition)
        reached = ends.get(place, offsets.get(place, 0))
        if each.start > reached:
            raise GapInOffsets(each.topic, each.partition, reached)
        if each.end > reached:
            ends[place] = each.end
    return ends
