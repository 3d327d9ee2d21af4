"""Transactions that Kafka decided and then forgot to mark: found and ended before a relay goes on.

A broker that dies after it has said that a transaction is committed, and before every partition has its marker, may
forget the markers (seen with Kafka 4.3.1 and librdkafka). A new producer of the same transactional id then hears that
nothing is under way. But read_committed readers stop before the forgotten messages, for good. The cursor is among them,
so the relay would send them again; and the next commit under the same id would make both copies visible: a payment
twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import takewhile

from confluent_kafka import KafkaError, KafkaException
from kafka import KafkaProducer
from kafka.errors import KafkaError as ClientError
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition
from sqlalchemy import Connection, Engine

from acts.adopt_ledger import mark_of
from acts.published_treaties import insurer_topics
from acts.reader import Reader, messages
from infra.kafka import client_security
from infra.kafka.names import KafkaNames
from infra.ledger import outbox_rows
from infra.ledger.identity import Identity
from infra.ledger.outbox_rows import Sent
from schemas.records import Delivery, OutboxRow
from schemas.topics import INBOUND, OUTBOUND, RELAY_CURSORS, insurer_topic_of
from stream.outbound.cursors import REMEDY, Cursor, LedgerRefused, cursor_in, read_cursor

LOOK_BACK = 10_000
"""So many offsets before the first undecided one are searched for messages whose marker was written."""

ADDED_SECONDS_MAX = 30.0
ADDED_POLL_SECONDS = 0.02


def own_topics(connection: Connection) -> list[str]:
    """Topics to which nobody but the relay writes, those of insurers too: what is undecided there is its own."""
    return [topic.name for topic in (*OUTBOUND, RELAY_CURSORS, *insurer_topics(connection))]


def undecided_topics(reader: Reader, shard: int, own: Sequence[str]) -> list[str]:
    """Those of the relay's own topics in which a message of the shard is neither committed nor taken back."""
    return [topic for topic, _ in reader.unsettled([(topic, shard) for topic in own])]


def was_committed(engine: Engine, reader: Reader, shard: int, mine: Identity, own: Sequence[str]) -> bool:
    """Whether Kafka had decided to commit what it forgot to mark; else it can be taken back and sent again.

    Ask when every other relay is fenced. Raises LedgerRefused when another ledger sent it, or this one has no longer
    what it sent; KafkaException and DBAPIError.
    """
    cursor = read_cursor(reader, shard)
    forgotten = cursor_in(reader.undecided(RELAY_CURSORS.name, shard))
    undecided = {_hash(each) for topic in own for each in reader.undecided(topic, shard)}
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        sent, waiting = outbox_rows.last_sent(connection, shard), outbox_rows.waiting_after
        if forgotten is None:  # the cursor has its marker, so whatever it counts is committed
            return undecided.isdisjoint(_hashes(waiting(connection, shard, cursor.seq)))
        if sent.seq >= forgotten.seq and forgotten.ledger in (mine.id, mine.before):
            return True  # the ledger was told after the commit
        rows = list(takewhile(lambda row: row.seq <= forgotten.seq, waiting(connection, shard, sent.seq)))
        marks = {row.seq: mark_of(row.topic, row.key, row.value) for row in rows}
        left_out = outbox_rows.among_sent_before(connection, shard, marks.values())
    if not _is_ours(forgotten, mine, sent, rows):
        raise LedgerRefused(
            f"shard {shard}: Kafka holds an undecided transaction up to {forgotten.seq} that this ledger did not send. "
            f"{REMEDY}"
        )
    sent_now = [row for row in rows if row.seq > cursor.seq and marks[row.seq] not in left_out]
    its = [row for row in sent_now if row.topic in own]  # a relay may not read the others
    there = undecided | _committed(reader, shard, {name for row in its for name in _topics(row)})
    # A commit comes after the last message: what is missing was not committed.
    return _hashes(its) <= there


def end(bootstrap: str, name: str, shard: int, commit: bool, own: Sequence[str]) -> None:
    """Writes the missing markers: an empty transaction under the same transactional id, over every topic of the relay.

    Those are its ``own``, and the inbound ones, where refused events are sent again. It fences whoever uses the id.
    Raises KafkaException.
    """
    names = KafkaNames.in_force()
    held = names.in_kafka(name)
    try:
        with closing(KafkaProducer(transactional_id=held, **client_security.kafka_python(bootstrap))) as producer:
            producer.init_transactions()
            producer.begin_transaction()
            # Only this client can be told to add a partition without a message for it; the others write one first.
            manager, places = (
                producer._transaction_manager,
                [TopicPartition(names.in_kafka(topic), shard) for topic in (*own, *(each.name for each in INBOUND))],
            )
            for place in places:
                manager.maybe_add_partition_to_transaction(place)
            producer._sender.wakeup()
            deadline = time.monotonic() + ADDED_SECONDS_MAX
            while not all(manager.is_partition_added(place) for place in places):
                manager._maybe_fail_with_error()
                if time.monotonic() > deadline:
                    raise KafkaTimeoutError("partitions were not added in time")
                time.sleep(ADDED_POLL_SECONDS)
            if commit:
                producer.commit_transaction()
            else:
                producer.abort_transaction()
    except ClientError as error:
        raise KafkaException(KafkaError(KafkaError._STATE, f"a forgotten transaction was not ended: {error}")) from None


def _is_ours(forgotten: Cursor, mine: Identity, sent: Sent, rows: list[OutboxRow]) -> bool:
    complete = [row.seq for row in rows] == list(range(sent.seq + 1, forgotten.seq + 1))
    return complete and forgotten.ledger == mine.id and forgotten.chain == outbox_rows.chained(sent.chain, rows)


def _hash(message: OutboxRow | Delivery) -> bytes:
    return outbox_rows.message_hash(message.topic, message.key, message.value or b"")


def _topics(row: OutboxRow) -> list[str]:
    """Where a message goes: an instruction or a statement also to its insurer."""
    copied = insurer_topic_of(row.topic, row.key, row.value)
    return [row.topic] if copied is None else [row.topic, copied]


def _hashes(rows: Iterable[OutboxRow]) -> set[bytes]:
    return {outbox_rows.message_hash(topic, row.key, row.value) for row in rows for topic in _topics(row)}


def _committed(reader: Reader, shard: int, topics: Iterable[str]) -> set[bytes]:
    found: set[bytes] = set()
    for topic in topics:
        first, readable = reader.ends([(topic, shard)])[topic, shard]
        for piece in messages(reader, topic, shard, (max(first, readable - LOOK_BACK), readable)):
            found |= {_hash(each) for each in piece}
    return found
