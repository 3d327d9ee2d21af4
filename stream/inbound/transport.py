"""Faust's transport, reading only committed messages, and only those that the ledger does not have.

Faust reads uncommitted and aborted messages unless it writes transactions itself, and has no setting for this. A sender
can abort a transaction, so none of its messages may reach the intake before they are committed.

After a start the intake reads a backlog directly, in bulk. Faust would deliver all of it again, one event object at a
time, for the intake to skip. So nothing is fetched while the intake reads; messages that the ledger has by then are
dropped as they arrive, and the consumer continues after them.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from faust.transport.drivers import aiokafka

from infra.kafka.names import KafkaNames

FETCH_WAIT_MS = 20
"""How long the broker may wait for the first message of a fetch. While a fetch waits, messages for a partition that it
left out are not seen; with Faust's own 1.5 seconds a cashier would notice."""


REST_SECONDS = 0.05
"""How often a resting consumer checks whether the intake has finished."""


class Position(Protocol):
    """How far the intake is. Read from another thread; a stale answer only costs time."""

    @property
    def reads_backlog(self) -> bool: ...

    def reached(self, topic: str, partition: int) -> int: ...


class InKafka:
    """A position that is asked by the topics' names in Kafka."""

    def __init__(self, position: Position, names: KafkaNames) -> None:
        self._position, self._names = position, names

    @property
    def reads_backlog(self) -> bool:
        return self._position.reads_backlog

    def reached(self, topic: str, partition: int) -> int:
        return self._position.reached(self._names.ours(topic), partition)


class _Thread(aiokafka.AIOKafkaConsumerThread):
    @property
    def _position(self) -> Position:
        transport: Any = self.consumer.transport
        position: Position = transport.position
        return position

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Its constructor has arguments for these, but Faust does not pass them on.
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def _fetch_records(self, consumer: Any, *given: Any, **options: Any) -> Any:
        if self._position.reads_backlog:
            with consumer._fetcher._subscriptions.fetch_context():  # so that a resting member is not reported as stuck
                await asyncio.sleep(REST_SECONDS)
            return {}
        records = await super()._fetch_records(consumer, *given, **options)
        new = {place: unreached(consumer, place, found, self._position) for place, found in records.items()}
        return {place: found for place, found in new.items() if found}


def unreached(consumer: Any, place: Any, found: list[Any], position: Position) -> list[Any]:
    """The records of a partition that the ledger has not reached.

    Where the ledger is further than all of them, the consumer goes on behind it, if the partition is still assigned.
    """
    reached = position.reached(place.topic, place.partition)
    if found[0].offset >= reached:
        return found
    if found[-1].offset < reached - 1 and place in consumer.assignment():
        consumer.seek(place, reached)
    return [record for record in found if record.offset >= reached]


class _Consumer(aiokafka.Consumer):
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(aiokafka.Transport):
    """The aiokafka transport with ``isolation.level=read_committed``, behind the intake's position."""

    Consumer = _Consumer

    def __init__(self, url: Any, app: Any, position: Position) -> None:
        super().__init__(url, app)
        self.position = position
