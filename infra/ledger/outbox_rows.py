"""The outbox: messages of a shard that wait for Kafka, and how far the relay has come.

The messages of a shard form a hash chain in the order of their numbers. The cursor in Kafka holds its hash after the
last message sent, the ledger after the last one it has deleted: so a ledger can tell whether what was sent was its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import ARRAY, Connection, Text, any_, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from infra.ledger.bulk import merge_rows
from infra.ledger.tables import outbox, relays, sent_before, shards
from schemas.canonical import NO_HASH
from schemas.records import OutboxRow

PIECE_ROWS = 1000
PIECE_BYTES = 16 * 1024 * 1024


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
    """The messages after a number, in order, as many as fit into ``bytes_max``; the first alone may be larger."""
    columns = [outbox.c[name] for name in OutboxRow._fields]
    upto = func.sum(func.octet_length(outbox.c.value)).over(order_by=outbox.c.seq).label("upto")
    sized = (
        select(*columns, upto)
        .where(outbox.c.shard == shard, outbox.c.seq > after)
        .order_by(outbox.c.seq)
        .limit(limit)
        .subquery()
    )
    fits = or_(sized.c.upto <= bytes_max, sized.c.upto == func.octet_length(sized.c.value))
    in_order = select(*(sized.c[name] for name in OutboxRow._fields)).where(fits).order_by(sized.c.seq)
    return [OutboxRow(*row) for row in connection.execute(in_order)]


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
    written = connection.execute(select(shards.c.shard, shards.c.outbox_seq))
    sent = {row.shard: row.relayed_seq for row in connection.execute(select(relays.c.shard, relays.c.relayed_seq))}
    return sum(row.outbox_seq - sent.get(row.shard, 0) for row in written)


def clear(connection: Connection, shard: int, sent: Sent) -> None:
    """Deletes messages that Kafka has, and notes how far that is, by whom and when.

    A newer relay may have come further meanwhile.
    """
    by, at = func.current_setting("application_name"), func.now()
    values = {"relayed_seq": sent.seq, "relayed_hash": sent.chain, "sent_by": by, "sent_at": at}
    statement = insert(relays).values(shard=shard, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["shard"], set_=values, where=relays.c.relayed_seq < sent.seq)
    )
    connection.execute(outbox.delete().where(outbox.c.shard == shard, outbox.c.seq <= sent.seq))


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
