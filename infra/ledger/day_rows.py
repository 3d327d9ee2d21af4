"""Which days are closed on the shards."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from infra.ledger.day_tables import closed_days
from schemas.closed_days import ClosedDays


def days_of_shards(connection: Connection, shards: Collection[int]) -> dict[int, ClosedDays]:
    """The closed days of those of the shards that have any."""
    of = closed_days.c
    rows = connection.execute(
        select(of.shard, func.min(of.day).label("first"), func.max(of.day).label("last"))
        .where(of.shard.in_(sorted(shards)))
        .group_by(of.shard)
    )
    return {row.shard: ClosedDays(row.first, row.last) for row in rows}
