"""Filling a ledger without Kafka: events straight into `acts.take_in`, as if they had been delivered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import Engine, text

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from infra.ledger import reads
from infra.ledger.write import move_offsets
from infra.sharding import shard_of
from schemas.records import Delivery, Range
from schemas.topics import INBOUND, address
from tests.bench.stage import SHARDS

BATCH = 500
FAR = 10**12
"""For ``first_offset``: filled events that start here do not meet those of a measurement, which start at 0."""


def fill(engine: Engine, messages: Iterable[bytes], first_offset: int = 0) -> int:
    """Takes messages into an empty ledger in batches, as one worker does, and returns how many they were."""
    reached = {(topic.name, shard): first_offset for topic in INBOUND for shard in range(SHARDS)}
    with engine.begin() as connection:
        epochs = reads.take_shards(connection, range(SHARDS))
        move_offsets(connection, reached)
    taken, remembered = 0, RememberedPersons()
    remaining = iter(messages)
    while batch := list(islice(remaining, BATCH)):
        ranges = list(_ranges(batch, reached))
        waiting = take_in(engine, ranges, epochs, SHARDS, lambda: datetime.now(UTC), remembered).groups_wait
        if waiting:
            recompute_groups(engine, waiting, SHARDS, lambda: datetime.now(UTC), remembered)
        taken += len(batch)
    return taken


def as_if_long_ago(engine: Engine) -> None:
    """Lets a filled ledger stand before new topics: nothing left to send, and every offset at its beginning.

    The guard against a sequence that goes backwards is put aside for that.
    """
    with engine.begin() as connection:
        for statement in (
            "DELETE FROM offsets",
            "TRUNCATE outbox, outbox_batches",
            "UPDATE relays SET relayed_seq = 0",
            "ALTER TABLE shards DISABLE TRIGGER ALL",
            "UPDATE shards SET outbox_seq = 0",
            "ALTER TABLE shards ENABLE TRIGGER ALL",
        ):
            connection.execute(text(statement))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _ranges(batch: list[bytes], reached: dict[tuple[str, int], int]) -> Iterator[Range]:
    places: dict[tuple[str, int], list[Delivery]] = defaultdict(list)
    for value in batch:
        topic, key = address(value)
        shard = shard_of((key or b"").decode(), SHARDS)
        held = places[topic, shard]
        held.append(Delivery(topic, shard, reached[topic, shard] + len(held), key, value))
    for (topic, shard), deliveries in sorted(places.items()):
        start = reached[topic, shard]
        reached[topic, shard] = start + len(deliveries)
        yield Range(topic, shard, start, start + len(deliveries), tuple(deliveries))
