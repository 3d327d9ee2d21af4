"""The tables of the hospital API: events waiting for Kafka, answers given, and keys."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from infra.ledger.tables import metadata

__all__ = ["answers", "api_keys", "inbox", "metadata"]

inbox = Table(
    "inbox",
    metadata,
    Column("inbox_no", BigInteger, Identity(always=True), primary_key=True),
    Column("shard", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("encounter_id", Text),
    Column("household_id", Text),
    Column("traceparent", Text),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("offset", BigInteger),
    Column("sent_at", DateTime(timezone=True)),
    UniqueConstraint("kind", "subject_id", "version", "content_sha256", name="inbox_once"),
    CheckConstraint('("offset" IS NULL) = (sent_at IS NULL)', name="inbox_sent"),
    Index("inbox_unsent", "shard", "inbox_no", postgresql_where="sent_at IS NULL"),
    Index("inbox_sent_at", "sent_at"),
    Index("inbox_of_person", "person_id"),
    Index("inbox_of_encounter", "encounter_id"),
    Index("inbox_of_household", "household_id", postgresql_where=text("household_id IS NOT NULL")),
)
"""Events acknowledged over HTTP, in the order in which they go to Kafka, and later their offsets there.

``household_id`` is the household to which a membership would link its person. A row is deleted once its event is
decided, whatever became of it: `events` has it then.
"""

answers = Table(
    "answers",
    metadata,
    Column("lineage", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("request_sha256", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("answered_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("lineage", "idempotency_key"),
    Index("answers_age", "answered_at"),
)
"""Answers given under an Idempotency-Key, to be repeated when the same request comes again."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("lineage", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scope", ARRAY(Text), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("role IN ('hospital', 'insurer', 'lead', 'registry')", name="api_keys_role"),
    CheckConstraint("(role = 'registry') = (cardinality(scope) = 0)", name="api_keys_scope"),
)
"""The keys of the API. Only the SHA-256 of the secret is stored."""
