"""A simulated relay process: the real shard relays over simulated transactions."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from confluent_kafka import KafkaException
from sqlalchemy import Engine

from infra.settings import Settings
from stream.outbound.relay import ShardRelay, TransactionalProducer
from stream.retry import is_fenced
from tests.simulation.faults import Faults
from tests.simulation.simulated_kafka import SimulatedKafka, SimulatedProducer, SimulatedReader


class RelayProcess:
    """The relays of all shards, driven as `stream.outbound.relay_process` drives them, one step at a time.

    ``overtake`` starts another relay of a shard while this one stands still in the middle of a commit.
    """

    is_relay = True

    def __init__(
        self,
        engine: Engine,
        kafka: SimulatedKafka,
        settings: Settings,
        faults: Faults,
        overtake: Callable[[int], None],
    ) -> None:
        self.alive = True
        self._kafka, self._faults, self._overtake = kafka, faults, overtake
        self._started: set[int] = set()
        self._relays = [
            ShardRelay(
                engine,
                "simulated",
                shard,
                settings,
                producer=self._producer,
                reader=lambda _: SimulatedReader(kafka, faults),
                end_forgotten=kafka.end_forgotten,
            )
            for shard in range(settings.shards)
        ]

    def die(self) -> None:
        self.alive = False

    def act(self, rng: Random) -> None:
        """One step of some shard's relay."""
        self.relay(rng.randrange(len(self._relays)))

    def relay(self, shard: int) -> int:
        """Starts the shard's relay if that has to come first, and sends once. Returns how many messages were sent."""
        relay = self._relays[shard]
        try:
            if shard not in self._started:
                relay.start()
                self._started.add(shard)
            return relay.step()
        except KafkaException as error:
            if is_fenced(error):
                raise
            self._started.discard(shard)  # unknown outcome: ask Kafka how far it came
            return 0

    def _producer(self, _bootstrap: str, transactional_id: str) -> TransactionalProducer:
        shard = int(transactional_id.rpartition("-")[2])
        return SimulatedProducer(self._kafka, self._faults, transactional_id, lambda: self._overtake(shard))
