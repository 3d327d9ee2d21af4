"""The outbox: messages of a shard that wait for Kafka, and how far the relay has come.

The messages of a shard form a hash chain in the order of their numbers. The cursor in Kafka holds its hash after the
last message sent, the ledger after the last one it has deleted: so a ledger can tell whether what was sent was its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import ARRAY, Connection, Text, any_, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from infra.ledger.bulk import binary_rows, merge_rows
from infra.ledger.outbox_batch import unpacked, with_traceparents
from infra.ledger.tables import outbox, outbox_batches, relays, sent_before, shards
from schemas.canonical import NO_HASH
from schemas.records import OutboxRow

PIECE_ROWS = 5000
PIECE_BYTES = 16 * 1024 * 1024

# Both forms in the order of their numbers. The rows that begin within the limit, as far as they fit; the first always.
_WAITING = """
    SELECT first_seq, last_seq, topic, key, value, traceparents FROM (
        SELECT *, sum(octet_length(value)) OVER (ORDER BY last_seq) AS upto, min(last_seq) OVER () AS foremost FROM (
            (SELECT seq AS first_seq, seq AS last_seq, topic, key, value, NULL AS traceparents FROM outbox
                WHERE shard = %(shard)s AND seq > %(after)s::bigint ORDER BY seq LIMIT %(limit)s)
            UNION ALL
            (SELECT first_seq, last_seq, NULL, NULL, messages, traceparents FROM outbox_batches
                WHERE shard = %(shard)s AND last_seq > %(after)s::bigint ORDER BY last_seq LIMIT %(limit)s)
        ) AS either
    ) AS sized
    WHERE last_seq = foremost OR (upto <= %(bytes_max)s AND first_seq <= %(after)s::bigint + %(limit)s)
    ORDER BY last_seq
"""


class Sent(NamedTuple):
    """How far a shard's outbox is known to be in Kafka: the last number, and the hash of the chain there."""

    seq: int
    chain: str


def message_hash(topic: str, key: bytes | None, value: bytes, after: bytes = b"") -> bytes:
    """The hash of one message, ``after`` another; the lengths of its parts keep two messages from running together."""
    head = f"{topic} {-1 if key is None else len(key)} {len(value)} ".encode()
    return hashlib.sha256(b"".join((after, head, key or b"", value))).digest()


def chained(chain: str, rows: Iterable[OutboxRow]) -> str:
    """The hash of the chain after rows that follow ``chain``."""
    link = bytes.fromhex(chain)
    for row in rows:
        link = message_hash(row.topic, row.key, row.value, link)
    return link.hex()


def waiting(connection: Connection, shard: int, after: int, limit: int, bytes_max: int) -> list[OutboxRow]:
    """The messages after a number, in order, as many as fit into ``bytes_max``; the first alone may be larger.

    They come from batches and from single rows of an earlier release alike. Raises DBAPIError, OutboxUnreadable.
    """
    asked = {"shard": shard, "after": after, "limit": limit, "bytes_max": bytes_max}
    fitting: list[OutboxRow] = []
    size = 0
    for first, last, topic, key, value, traceparents in binary_rows(connection, _WAITING, asked):
        if topic is None:
            row_holds = with_traceparents(unpacked(shard, first, last, value), traceparents)
        else:
            row_holds = [OutboxRow(shard, first, topic, key, value)]
        for message in row_holds:
            if message.seq <= after:
                continue  # sent, and its batch not wholly
            size += len(message.value)
            if len(fitting) == limit or (fitting and size > bytes_max):
                return fitting
            fitting.append(message)
    return fitting


def waiting_after(connection: Connection, shard: int, after: int) -> Iterator[OutboxRow]:
    """All messages after a number, in order, read in pieces."""
    while rows := waiting(connection, shard, after, PIECE_ROWS, PIECE_BYTES):
        yield from rows
        after = rows[-1].seq


def last_written(connection: Connection, shard: int) -> int:
    """The number of the newest message that the shard's writers have put into the outbox; 0 if none."""
    return connection.scalar(select(shards.c.outbox_seq).where(shards.c.shard == shard)) or 0


def last_sent(connection: Connection, shard: int) -> Sent:
    """The newest message that the ledger knows as sent; number 0 if none."""
    row = connection.execute(
        select(relays.c.relayed_seq, relays.c.relayed_hash).where(relays.c.shard == shard)
    ).one_or_none()
    return Sent(0, NO_HASH) if row is None else Sent(*row)


def chain_at(connection: Connection, shard: int, sent: Sent, seq: int) -> str | None:
    """The hash of the chain after message ``seq``, which follows ``sent``; None if the outbox has a hole before it."""
    at, chain = sent
    while at < seq:
        rows = waiting(connection, shard, at, min(PIECE_ROWS, seq - at), PIECE_BYTES)
        if [row.seq for row in rows] != list(range(at + 1, at + 1 + len(rows))) or not rows:
            return None
        chain, at = chained(chain, rows), rows[-1].seq
    return chain


def unsent(connection: Connection) -> int:
    """How many messages of all shards wait."""
    known = func.coalesce(relays.c.relayed_seq, 0)
    both = shards.outerjoin(relays, relays.c.shard == shards.c.shard)
    return int(connection.scalar(select(func.sum(shards.c.outbox_seq - known)).select_from(both)) or 0)


def clear(connection: Connection, shard: int, sent: Sent) -> None:
    """Notes how far Kafka has the messages, by whom and when, and deletes them; a batch when all of it is there.

    A newer relay may have come further meanwhile.
    """
    by, at = func.current_setting("application_name"), func.now()
    values = {"relayed_seq": sent.seq, "relayed_hash": sent.chain, "sent_by": by, "sent_at": at}
    statement = insert(relays).values(shard=shard, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["shard"], set_=values, where=relays.c.relayed_seq < sent.seq)
    )
    for table, last in ((outbox, outbox.c.seq), (outbox_batches, outbox_batches.c.last_seq)):
        connection.execute(table.delete().where(table.c.shard == shard, last <= sent.seq))


def has_sent_before(connection: Connection, shard: int) -> bool:
    """Whether the relay has to look for messages of the shard that were sent before the ledger was adopted."""
    return bool(connection.scalar(select(exists().where(sent_before.c.shard == shard))))


def among_sent_before(connection: Connection, shard: int, marks: Iterable[str]) -> dict[str, bytes | None]:
    """Those of the marks under which something was sent before the ledger was adopted, each with what that was."""
    wanted = bindparam("marks", list(marks), type_=ARRAY(Text))
    rows = connection.execute(
        select(sent_before.c.mark, sent_before.c.value).where(
            sent_before.c.shard == shard, sent_before.c.mark == any_(wanted)
        )
    )
    return {row.mark: row.value for row in rows}


def remember_sent_before(connection: Connection, shard: int, marks: dict[str, bytes | None]) -> None:
    """Marks what the topics hold, so that the relay leaves it out."""
    merge_rows(
        connection, sent_before, ("shard", "mark", "value"), [(shard, *row) for row in marks.items()], update=True
    )
