"""One batch: gather from the ledger, decide, record. One database transaction, so all of it happens or none.

This is the only place where deliveries become ledger rows; the worker, the catch-up and the tests all come here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache, partial

from sqlalchemy import Connection, Engine

from acts.payout_reads import load_payouts
from handlers.claims.account import Account
from handlers.claims.admit import Registry, VersionLine, claims_of_identity
from handlers.claims.process import Processor, World
from handlers.claims.read import Reading, read, recall
from infra.clock import Clock
from infra.ledger import reads
from infra.ledger.write import move_offsets, record
from infra.sharding import shard_of
from schemas.facts import PayoutReported, Subject
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy
from schemas.records import Delivery, Range, ShardState
from schemas.refusals import Refusal

Read = tuple[Delivery, Reading | Refusal]


class GapInOffsets(Exception):
    """A range begins above what the ledger has: the messages between must be read first."""

    def __init__(self, topic: str, partition: int, next_offset: int) -> None:
        super().__init__(f"{topic}-{partition}: the ledger is at offset {next_offset}")
        self.topic, self.partition, self.next_offset = topic, partition, next_offset


def take_in(
    engine: Engine,
    ranges: Sequence[Range],
    epochs: Mapping[int, int],
    shard_count: int,
    now: Clock,
) -> dict[tuple[str, int], int]:
    """Takes ranges into the ledger and returns the ledger's new offsets of their partitions.

    Messages that the ledger has already are passed over. Raises Fenced (a shard was taken by another worker),
    GapInOffsets, Contended, or what the database raises; then nothing was written.
    """
    events = [
        (delivery, read(delivery.value, delivery.key, delivery.topic)) for r in ranges for delivery in r.deliveries
    ]
    partitions = {each.partition for each in ranges}
    persons_shards = {shard_of(r.fact.person_id, shard_count) for _, r in events if isinstance(r, Reading)}
    with engine.begin() as connection:
        shards = reads.lock_shards(connection, partitions | persons_shards, _held(epochs, partitions))
        offsets = reads.next_offsets(connection)
        ends = _new_ends(ranges, offsets)
        fresh = [event for event in events if event[0].offset >= offsets.get(event[0][:2], 0)]
        if fresh:
            processor = Processor(world_of(connection, fresh, shards, shard_count), now())
            for delivery, reading in fresh:
                processor.take(delivery, reading)
            record(connection, processor.outcome, shards)
        if ends:
            move_offsets(connection, ends)
    return {
        (each.topic, each.partition): max(each.end, offsets.get((each.topic, each.partition), 0)) for each in ranges
    }


def _held(epochs: Mapping[int, int], partitions: Iterable[int]) -> dict[int, int]:
    """The epochs to check. A partition that is not held has epoch -1, which no shard ever has: it is fenced."""
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


def world_of(
    connection: Connection, events: Collection[Read], shards: dict[int, ShardState], shard_count: int
) -> World:
    """Everything that the processing of some events may look at."""
    readings = [reading for _, reading in events if isinstance(reading, Reading)]
    persons = {reading.fact.person_id for reading in readings}
    world = load_persons(connection, persons, shards, shard_count)
    world.registry = _registry(connection, readings)
    load_payouts(connection, world, {r.fact.payout_id for r in readings if isinstance(r.fact, PayoutReported)})
    return world


def load_persons(
    connection: Connection, persons: Collection[str], shards: dict[int, ShardState], shard_count: int
) -> World:
    """The accounts of some persons, with their claims and benefits as last decided."""
    policies = published_policies(tuple(reads.policy_texts(connection)))
    world = World(policies, partial(shard_of, shard_count=shard_count), shards)
    for value in reads.newest_facts(connection, persons):
        fact = recall(value)
        world.accounts.setdefault(fact.person_id, Account(fact.person_id)).apply(fact)
    world.claims = {row.claim_id: row for row in reads.decided_claims(connection, persons)}
    for row in reads.held_benefits(connection, world.claims.keys()):
        world.benefits.setdefault(row.claim_id, {})[row.scheme_id] = row
    return world


def _registry(connection: Connection, readings: Iterable[Reading]) -> Registry:
    wanted = {subject for reading in readings for subject in claims_of_identity(reading.fact)}
    owners, versions = reads.lines(connection, wanted)
    registry: Registry = {
        Subject(row.kind, row.subject_id): VersionLine(row.person_id, row.encounter_id, bound=True) for row in owners
    }
    for subject, version, content_sha256 in versions:
        if subject in registry:  # else another shard has bound it since: recording will find that out (Contended)
            registry[subject].contents[version] = content_sha256
    return registry


@lru_cache(maxsize=8)
def published_policies(texts: tuple[str, ...]) -> Policies:
    """The policies of published files; parsed once, as they are immutable."""
    return Policies(tuple(parse_policy(text) for text in texts))
