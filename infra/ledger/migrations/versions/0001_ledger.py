"""The ledger: tables, and the triggers that guard them from wrong code."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSERT_ONLY = (
    "events",
    "subjects",
    "facts",
    "policies",
    "decisions",
    "instructions",
    "refusals",
    "audit_entries",
)

# Nothing that was recorded is changed or deleted, whoever asks.
REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is insert-only: add a correcting row instead', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""

# Law 3, held by the database: the net sum instructed is the benefit, when the transaction ends. Checked from both
# sides: a benefit without its instruction is a lost payment, an instruction without its benefit a wrong one.
INSTRUCTED = """
CREATE FUNCTION benefit_is_instructed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    due bigint;
    instructed bigint;
BEGIN
    SELECT benefit INTO due FROM benefits WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id;
    SELECT balance_after INTO instructed FROM instructions
        WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id ORDER BY revision DESC LIMIT 1;
    IF coalesce(due, 0) <> coalesce(instructed, 0) THEN
        RAISE EXCEPTION 'claim % scheme %: % fen are due but % are instructed',
            NEW.claim_id, NEW.scheme_id, coalesce(due, 0), coalesce(instructed, 0)
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

FORWARD = """
CREATE FUNCTION only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.epoch < OLD.epoch OR NEW.audit_seq < OLD.audit_seq OR NEW.outbox_seq < OLD.outbox_seq THEN
        RAISE EXCEPTION 'shard %: a sequence went backwards', OLD.shard USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    create_tables()
    op.execute(REFUSE)
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(INSTRUCTED)
    op.execute(
        "CREATE CONSTRAINT TRIGGER instruction_has_benefit AFTER INSERT ON instructions "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION benefit_is_instructed()"
    )
    for name, event, when in (
        ("benefit_inserted", "INSERT", "NEW.benefit <> 0"),
        ("benefit_changed", "UPDATE", "NEW.benefit <> OLD.benefit"),
    ):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {event} ON benefits DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION benefit_is_instructed()"
        )
    op.execute(FORWARD)
    op.execute("CREATE TRIGGER only_forward BEFORE UPDATE ON shards FOR EACH ROW EXECUTE FUNCTION only_forward()")
    op.execute(
        "ALTER TABLE policies ADD CONSTRAINT policies_one_a_day "
        "EXCLUDE USING gist (daterange(effective_from, effective_to) WITH &&)"
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("the first migration cannot be undone without losing the ledger")


def create_tables() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "seq"),
    )
    op.create_table(
        "benefits",
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("scheme_id", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("measured", sa.BigInteger(), nullable=False),
        sa.Column("benefit", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("instruction_revision", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.Text(), nullable=True),
        sa.Column("policy_sha256", sa.Text(), nullable=True),
        sa.CheckConstraint("benefit >= 0", name="benefits_not_negative"),
        sa.PrimaryKeyConstraint("claim_id", "scheme_id"),
    )
    op.create_table(
        "claims",
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("policy_sha256", sa.Text(), nullable=True),
        sa.Column("discharged_on", sa.Date(), nullable=True),
        sa.Column("personal_burden", sa.BigInteger(), nullable=False),
        sa.Column("total_benefit", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("total_benefit BETWEEN 0 AND personal_burden", name="claims_never_above_burden"),
        sa.PrimaryKeyConstraint("claim_id"),
    )
    op.create_index("claims_of_person", "claims", ["person_id"], unique=False)
    op.create_index(
        "claims_without_policy", "claims", ["discharged_on"], unique=False, postgresql_where="status = 'no_policy'"
    )
    op.create_table(
        "decisions",
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("claim_id", "revision"),
    )
    op.create_table(
        "events",
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "disposition IN ('accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay')",
            name="events_disposition",
        ),
        sa.PrimaryKeyConstraint("event_no"),
        sa.UniqueConstraint("topic", "partition", "offset", name="events_once"),
    )
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "instructions",
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("scheme_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance_before", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column(
            "revision_before", sa.BigInteger(), sa.Computed("NULLIF(revision - 1, 0)", persisted=True), nullable=True
        ),
        sa.CheckConstraint(
            "balance_after = balance_before + CASE kind WHEN 'payment' THEN amount WHEN 'recovery' THEN -amount END",
            name="instructions_balance",
        ),
        sa.CheckConstraint("kind IN ('payment', 'recovery')", name="instructions_kind"),
        sa.CheckConstraint("amount > 0 AND balance_after >= 0", name="instructions_positive"),
        sa.CheckConstraint("revision >= 1 AND (revision > 1 OR balance_before = 0)", name="instructions_start"),
        sa.ForeignKeyConstraint(
            ["claim_id", "scheme_id", "revision_before", "balance_before"],
            ["instructions.claim_id", "instructions.scheme_id", "instructions.revision", "instructions.balance_after"],
            name="instructions_follow",
        ),
        sa.PrimaryKeyConstraint("payout_id"),
        sa.UniqueConstraint("claim_id", "scheme_id", "revision", "balance_after", name="instructions_chain"),
        sa.UniqueConstraint("claim_id", "scheme_id", "revision", name="instructions_once"),
    )
    op.create_table(
        "offsets",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("next_offset >= 0", name="offsets_not_negative"),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "outbox",
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "seq"),
    )
    op.create_table(
        "relays",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("relayed_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.create_table(
        "shards",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("audit_hash", sa.Text(), nullable=False),
        sa.Column("outbox_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.create_table(
        "subjects",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("encounter_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "subject_id"),
    )
    op.create_table(
        "facts",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_no"],
            ["events.event_no"],
        ),
        sa.PrimaryKeyConstraint("kind", "subject_id", "version"),
    )
    op.create_index("facts_of_person", "facts", ["person_id"], unique=False)
    op.create_table(
        "policies",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("source_text", sa.Text(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_no"],
            ["events.event_no"],
        ),
        sa.PrimaryKeyConstraint("sha256"),
        sa.UniqueConstraint("policy_id"),
    )
    op.create_table(
        "refusals",
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("pointers", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_no"],
            ["events.event_no"],
        ),
        sa.PrimaryKeyConstraint("event_no"),
    )
