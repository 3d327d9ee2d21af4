"""The hospital API: its inbox, its answers and its keys."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DISPOSITIONS = "disposition IN ('accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key')"


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("inbox_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("encounter_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint('("offset" IS NULL) = (sent_at IS NULL)', name="inbox_sent"),
        sa.PrimaryKeyConstraint("inbox_no"),
        sa.UniqueConstraint("kind", "subject_id", "version", "content_sha256", name="inbox_once"),
    )
    op.create_index("inbox_unsent", "inbox", ["shard", "inbox_no"], postgresql_where="sent_at IS NULL")
    op.create_index("inbox_sent_at", "inbox", ["sent_at"])
    op.create_index("inbox_of_person", "inbox", ["person_id"])
    op.create_index("inbox_of_encounter", "inbox", ["encounter_id"])
    op.create_table(
        "answers",
        sa.Column("lineage", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("lineage", "idempotency_key"),
    )
    op.create_index("answers_age", "answers", ["answered_at"])
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("lineage", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('hospital', 'insurer', 'registry')", name="api_keys_role"),
        sa.CheckConstraint("(role = 'registry') = (cardinality(scope) = 0)", name="api_keys_scope"),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_index("instructions_of_scheme", "instructions", ["scheme_id", "event_no"])
    op.drop_constraint("events_disposition", "events", type_="check")
    op.create_check_constraint("events_disposition", "events", DISPOSITIONS)


def downgrade() -> None:
    """What waits in the inbox was acknowledged, and is nowhere else."""
    raise RuntimeError("this migration cannot be undone without losing the ledger's inbox")
