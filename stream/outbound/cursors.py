"""Whose the topics are: the cursor in Kafka says which ledger sent last, how far, and the hash of all that it sent.

A ledger that is restored, copied or foreign is refused, and lastingly: whatever it numbers later, the hash of its
messages up to the cursor's number will never be that of what was sent. Only `huzhu ledger adopt` makes the topics its
own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from sqlalchemy import Connection, Engine

from acts.reader import Reader
from infra.ledger import outbox_rows
from infra.ledger.identity import Identity, identity
from infra.ledger.outbox_rows import Sent
from schemas.records import Delivery
from schemas.topics import RELAY_CURSORS

LEDGER_REFUSED = 78
"""Exit status (EX_CONFIG) when the topics are not this ledger's: starting again does not help, an operator decides."""

LOOKS_MAX = 5
SETTLING_SECONDS = 0.05
"""So often, and so far apart, a cursor is looked at that Kafka may not have settled. Then whoever asked tries again."""

REMEDY = (
    "Nothing was sent or deleted, and starting again changes nothing. See docs/operations.md, "
    '"A ledger that was restored": `huzhu ledger check`, then restore the newest copy or `huzhu ledger adopt`'
)


class LedgerRefused(Exception):
    """What Kafka holds was not sent by this ledger as it is now: continuing would pay twice, or never."""


class Cursor(NamedTuple):
    """What the last committed transaction of a shard says: who sent, the last number, and the hash of the chain there.

    ``ledger`` and ``chain`` are None in cursors of a release that did not write them, and where nothing was ever sent.
    """

    seq: int = 0
    ledger: str | None = None
    chain: str | None = None

    def message(self, shard: int) -> tuple[bytes, bytes]:
        """Key and value on the topic."""
        value = {"shard": shard, "seq": self.seq, "ledger": self.ledger, "hash": self.chain}
        return str(shard).encode(), json.dumps(value).encode()


def cursor_in(deliveries: Sequence[Delivery]) -> Cursor | None:
    """The newest cursor among messages of `relay.cursors`."""
    if not deliveries:
        return None
    told = json.loads(deliveries[-1].value or b"")
    return Cursor(int(told["seq"]), told.get("ledger"), told.get("hash"))


def read_cursor(reader: Reader, shard: int) -> Cursor:
    """The cursor of a shard's last committed transaction."""
    place = (RELAY_CURSORS.name, shard)
    first, end = reader.ends([place])[place]
    start, reach = end, 16
    while start > first:
        start = max(first, end - reach)
        found = cursor_in(reader.read(*place, start, end, limit=reach + 1).deliveries)
        if found is not None:
            return found
        reach *= 4
    return Cursor()


def check_all(engine: Engine, reader: Reader, shards: Iterable[int], *, promoted: bool) -> None:
    """Compares all shards' cursors with the ledger, whether or not a relay runs meanwhile; fences nobody.

    ``promoted``: a ledger whose standby was promoted counts as the same if nothing is missing from it. Raises
    LedgerRefused, KafkaException, DBAPIError.
    """
    with engine.begin() as connection:
        mine = identity(connection)
    for shard in shards:
        look(engine, reader, shard, mine, promoted=promoted)


class Looked(NamedTuple):
    """A shard's cursor, how far the ledger knew its messages as sent at that moment, and how far they are."""

    cursor: Cursor
    known: Sent
    sent: Sent


def look(engine: Engine, reader: Reader, shard: int, mine: Identity, *, promoted: bool) -> Looked:
    """Compares a shard's cursor with the ledger, also while another relay sends. Raises what `check_all` raises.

    A cursor behind the ledger is no proof of a loss: a relay may have sent more between the two looks, and what it has
    committed can be read only when Kafka has settled the transaction. Then the cursor is at least where the ledger was.
    While it is not settled, raises a KafkaException that may pass: Kafka ends a dead sender's transaction by itself.
    """
    known = 0
    for _ in range(LOOKS_MAX):
        settled = known > 0 and not reader.unsettled([(RELAY_CURSORS.name, shard)])
        cursor = read_cursor(reader, shard)
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            sent = outbox_rows.last_sent(connection, shard)
            if cursor.seq >= sent.seq or (settled and cursor.seq < known):
                return Looked(cursor, sent, compare(connection, shard, cursor, mine, promoted=promoted))
        known = sent.seq
        time.sleep(SETTLING_SECONDS)
    place = f"{RELAY_CURSORS.name}-{shard}"
    raise KafkaException(KafkaError(KafkaError._IN_PROGRESS, f"a transaction on {place} is not settled yet"))


def compare(connection: Connection, shard: int, cursor: Cursor, mine: Identity, *, promoted: bool) -> Sent:
    """How far the ledger's messages are in Kafka, if the shard's cursor is this ledger's. Raises LedgerRefused."""
    sent, written = outbox_rows.last_sent(connection, shard), outbox_rows.last_written(connection, shard)
    says = f"shard {shard}: {RELAY_CURSORS.name} says {cursor.seq}"
    if cursor.seq < sent.seq:
        raise LedgerRefused(
            f"{says}, but the ledger knows {sent.seq} as sent: the topic was lost or this is another cluster. {REMEDY}"
        )
    if cursor.ledger not in (None, mine.id, mine.before if promoted else mine.id):
        raise LedgerRefused(
            f"shard {shard}: what Kafka holds was sent by ledger {cursor.ledger}, and this is {mine.id}: it was "
            f"restored, copied or promoted, or is another ledger. {REMEDY}"
        )
    if cursor.seq > written:
        raise LedgerRefused(
            f"{says}, but the ledger has written only {written}: it is an older copy, or another ledger's topics. "
            f"{REMEDY}"
        )
    chain = outbox_rows.chain_at(connection, shard, sent, cursor.seq)
    if chain is None or cursor.chain not in (None, chain):
        raise LedgerRefused(
            f"{says}, but up to there the ledger has other messages than were sent: it is a restored copy. {REMEDY}"
        )
    return Sent(cursor.seq, chain)
