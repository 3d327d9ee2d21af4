"""Faust's way to Kafka, reading only what was committed.

Faust reads uncommitted and aborted messages unless it writes transactions itself, and has no setting for it. A sender
may take back what it sent in a transaction, so nothing of it may reach the intake before it is committed.
"""

from __future__ import annotations

from typing import Any

from faust.transport.drivers import aiokafka


class _Thread(aiokafka.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # what its constructor's argument of that name sets
        return consumer


class _Consumer(aiokafka.Consumer):
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(aiokafka.Transport):
    """The aiokafka transport with ``isolation.level=read_committed``."""

    Consumer = _Consumer
