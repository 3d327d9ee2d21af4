"""Transactions that Kafka decided and then forgot to mark: found and ended before a relay goes on.

A broker that dies after it has said that a transaction is committed, and before every partition has its marker, may
forget the markers (seen with Kafka 4.3.1 and librdkafka). A new producer of the same transactional id then hears that
nothing is under way. But read_committed readers stop before the forgotten messages, for good. The cursor is among them,
so the relay would send them again; and the next commit under the same id would make both copies visible: a payment
twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import closing

from confluent_kafka import KafkaError, KafkaException
from kafka import KafkaProducer
from kafka.errors import KafkaError as EndingFailed
from kafka.structs import TopicPartition
from sqlalchemy import Engine

from acts.reader import Reader
from infra.kafka import client_security
from infra.ledger import outbox_rows
from infra.ledger.identity import Identity
from infra.ledger.outbox_rows import Sent
from schemas.records import Delivery, OutboxRow
from schemas.topics import OUTBOUND, RELAY_CURSORS, TOPICS
from stream.outbound.cursors import REMEDY, Cursor, LedgerRefused, cursor_in, read_cursor

log = logging.getLogger(__name__)

OWN = (*(topic.name for topic in OUTBOUND), RELAY_CURSORS.name)
"""Topics to which nobody but the relay writes: what is undecided there is its own."""

WRITTEN = tuple(topic.name for topic in TOPICS)
"""All topics that a transaction of the relay can span: refused events that are sent again are inbound."""

LOOK_BACK = 10_000
"""So many offsets before the first undecided one are searched for messages whose marker was written."""

ADDED_SECONDS_MAX = 30.0
ADDED_POLL_SECONDS = 0.02


def undecided_topics(reader: Reader, shard: int) -> list[str]:
    """The relay's own topics in which a message of the shard is neither committed nor taken back."""
    return [topic for topic in OWN if not reader.settled(topic, shard)]


def was_committed(engine: Engine, reader: Reader, shard: int, mine: Identity) -> bool:
    """Whether Kafka had decided to commit what it forgot to mark; else it can be taken back and sent again.

    Ask when every other relay is fenced. Raises LedgerRefused when another ledger sent it, or this one has no longer
    what it sent; KafkaException and DBAPIError.
    """
    cursor = read_cursor(reader, shard)
    forgotten = cursor_in(reader.undecided(RELAY_CURSORS.name, shard))
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        sent = outbox_rows.last_sent(connection, shard)
        last = outbox_rows.last_written(connection, shard)
        rows = outbox_rows.waiting(connection, shard, sent.seq, last, outbox_rows.PIECE_BYTES)
    unsent = [row for row in rows if row.seq > cursor.seq]
    if forgotten is None:  # the cursor has its marker, so whatever it counts is committed
        return not (_hashes_of_rows(unsent) & _undecided(reader, shard, OWN))
    if sent.seq >= forgotten.seq:
        return True  # the ledger was told after the commit
    up_to_it = [row for row in rows if row.seq <= forgotten.seq]
    if not _is_ours(forgotten, mine, sent, up_to_it):
        raise LedgerRefused(
            f"shard {shard}: Kafka holds an undecided transaction up to {forgotten.seq} that this ledger did not send. "
            f"{REMEDY}"
        )
    its = [row for row in up_to_it if row.seq > cursor.seq and row.topic in OWN]  # a relay may not read the others
    topics = {row.topic for row in its}
    there = _undecided(reader, shard, topics) | _committed(reader, shard, topics)
    return _hashes_of_rows(its) <= there  # a commit comes after the last message; what is missing was not committed


def end(bootstrap: str, name: str, shard: int, commit: bool) -> None:
    """Writes the missing markers: an empty transaction under the same transactional id, over every topic of the relay.

    It fences whoever uses the id. Raises KafkaException.
    """
    try:
        with closing(KafkaProducer(transactional_id=name, **client_security.kafka_python(bootstrap))) as producer:
            producer.init_transactions()
            producer.begin_transaction()
            # Only this client can be told to add a partition without a message for it; the others write one first.
            manager, places = producer._transaction_manager, [TopicPartition(topic, shard) for topic in WRITTEN]
            for place in places:
                manager.maybe_add_partition_to_transaction(place)
            producer._sender.wakeup()
            deadline = time.monotonic() + ADDED_SECONDS_MAX
            while not all(manager.is_partition_added(place) for place in places):
                manager._maybe_fail_with_error()
                if time.monotonic() > deadline:
                    raise EndingFailed("partitions were not added in time")
                time.sleep(ADDED_POLL_SECONDS)
            if commit:
                producer.commit_transaction()
            else:
                producer.abort_transaction()
    except EndingFailed as error:
        raise KafkaException(KafkaError(KafkaError._STATE, f"a forgotten transaction was not ended: {error}")) from None


def _is_ours(forgotten: Cursor, mine: Identity, sent: Sent, rows: list[OutboxRow]) -> bool:
    complete = [row.seq for row in rows] == list(range(sent.seq + 1, forgotten.seq + 1))
    return complete and forgotten.ledger == mine.id and forgotten.chain == outbox_rows.chained(sent.chain, rows)


def _hashes_of_rows(rows: Iterable[OutboxRow]) -> set[bytes]:
    return {outbox_rows.message_hash(row.topic, row.key, row.value) for row in rows}


def _hashes(topic: str, deliveries: Iterable[Delivery]) -> set[bytes]:
    return {outbox_rows.message_hash(topic, each.key, each.value or b"") for each in deliveries}


def _undecided(reader: Reader, shard: int, topics: Iterable[str]) -> set[bytes]:
    return {each for topic in topics for each in _hashes(topic, reader.undecided(topic, shard))}


def _committed(reader: Reader, shard: int, topics: Iterable[str]) -> set[bytes]:
    found: set[bytes] = set()
    for topic in topics:
        first, end_of_readable = reader.ends([(topic, shard)])[topic, shard]
        start = max(first, end_of_readable - LOOK_BACK)
        while start < end_of_readable:
            part = reader.read(topic, shard, start, end_of_readable, LOOK_BACK)
            found |= _hashes(topic, part.deliveries)
            if part.end == start:
                break
            start = part.end
    return found
