"""The outbox: messages of a shard that wait for Kafka, and how far the relay has come."""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from infra.ledger.tables import outbox, relays, shards
from schemas.records import OutboxRow


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


def last_written(connection: Connection, shard: int) -> int:
    """The number of the newest message that the shard's writers have put into the outbox; 0 if none."""
    return connection.scalar(select(shards.c.outbox_seq).where(shards.c.shard == shard)) or 0


def last_sent(connection: Connection, shard: int) -> int:
    """The number of the newest message that the ledger knows as sent; 0 if none."""
    return connection.scalar(select(relays.c.relayed_seq).where(relays.c.shard == shard)) or 0


def unsent(connection: Connection) -> int:
    """How many messages of all shards wait."""
    written = connection.execute(select(shards.c.shard, shards.c.outbox_seq))
    sent = {row.shard: row.relayed_seq for row in connection.execute(select(relays.c.shard, relays.c.relayed_seq))}
    return sum(row.outbox_seq - sent.get(row.shard, 0) for row in written)


def clear(connection: Connection, shard: int, sent: int) -> None:
    """Deletes messages that Kafka has, and notes how far that is; a newer relay may have come further meanwhile."""
    statement = insert(relays).values(shard=shard, relayed_seq=sent)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["shard"], set_={"relayed_seq": sent}, where=relays.c.relayed_seq < sent
        )
    )
    connection.execute(outbox.delete().where(outbox.c.shard == shard, outbox.c.seq <= sent))
