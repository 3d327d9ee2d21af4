"""Faust's way to Kafka, reading only what was committed and only what the ledger does not have.

Faust reads uncommitted and aborted messages unless it writes transactions itself, and has no setting for it. A sender
may take back what it sent in a transaction, so nothing of it may reach the intake before it is committed.

After a start the intake reads a backlog directly, in bulk. Faust would deliver all of it once more, one event object
after the other, for the intake to pass over. So nothing is fetched while the intake reads; what the ledger has reached
by then is dropped as it comes from the broker, and the consumer goes on behind it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from faust.transport.drivers import aiokafka

FETCH_WAIT_MS = 20
"""Longest wait of the broker for the first message. While a fetch waits, nothing that comes for a partition left out of
it is seen; Faust's own 1.5 seconds can be felt at the cashier's."""


REST_SECONDS = 0.05
"""How often a consumer that rests looks whether the intake has come to the end."""


class Position(Protocol):
    """Where the intake stands. Asked from another thread; an answer that is too old costs time only."""

    reads_backlog: bool

    def reached(self, topic: str, partition: int) -> int: ...


class _Thread(aiokafka.AIOKafkaConsumerThread):
    @property
    def _position(self) -> Position:
        transport: Any = self.consumer.transport
        position: Position = transport.position
        return position

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # What its constructor's arguments of these names set; Faust does not hand them on.
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def _fetch_records(self, consumer: Any, *given: Any, **options: Any) -> Any:
        if self._position.reads_backlog:
            with consumer._fetcher._subscriptions.fetch_context():  # a member that rests is not taken to be stuck
                await asyncio.sleep(REST_SECONDS)
            return {}
        records = await super()._fetch_records(consumer, *given, **options)
        return {place: news for place, found in records.items() if (news := self._news(consumer, place, found))}

    def _news(self, consumer: Any, place: Any, found: list[Any]) -> list[Any]:
        """The records of a partition that the ledger has not reached."""
        reached = self._position.reached(place.topic, place.partition)
        if found[0].offset >= reached:
            return found
        if found[-1].offset < reached - 1 and place in consumer.assignment():
            consumer.seek(place, reached)
        return [record for record in found if record.offset >= reached]


class _Consumer(aiokafka.Consumer):
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(aiokafka.Transport):
    """The aiokafka transport with ``isolation.level=read_committed``, behind the intake."""

    Consumer = _Consumer

    def __init__(self, url: Any, app: Any, position: Position) -> None:
        super().__init__(url, app)
        self.position = position
