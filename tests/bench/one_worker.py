"""A worker without Kafka that holds all shards, remembers whom it met, and does the steps that its batches leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from infra.ledger import reads
from infra.sharding import shard_of
from schemas.records import Delivery, Range
from schemas.topics import address
from tests.bench.stage import SHARDS


class OneWorker:
    """Takes batches of events, each after those that the ledger has of its topic and shard."""

    def __init__(self, engine: Engine, moment: datetime, clock: Callable[[], float]) -> None:
        """``clock`` counts seconds: of the processor, or those that pass."""
        self._engine, self._moment, self._clock = engine, moment, clock
        self._known = RememberedPersons(facts_max=100_000)
        with engine.begin() as connection:
            self._epochs = reads.take_shards(connection, range(SHARDS))
        with engine.connect() as connection:
            self._reached = reads.next_offsets(connection)

    def take(self, events: Sequence[bytes]) -> float:
        """The seconds that a batch takes, with its steps."""
        parts = defaultdict[tuple[str, int], list[Delivery]](list)
        for event in events:
            topic, key = address(event)
            assert key is not None
            place = topic, shard_of(key.decode(), SHARDS)
            at = self._reached.get(place, 0) + len(parts[place])
            parts[place].append(Delivery(*place, at, key, event))
        ranges = [Range(*place, part[0].offset, part[-1].offset + 1, tuple(part)) for place, part in parts.items()]
        started = self._clock()
        taken = take_in(self._engine, ranges, self._epochs, SHARDS, self._now, self._known)
        if taken.groups_wait:
            recompute_groups(self._engine, taken.groups_wait, SHARDS, self._now, self._known)
        spent = self._clock() - started
        self._reached.update(taken.offsets)
        return spent

    def _now(self) -> datetime:
        return self._moment
