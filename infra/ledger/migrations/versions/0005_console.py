"""The console: users, sessions, proposals, the identity directory, and its digest of the ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DISPOSITIONS = (
    "disposition IN ('accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', "
    "'console')"
)

# Entries of a shard are numbered in the order of their events, so the first entry of an event is found by halving:
# an index would cost every worker for what the console asks now and then.
FIRST_ENTRY = """
CREATE FUNCTION first_audit_entry(wanted_shard int, wanted bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low bigint := 1;
    high bigint;
    middle bigint;
    number bigint;
BEGIN
    SELECT audit_seq + 1 INTO high FROM shards WHERE shard = wanted_shard;
    WHILE low < high LOOP
        middle := (low + high) / 2;
        SELECT event_no INTO number FROM audit_entries WHERE shard = wanted_shard AND seq = middle;
        IF number < wanted THEN low := middle + 1; ELSE high := middle; END IF;
    END LOOP;
    RETURN low;
END $$
"""


def upgrade() -> None:
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", DISPOSITIONS)
    op.create_table(
        "console_users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('auditor', 'finance', 'operator', 'admin')", name="console_users_role"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "console_views",
        sa.Column("view_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("subject", postgresql.JSONB(), nullable=False),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("view_no"),
    )
    op.create_table(
        "digest_claims",
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("claims", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("status"),
    )
    op.create_table(
        "digest_invoices",
        sa.Column("invoice_no", sa.Text(), nullable=False),
        sa.Column("settlement_id", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("invoice_no", "settlement_id"),
    )
    op.create_table(
        "digest_marks",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.create_table(
        "digest_money",
        sa.Column("scheme_id", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("payouts", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scheme_id", "tier", "day", "kind", "state"),
    )
    op.create_table(
        "digest_refused",
        sa.Column("event_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("facility_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_no"),
    )
    op.create_index("digest_refused_code", "digest_refused", ["code", "event_no"], unique=False)
    op.create_index("digest_refused_facility", "digest_refused", ["facility_id", "event_no"], unique=False)
    op.create_table(
        "digest_waiting",
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("claim_id"),
    )
    op.create_index("digest_waiting_since", "digest_waiting", ["since", "claim_id"], unique=False)
    op.create_table(
        "people",
        sa.Column("person_index", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_index"),
    )
    op.create_index("people_of_key", "people", ["key_id"], unique=False)
    op.create_table(
        "console_sessions",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_name"],
            ["console_users.name"],
        ),
        sa.PrimaryKeyConstraint("token_sha256"),
    )
    op.create_index("console_sessions_of_user", "console_sessions", ["user_name"], unique=False)
    op.create_table(
        "replay_proposals",
        sa.Column("proposal_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.CheckConstraint("decision IN ('approved', 'rejected')", name="replay_proposals_decision"),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)",
            name="replay_proposals_decided",
        ),
        sa.CheckConstraint("decided_by <> proposed_by", name="replay_proposals_four_eyes"),
        sa.ForeignKeyConstraint(
            ["event_no"],
            ["refusals.event_no"],
        ),
        sa.PrimaryKeyConstraint("proposal_no"),
    )
    op.create_index(
        "replay_proposals_open",
        "replay_proposals",
        ["event_no"],
        unique=True,
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.execute(FIRST_ENTRY)


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("acts done in the console cannot be forgotten without losing the ledger: restore a backup")
