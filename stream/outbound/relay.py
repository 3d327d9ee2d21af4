"""From the ledger to Kafka: each outbox message exactly once, in order, whatever dies.

Every shard has one transactional id. A starting relay fences the previous one, which also settles its last transaction
(where Kafka forgets to: `stream.outbound.forgotten`), reads the shard's cursor from `relay.cursors`, checks that it is
this ledger's (`stream.outbound.cursors`), and goes on after it. Messages and the new cursor are written in one Kafka
transaction, and so is the copy of an instruction or a statement for its insurer. The ledger is updated afterwards,
before the next transaction, only to clear its outbox: it never decides what to send next.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer
from sqlalchemy import Engine

from acts.adopt_ledger import mark_of, money_of
from acts.reader import Reader
from infra.kafka import client_security
from infra.kafka.names import KafkaNames
from infra.ledger import outbox_rows
from infra.ledger.identity import Identity, identity
from infra.ledger.outbox_rows import Sent
from infra.metrics.instruments import instruments
from infra.settings import Settings
from infra.tracing import SpanKind, traced
from schemas.access.kafka_rights import RELAY_TRANSACTIONS
from schemas.canonical import NO_HASH
from schemas.metrics import Metric
from schemas.records import OutboxRow
from schemas.topics import MESSAGE_BYTES_MAX, RELAY_CURSORS, insurer_topic_of
from schemas.traceparent import TRACEPARENT
from stream.inbound.partition_reader import RangeReader
from stream.outbound import forgotten
from stream.outbound.cloudevents import Headers, headers_of, source_of
from stream.outbound.cursors import Cursor, look
from stream.outbound.read_ahead import ReadAhead

log = logging.getLogger(__name__)

TRANSACTION_SECONDS_MAX = 30.0
WAS_CONNECTED = "in state UP"
"""In librdkafka's words about a connection that was lost. A broker that cannot be reached has other states."""


class TransactionalProducer(Protocol):
    """What a relay uses of `confluent_kafka.Producer`, and whether a broker was lost since it started."""

    disturbed: bool

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


class _Producer(Producer):
    """Notes that a connection was lost; that a broker cannot be reached is no news of a transaction."""

    def __init__(self, options: dict[str, Any], names: KafkaNames) -> None:
        self.disturbed = False
        self._names = names
        super().__init__({**options, "error_cb": self._note})

    def produce(self, topic: str, *given: Any, **options: Any) -> None:
        super().produce(self._names.in_kafka(topic), *given, **options)

    def _note(self, error: KafkaError) -> None:
        self.disturbed = self.disturbed or WAS_CONNECTED in error.str()


def transactional_producer(bootstrap: str, transactional_id: str) -> TransactionalProducer:
    """A producer that has not yet fenced the previous one, for topics as the program calls them."""
    names = KafkaNames.in_force()
    return _Producer(
        {
            **client_security.confluent(bootstrap),
            "transactional.id": names.in_kafka(transactional_id),
            "transaction.timeout.ms": int(TRANSACTION_SECONDS_MAX * 1000),
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "linger.ms": 2,
            "log_level": 3,
        },
        names,
    )


