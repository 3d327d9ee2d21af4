"""A simulated Kafka whose broker dies at a commit and forgets the markers of the transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from sqlalchemy import Engine

from infra.settings import Settings
from schemas.topics import AUDIT, INSTRUCTIONS, RELAY_CURSORS
from stream.outbound.relay import ShardRelay
from tests.simulation.faults import Faults
from tests.simulation.simulated_kafka import SimulatedKafka, SimulatedProducer, SimulatedReader
from tests.support.builders import SHARDS
from tests.support.ledgers import person_of_shard
from tests.support.outbox import waiting_messages

SHARD = 1
PERSON = person_of_shard(SHARD)
ALL = (AUDIT.name, INSTRUCTIONS.name, RELAY_CURSORS.name)

Forgetting = Callable[[SimulatedKafka, str], None]


class Broker:
    """A Kafka whose broker dies at the next commit, and what it forgets by that."""

    def __init__(self) -> None:
        self.kafka = SimulatedKafka()
        self.faults = Faults(Random(1))
        self.faults.on = False
        self.dies: Forgetting | None = None
        self.answers = False

    def relay(self, ledger: Engine, **settings: Any) -> ShardRelay:
        return ShardRelay(
            ledger,
            "",
            SHARD,
            Settings(shards=SHARDS, **settings),
            lambda _, name: Producer(self, name),
            lambda _: SimulatedReader(self.kafka, self.faults),
            self.kafka.end_forgotten,
        )

    def send(self, ledger: Engine) -> None:
        """A relay starts, and sends until nothing is left."""
        relay = self.relay(ledger)
        relay.start()
        while relay.step():
            pass

    def visible(self, topic: str) -> list[bytes]:
        return [stored.value or b"" for _, stored in self.kafka.committed((topic, SHARD))]

    def assert_exact(self, ledger: Engine, insurers: Sequence[str] = ()) -> None:
        """Readers see all that the ledger has sent, once; also in the topics of insurers."""
        payouts = Counter(json.loads(value)["payout_id"] for value in self.visible(INSTRUCTIONS.name))
        entries = [json.loads(value)["seq"] for value in self.visible(AUDIT.name)]
        with ledger.connect() as connection:
            known = connection.exec_driver_sql("SELECT payout_id FROM instructions").scalars().all()
        assert Counter(known) == payouts
        assert list(range(1, len(entries) + 1)) == entries
        assert [] == [row for row in waiting_messages(ledger) if row.shard == SHARD]
        for topic in (*ALL, *insurers):
            assert len(self.kafka.logs[topic, SHARD]) == self.kafka.stable_end((topic, SHARD)), topic


class Producer(SimulatedProducer):
    """Commits as is planned for this broker."""

    def __init__(self, broker: Broker, name: str) -> None:
        super().__init__(broker.kafka, broker.faults, name, lambda: None)
        self._broker, self._name = broker, name

    def commit_transaction(self, timeout: float, /) -> None:
        forget, self._broker.dies = self._broker.dies, None
        if forget is None:
            return super().commit_transaction(timeout)
        forget(self._broker.kafka, self._name)
        self.disturbed = True
        if not self._broker.answers:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT, "the broker died"))


def forgetting(*marked: str, commit: bool = True) -> Forgetting:
    """Markers are written in these topics only."""

    def forget(kafka: SimulatedKafka, name: str) -> None:
        kafka.forget(name, [(topic, SHARD) for topic in marked], commit)

    return forget
