"""What benefits and pools come to, worked out a second time in SQL from instructions, contributions and decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text, union_all

from infra.ledger import tables
from infra.ledger.pool_tables import contributions, pool_sums, pool_work, pools
from schemas.facts import Kind
from schemas.pool_records import ContributionRow, PoolRow, PoolSide

_RELEASED = text("""
WITH moved AS (
    SELECT claim_id, scheme_id, sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) AS fen
    FROM instructions GROUP BY 1, 2
)
SELECT claim_id || '/' || scheme_id FROM benefits FULL JOIN moved USING (claim_id, scheme_id)
WHERE coalesce(released, 0) <> coalesce(fen, 0) ORDER BY 1 LIMIT :limit
""")

# What a pool's queue goes by. A scheme that does not apply any more keeps a row at zero.
_DECIDED = text("""
SELECT b.claim_id || '/' || b.scheme_id
FROM benefits b JOIN claims c USING (claim_id)
    JOIN decisions d ON d.claim_id = c.claim_id AND d.revision = c.revision
    CROSS JOIN LATERAL (SELECT convert_from(d.value, 'UTF8')::jsonb AS document) decision
    LEFT JOIN LATERAL jsonb_array_elements(document -> 'benefits') AS benefit (line)
        ON benefit.line ->> 'scheme_id' = b.scheme_id
    LEFT JOIN LATERAL jsonb_array_elements(document -> 'waiting') AS waiting (line)
        ON waiting.line ->> 'scheme_id' = b.scheme_id
WHERE b.pool_id IS NOT NULL AND (
    coalesce((benefit.line ->> 'benefit')::numeric * 100, 0) <> b.benefit
    OR coalesce((waiting.line ->> 'amount')::numeric * 100, 0) <> b.told
    OR b.benefit > 0 AND coalesce(benefit.line ->> 'pool_id', '') <> b.pool_id
    OR b.released < b.benefit AND b.discharged_on IS DISTINCT FROM c.discharged_on
)
ORDER BY 1 LIMIT :limit
""")


class PoolEvent(NamedTuple):
    """An accepted event about a pool: its bytes, the shard that took it in, and when."""

    value: bytes
    shard: int
    recorded_at: datetime


def released_wrongly(connection: Connection, limit: int = 3) -> Sequence[str]:
    """Claim and scheme of some benefits of which not so much is released as is instructed net."""
    return list(connection.scalars(_RELEASED, {"limit": limit}))


def decided_otherwise(connection: Connection, limit: int = 3) -> Sequence[str]:
    """Claim and scheme of some benefits of pools of which the newest decision says something else."""
    return list(connection.scalars(_DECIDED, {"limit": limit}))


def pool_events(connection: Connection) -> Iterator[PoolEvent]:
    """The accepted events about pools and their contributions, in the ledger's order."""
    fact, event = tables.facts, tables.events
    query = (
        select(event.c.value, event.c.shard, event.c.recorded_at)
        .join(fact, event.c.event_no == fact.c.event_no)
        .where(fact.c.kind.in_((Kind.POOL, Kind.CONTRIBUTION)))
        .order_by(event.c.event_no)
    )
    for row in connection.execute(query, execution_options={"yield_per": 10_000}):
        yield PoolEvent(bytes(row.value), row.shard, row.recorded_at)


def rows_kept(connection: Connection) -> tuple[Iterator[PoolRow], Iterator[ContributionRow]]:
    """All pools and contributions."""
    of_pools = select(*(pools.c[name] for name in PoolRow._fields))
    of_contributions = select(*(contributions.c[name] for name in ContributionRow._fields))
    streamed = {"yield_per": 10_000}
    return (
        (PoolRow(*row) for row in connection.execute(of_pools, execution_options=streamed)),
        (ContributionRow(*row) for row in connection.execute(of_contributions, execution_options=streamed)),
    )


def received(connection: Connection) -> dict[tuple[str, str], int]:
    """What each pool received under each restriction, as its steps count it, with the work that no step has done."""
    kept = union_all(
        *(
            select(table.c.pool_id, table.c.key, table.c.amount).where(table.c.side == PoolSide.RECEIVED)
            for table in (pool_sums, pool_work)
        )
    ).subquery()
    query = select(kept.c.pool_id, kept.c.key, func.sum(kept.c.amount)).group_by(kept.c.pool_id, kept.c.key)
    return {(row[0], row[1]): int(row[2]) for row in connection.execute(query)}