def transactional_id(shard: int) -> str:
    """Under which whoever sends for a shard fences the one before."""
    return f"{RELAY_TRANSACTIONS}{shard}"


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
        end_forgotten: Callable[[str, str, int, bool, Sequence[str]], None] = forgotten.end,
    ) -> None:
        """What connects to Kafka: ``producer`` of bootstrap and transactional id, ``reader`` of bootstrap,
        ``end_forgotten`` as `stream.outbound.forgotten.end`.
        """
        self._engine = engine
        self._bootstrap = bootstrap
        self._shard = shard
        self._ahead = ReadAhead(engine, shard, settings.relay_batch)
        self._promoted = settings.after_promotion == "continue"
        self._new_producer = producer
        self._new_reader = reader
        self._end_forgotten = end_forgotten
        self._producer: TransactionalProducer | None = None
        self._sent = Sent(0, NO_HASH)
        self._ledger = ""
        self._leaves_out = False
        self._source = source_of(settings.prefix)

    def start(self) -> None:
        """Fences the previous relay and reads how far it got. Raises LedgerRefused, KafkaException, DBAPIError."""
        with self._engine.begin() as connection:
            mine = identity(connection)
        self._fence()
        self._ahead.forget()
        with self._new_reader(self._bootstrap) as reader:
            self._settle(reader, mine)
            cursor, known, self._sent = look(self._engine, reader, self._shard, mine, promoted=self._promoted)
        with self._engine.connect() as connection:
            self._leaves_out = outbox_rows.has_sent_before(connection, self._shard)
        self._ledger = mine.id
        if cursor.ledger not in (None, mine.id):
            log.warning("shard %s: the ledger was promoted, and lacks nothing that was sent", self._shard)
            self._commit([])
        if self._sent.seq > known.seq:
            self._clear()  # the previous relay died between its commit and this
        log.info("shard %s: relaying from %s", self._shard, self._sent.seq + 1)

    def _fence(self) -> None:
        """Ends the transaction of the relay before, and takes its place."""
        self._producer = self._new_producer(self._bootstrap, transactional_id(self._shard))
        self._producer.init_transactions(TRANSACTION_SECONDS_MAX)

    def _settle(self, reader: Reader, mine: Identity) -> None:
        """Ends what Kafka has decided and forgotten to mark. Nobody else sends, so nothing else is undecided."""
        with self._engine.connect() as connection:
            own = forgotten.own_topics(connection)
        topics = forgotten.undecided_topics(reader, self._shard, own)
        if not topics:
            return
        commit = forgotten.was_committed(self._engine, reader, self._shard, mine, own)
        log.warning(
            "shard %s: Kafka has forgotten to mark a transaction on %s: %s",
            self._shard,
            ", ".join(topics),
            "committing it" if commit else "taking it back",
        )
        self._end_forgotten(self._bootstrap, transactional_id(self._shard), self._shard, commit, own)
        self._fence()
        if topics := forgotten.undecided_topics(reader, self._shard, own):
            problem = f"a transaction on {topics[0]}-{self._shard} is not settled yet"
            raise KafkaException(KafkaError(KafkaError._IN_PROGRESS, problem))

    def is_disturbed(self) -> bool:
        """Whether a broker was lost since `start`, and may have forgotten the last transaction: `start` again."""
        producer = self._producer
        if producer is None:
            return False
        producer.poll(0)
        return producer.disturbed

    def progress(self) -> tuple[int, int]:
        """Numbers of the newest message that the ledger knows as sent, by whatever relay, and of the newest of all."""
        with self._engine.connect() as connection:
            sent = outbox_rows.last_sent(connection, self._shard)
            return sent.seq, outbox_rows.last_written(connection, self._shard)

    def step(self, before_commit: Callable[[], None] = lambda: None) -> int:
        """Sends the next messages as one transaction and returns how many. ``before_commit`` is for fault tests.

        Raises KafkaException if the commit failed or its outcome is unknown, and DBAPIError if the ledger failed: call
        `start` before the next step, which settles either.
        """
        if self.is_disturbed():  # the next transaction would decide the forgotten one along with itself
            raise KafkaException(KafkaError(KafkaError._TRANSPORT, "a broker was lost"))
        rows = self._ahead.after(self._sent.seq)
        if not rows:
            return 0
        began = time.perf_counter()
        with traced("relay send", SpanKind.PRODUCER, [row.traceparent for row in rows]):
            self._commit(rows, before_commit)
        self._clear()  # before the next transaction: of two that a dying broker forgets, only one can be found again
        tell = instruments()
        tell.count(Metric.SENT, len(rows), self._shard)
        tell.record(Metric.SEND_SECONDS, time.perf_counter() - began)
        return len(rows)

    def _commit(self, rows: Sequence[OutboxRow], before_commit: Callable[[], None] = lambda: None) -> None:
        """Sends messages and the cursor after them, all or none."""
        producer = self._producer
        assert producer is not None, "start() comes before step()"
        sent = Sent(rows[-1].seq if rows else self._sent.seq, outbox_rows.chained(self._sent.chain, rows))
        producer.begin_transaction()
        for row in self._not_sent_before(rows):
            self._produce(producer, row.topic, row.key, row.value, row.traceparent)
            own = insurer_topic_of(row.topic, row.key, row.value)
            if own is not None:
                self._produce(producer, own, row.key, row.value, row.traceparent)
        key, value = Cursor(sent.seq, self._ledger, sent.chain).message(self._shard)
        self._produce(producer, RELAY_CURSORS.name, key, value)
        before_commit()
        producer.commit_transaction(TRANSACTION_SECONDS_MAX)
        self._sent = sent

    def _not_sent_before(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """The messages without those that the topics held when the ledger was adopted."""
        if not self._leaves_out or not rows:
            return rows
        marks = [mark_of(row.topic, row.key, row.value) for row in rows]
        with self._engine.connect() as connection:
            known = outbox_rows.among_sent_before(connection, self._shard, marks)
        for row, mark in zip(rows, marks, strict=True):
            before = known.get(mark)
            if before is not None and money_of(before) != money_of(row.value):
                log.warning(
                    "shard %s: payout %s was sent before with other money or payer: left out", self._shard, mark
                )
        return [row for row, mark in zip(rows, marks, strict=True) if mark not in known]

    def _produce(
        self,
        producer: TransactionalProducer,
        topic: str,
        key: bytes | None,
        value: bytes,
        traceparent: str | None = None,
    ) -> None:
        headers = headers_of(topic, value, self._source)
        if traceparent is not None:
            headers = [*(headers or ()), (TRACEPARENT, traceparent)]
        while True:
            try:
                producer.produce(topic, value=value, key=key, partition=self._shard, headers=headers)
                return
            except BufferError:  # the client's queue is full: let it send
                producer.poll(0.1)
            except KafkaException:
                producer.poll(0)  # raises the reason of what `produce` calls a fatal error: another relay took over
                raise

    def _clear(self) -> None:
        """Deletes the messages that Kafka has, and records how far that is."""
        with self._engine.begin() as connection:
            outbox_rows.clear(connection, self._shard, self._sent)
