"""The table of alerts: what somebody should look at, and who does."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Index, LargeBinary, Table, Text, text

from infra.ledger.tables import metadata

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("claim_id", Text),
    Column("person_id", Text),
    Column("payout_id", Text),
    Column("pool_id", Text),
    Column("area", Text),
    Column("value", LargeBinary),
    Column("state", Text, nullable=False),
    Column("raised_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("changed_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    Column("taken_by", Text),
    Column("closed_by", Text),
    Column("outcome", Text),
    CheckConstraint("state IN ('open', 'acknowledged', 'resolved', 'withdrawn')", name="alerts_state"),
    CheckConstraint("(person_id IS NULL) = (pool_id IS NOT NULL)", name="alerts_about"),
    CheckConstraint("state <> 'acknowledged' OR taken_by IS NOT NULL", name="alerts_taken"),
    CheckConstraint("state <> 'resolved' OR (closed_by <> '' AND outcome <> '') IS TRUE", name="alerts_closed"),
    Index("alerts_live", "raised_at", "alert_id", postgresql_where=text("state IN ('open', 'acknowledged')")),
    Index("alerts_of_claim", "claim_id", postgresql_where=text("claim_id IS NOT NULL")),
    Index("alerts_of_person", "person_id", postgresql_where=text("person_id IS NOT NULL")),
    Index("alerts_of_pool", "pool_id", postgresql_where=text("pool_id IS NOT NULL")),
)
"""Every alert that was ever told, as it stands now (`schemas.alert_records.AlertRow`).

A trigger keeps what an alert is about, and lets no change go back before the one before. None is ever deleted.
"""
