"""Which payouts each bank reference is about: a part of the digest with marks of its own.

A payout can have several reports, each with a reference; `payout_states` keeps that of the last one. As the digest of a
large ledger takes minutes, this part begins by itself at the first audit entry and leaves the rest as it is.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.dialects.postgresql import insert

from infra.ledger import tables
from infra.ledger.console_tables import digest_reference_marks

LOCK = 0x48555A52
"""Key of the advisory lock ("HUZR") under which the references move: without it consoles could deadlock on its rows."""

# json, not jsonb, which refuses what an accepted event may hold in a field that nobody reads (\\u0000, 1e999999).
_REFERENCES = text("""
    WITH report AS MATERIALIZED (
        SELECT convert_from(v.value, 'UTF8')::json AS told
        FROM audit_entries a JOIN events v ON v.event_no = a.event_no
        WHERE a.shard = :shard AND a.seq > :after AND a.seq <= :until AND a.kind = 'event.accepted'
            AND convert_from(a.value, 'UTF8')::jsonb -> 'subject' ->> 'event_type' = 'payout.reported'
    )
    INSERT INTO digest_references (reference, payout_id)
    SELECT DISTINCT told ->> 'reference', told ->> 'payout_id' FROM report
    ON CONFLICT DO NOTHING
""")


def bring_forward(engine: Engine, chunk: int) -> None:
    """Adds the references of reports that the ledger has gained since, ``chunk`` audit entries at a time."""
    with engine.connect() as connection:
        numbers = list(connection.scalars(select(tables.shards.c.shard).order_by(tables.shards.c.shard)))
    for shard in numbers:
        while True:
            with engine.begin() as connection:
                if _chunk(connection, shard, chunk) < chunk:
                    break


def _chunk(connection: Connection, shard: int, chunk: int) -> int:
    connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    mark = digest_reference_marks
    connection.execute(insert(mark).values(shard=shard, audit_seq=0).on_conflict_do_nothing())
    held = mark.c.shard == shard
    after = connection.scalar(select(mark.c.audit_seq).where(held)) or 0
    end = connection.scalar(select(tables.shards.c.audit_seq).where(tables.shards.c.shard == shard)) or 0
    until = min(end, after + chunk)
    if until > after:
        connection.execute(_REFERENCES, {"shard": shard, "after": after, "until": until})
        connection.execute(mark.update().where(held).values(audit_seq=until))
    return int(until - after)
