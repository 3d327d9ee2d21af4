"""The table of closed days."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Integer, PrimaryKeyConstraint, Table

from infra.ledger.tables import metadata

closed_days = Table(
    "closed_days",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    PrimaryKeyConstraint("shard", "day"),
)
"""The days that are closed on each shard. Triggers keep them in order, without gaps, each by an accepted event, none
ahead of the day on which the ledger took it in, and never changed."""
