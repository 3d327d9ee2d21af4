"""From the ledger to Kafka: each outbox message exactly once, in order, whatever dies.

Every shard has one transactional id. A starting relay fences the previous one, which also settles its last transaction,
reads the shard's cursor from `relay.cursors`, and continues after it. Messages and the new cursor are written in one
Kafka transaction. The ledger is updated afterwards, only to clear its outbox: it never decides what to send next.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Producer
from sqlalchemy import Engine

from acts.reader import Reader
from infra.kafka import client_security
from infra.ledger import outbox_rows
from infra.settings import Settings
from schemas.records import OutboxRow
from schemas.topics import MESSAGE_BYTES_MAX, RELAY_CURSORS
from stream.inbound.partition_reader import RangeReader
from stream.outbound.cloudevents import Headers, headers_of

log = logging.getLogger(__name__)

TRANSACTION_SECONDS_MAX = 30.0
BATCH_BYTES_MAX = 16 * 1024 * 1024
"""At least two of the largest messages; bounds the memory of one transaction."""


class CursorLost(Exception):
    """Kafka's cursor and the ledger contradict each other: continuing would pay twice, or never."""


class TransactionalProducer(Protocol):
    """What a relay uses of `confluent_kafka.Producer`."""

    def init_transactions(self, timeout: float, /) -> None: ...

    def begin_transaction(self) -> None: ...

    def produce(
        self,
        topic: str,
        /,
        *,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        headers: Headers | None = None,
    ) -> None: ...

    def poll(self, timeout: float, /) -> int: ...

    def commit_transaction(self, timeout: float, /) -> None: ...


def transactional_producer(bootstrap: str, transactional_id: str) -> TransactionalProducer:
    """A producer that has not yet fenced the previous one."""
    return Producer(
        {
            **client_security.confluent(bootstrap),
            "transactional.id": transactional_id,
            "transaction.timeout.ms": int(TRANSACTION_SECONDS_MAX * 1000),
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "linger.ms": 2,
            "log_level": 3,
        }
    )


class ShardRelay:
    """The relay of one shard. Not thread-safe."""

    def __init__(
        self,
        engine: Engine,
        bootstrap: str,
        shard: int,
        settings: Settings,
        producer: Callable[[str, str], TransactionalProducer] = transactional_producer,
        reader: Callable[[str], AbstractContextManager[Reader]] = RangeReader,
    ) -> None:
        """``producer`` (of bootstrap and transactional id) and ``reader`` (of bootstrap) connect to Kafka."""
        self._engine = engine
        self._bootstrap = bootstrap
        self._shard = shard
        self._limit = settings.relay_batch
        self._new_producer = producer
        self._new_reader = reader
        self._producer: TransactionalProducer | None = None
        self._cursor = 0

    def start(self) -> None:
        """Fences the previous relay and reads how far it got. Raises CursorLost, KafkaException, DBAPIError."""
        self._producer = self._new_producer(self._bootstrap, f"huzhu-relay-{self._shard}")
        self._producer.init_transactions(TRANSACTION_SECONDS_MAX)
        with self._new_reader(self._bootstrap) as reader:
            self._cursor = read_cursor(reader, self._shard)
        with self._engine.connect() as connection:
            cleared = outbox_rows.last_sent(connection, self._shard)
            written = outbox_rows.last_written(connection, self._shard)
        if self._cursor < cleared:
            raise CursorLost(
                f"shard {self._shard}: {RELAY_CURSORS.name} says {self._cursor}, but the ledger knows {cleared} "
                "as sent: the topic was lost or this is another cluster. Restore it; nothing was sent"
            )
        if self._cursor > written:
            raise CursorLost(
                f"shard {self._shard}: {RELAY_CURSORS.name} says {self._cursor}, but the ledger has written only "
                f"{written}: it is an older copy, or another ledger's topics. Restore the newest; nothing was sent"
            )
        if self._cursor > cleared:
            self._clear()  # the previous relay died between its commit and this
        log.info("shard %s: relaying from %s", self._shard, self._cursor + 1)

    def progress(self) -> tuple[int, int]:
        """Numbers of the newest message that the ledger knows as sent, by whatever relay, and of the newest of all."""
        with self._engine.connect() as connection:
            sent = outbox_rows.last_sent(connection, self._shard)
            return sent, outbox_rows.last_written(connection, self._shard)

    def step(self, before_commit: Callable[[], None] = lambda: None) -> int:
        """Sends the next messages as one transaction and returns how many. ``before_commit`` is for fault tests.

        Raises KafkaException if the commit failed or its outcome is unknown, and DBAPIError if the ledger failed: call
        `start` before the next step, which settles either.
        """
        rows = self._waiting()
        if not rows:
            return 0
        producer = self._producer
        assert producer is not None, "start() comes before step()"
        producer.begin_transaction()
        for row in rows:
            self._produce(producer, row.topic, row.key, row.value)
        cursor = json.dumps({"shard": self._shard, "seq": rows[-1].seq}).encode()
        self._produce(producer, RELAY_CURSORS.name, str(self._shard).encode(), cursor)
        before_commit()
        producer.commit_transaction(TRANSACTION_SECONDS_MAX)
        self._cursor = rows[-1].seq
        self._clear()
        return len(rows)

    def _waiting(self) -> list[OutboxRow]:
        """The next messages, as many as fit; a single one can be larger."""
        with self._engine.connect() as connection:
            rows = outbox_rows.waiting(connection, self._shard, self._cursor, self._limit, BATCH_BYTES_MAX)
            for number, row in enumerate(rows, start=self._cursor + 1):
                if row.seq != number:
                    if outbox_rows.last_sent(connection, self._shard) > self._cursor:
                        raise KafkaException(KafkaError(KafkaError._FENCED, "a newer relay sends for this shard", True))
                    raise CursorLost(f"shard {self._shard}: outbox has {row.seq} after {number - 1}")
        return rows

    def _produce(self, producer: TransactionalProducer, topic: str, key: bytes | None, value: bytes) -> None:
        while True:
            try:
                producer.produce(topic, value=value, key=key, partition=self._shard, headers=headers_of(topic, value))
                return
            except BufferError:  # the client's queue is full: let it send
                producer.poll(0.1)

    def _clear(self) -> None:
        """Deletes the messages that Kafka has, and records how far that is."""
        with self._engine.begin() as connection:
            outbox_rows.clear(connection, self._shard, self._cursor)


def read_cursor(reader: Reader, shard: int) -> int:
    """The last outbox number in a shard's committed transactions; 0 if there are none."""
    place = (RELAY_CURSORS.name, shard)
    first, end = reader.ends([place])[place]
    start, reach = end, 16
    while start > first:
        start = max(first, end - reach)
        cursors = reader.read(*place, start, end, limit=reach + 1).deliveries
        if cursors:
            return int(json.loads(cursors[-1].value or b"")["seq"])
        reach *= 4
    return 0
