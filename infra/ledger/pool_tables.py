"""The tables of pools: what they are, what they received, and what their money adds up to."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from infra.ledger.tables import metadata

pools = Table(
    "pools",
    metadata,
    Column("pool_id", Text, primary_key=True),
    Column("shard", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("area", Text),
    Column("on_shortage", Text, nullable=False),
    Column("opened_on", Date, nullable=False),
    CheckConstraint("on_shortage IN ('owe', 'queue', 'pro_rata')", name="pools_on_shortage"),
)
"""Each recorded pool as its newest version says (`schemas.pool_records.PoolRow`)."""

contributions = Table(
    "contributions",
    metadata,
    Column("contribution_id", Text, primary_key=True),
    Column("pool_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("heads", BigInteger),
    Column("payer", Text),
    Column("restricted_to", ARRAY(Text), nullable=False),
    Column("reference", Text, nullable=False),
    Column("voided", Boolean, nullable=False),
    CheckConstraint("amount >= 0 AND (amount = 0) = voided", name="contributions_amount"),
    Index("contributions_of_pool", "pool_id", "received_on"),
)
"""Each contribution as its newest version says (`schemas.pool_records.ContributionRow`)."""

pool_work = Table(
    "pool_work",
    metadata,
    Column("work_no", BigInteger, Identity(always=True), primary_key=True),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    Column("pool_id", Text, nullable=False),
    Column("shard", Integer, nullable=False),
    Column("side", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    CheckConstraint("side IN ('received', 'released')", name="pool_work_side"),
    Index("pool_work_of_shard", "shard", "work_no"),
    Index("pool_work_of_pool", "pool_id"),
)
"""The queue of the pools' steps: what events changed in their money (`schemas.pool_records.PoolWork`).

Written in the transaction of the event, folded into `pool_sums` by the step that takes it off.
"""

pool_sums = Table(
    "pool_sums",
    metadata,
    Column("pool_id", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    PrimaryKeyConstraint("pool_id", "side", "key"),
    CheckConstraint("side IN ('received', 'released')", name="pool_sums_side"),
)
"""What each pool received by restriction, and released by scheme, in fen, up to the work that is done.

A trigger keeps a pool that queues or pays pro rata from releasing more than it has.
"""

pool_years = Table(
    "pool_years",
    metadata,
    Column("pool_id", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("released", BigInteger, nullable=False),
    Column("claims", BigInteger, nullable=False),
    Column("operator", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=False),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    PrimaryKeyConstraint("pool_id", "year"),
    CheckConstraint("released BETWEEN 0 AND due", name="pool_years_released"),
)
"""The closed years of pools that pay pro rata: what was there and due (fen), and what was released of it."""
