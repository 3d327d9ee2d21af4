"""What waits in a ledger's outbox, and how a ledger comes to hold it as earlier releases wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
from sqlalchemy import Engine, select

from infra.ledger import outbox_rows, tables
from infra.ledger.bulk import copy_rows
from infra.ledger.outbox_batch import packed
from schemas.records import OutboxRow

OUTBOX_UNPACKED = """
CREATE OR REPLACE FUNCTION outbox_unpacked(first_seq bigint, messages bytea)
    RETURNS TABLE (seq bigint, topic text, key bytea, value bytea) LANGUAGE plpgsql AS $$
DECLARE
    at int := 2;
    sizes int[];
BEGIN
    ASSERT get_byte(messages, 0) = 1, 'an unknown version';
    seq := first_seq;
    WHILE at <= length(messages) LOOP
        sizes := ARRAY[get_byte(messages, at - 1),
            ('x' || encode(substring(messages from at + 1 for 4), 'hex'))::bit(32)::int,
            ('x' || encode(substring(messages from at + 5 for 4), 'hex'))::bit(32)::int];
        at := at + 9;
        topic := convert_from(substring(messages from at for sizes[1]), 'UTF8');
        at := at + sizes[1];
        key := CASE WHEN sizes[2] >= 0 THEN substring(messages from at for sizes[2]) END;
        at := at + greatest(sizes[2], 0);
        value := substring(messages from at for sizes[3]);
        at := at + sizes[3];
        RETURN NEXT;
        seq := seq + 1;
    END LOOP;
END $$;
"""
"""The encoding of a batch, read a second time, by PostgreSQL."""

AS_RELEASED = """
CREATE TABLE IF NOT EXISTS as_released (every int NOT NULL);
CREATE OR REPLACE FUNCTION write_as_released() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF mod(NEW.last_seq, (SELECT every FROM as_released)) = 0 THEN
        INSERT INTO outbox SELECT NEW.shard, each.* FROM outbox_unpacked(NEW.first_seq, NEW.messages) AS each;
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER write_as_released BEFORE INSERT ON outbox_batches
    FOR EACH ROW EXECUTE FUNCTION write_as_released();
"""
"""Lets a ledger keep those batches whose last number is a multiple of ``as_released.every`` in the form of release 1.0,
a row for each message; none while that table is empty. As where workers of both releases write.
"""


def keep_as_released(url: str, every: int) -> None:
    """From now on a ledger keeps every so many batches as release 1.0 did; 0: none."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute((OUTBOX_UNPACKED + AS_RELEASED + "DELETE FROM as_released;").encode())
        if every:
            connection.execute("INSERT INTO as_released VALUES (%s)", [every])


def write_batches(ledger: Engine, batches: Iterable[Sequence[OutboxRow]]) -> None:
    """Puts batches of a shard's messages into the outbox, as a worker's transaction does."""
    for batch in batches:
        with ledger.begin() as connection:
            names = ("shard", "first_seq", "last_seq", "messages")
            row = (batch[0].shard, batch[0].seq, batch[-1].seq, packed(batch))
            copy_rows(connection, tables.outbox_batches, names, [row])
            shard = tables.shards.c.shard == batch[0].shard
            connection.execute(tables.shards.update().where(shard).values(outbox_seq=batch[-1].seq))


def waiting_messages(ledger: Engine, topic: str | None = None) -> list[OutboxRow]:
    """What waits, shard after shard in the order of its numbers; only that of one topic, if one is named."""
    with ledger.connect() as connection:
        shards = connection.scalars(select(tables.shards.c.shard).order_by(tables.shards.c.shard)).all()
        rows = [row for shard in shards for row in outbox_rows.waiting_after(connection, shard, 0)]
    return [row for row in rows if topic in (None, row.topic)]
