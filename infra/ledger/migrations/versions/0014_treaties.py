"""Treaties: who pays an instruction, and who had paid what is taken back.

Instructions from before are the public fund's.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# What a payer takes back is at most what it had paid, for each payee.
PAID = """
CREATE FUNCTION payer_had_paid() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    net bigint;
BEGIN
    SELECT sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) INTO net FROM instructions
        WHERE (claim_id, scheme_id, payee_id, payer) = (NEW.claim_id, NEW.scheme_id, NEW.payee_id, NEW.payer)
            AND treaty_id IS NOT DISTINCT FROM NEW.treaty_id;
    IF net < 0 THEN
        RAISE EXCEPTION 'payout %: % takes back % fen more than it had paid', NEW.payout_id, NEW.payer, -net
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

# The lock makes two publications come one after the other, whatever else they hold.
ONE_A_DAY = """
CREATE FUNCTION treaties_one_a_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other text;
BEGIN
    LOCK TABLE treaties IN SHARE ROW EXCLUSIVE MODE;
    SELECT treaty_id INTO other FROM treaties WHERE schemes && NEW.schemes
        AND daterange(effective_from, effective_to) && daterange(NEW.effective_from, NEW.effective_to) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'treaties % and % cover a scheme on one day', other, NEW.treaty_id
            USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$
"""

# As in 0013, and by the payer whose payout failed.
REISSUED = """
CREATE OR REPLACE FUNCTION reissue_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text := coalesce(NEW.reissue_of, NEW.reversal_of);
BEGIN
    PERFORM 1 FROM instructions failed
        JOIN instructions again ON again.reissue_of = failed.payout_id AND again.kind = failed.kind
            AND (again.claim_id, again.scheme_id, again.payee_id, again.payer)
                = (failed.claim_id, failed.scheme_id, failed.payee_id, failed.payer)
            AND again.treaty_id IS NOT DISTINCT FROM failed.treaty_id
        JOIN instructions off ON off.reversal_of = failed.payout_id AND off.kind <> failed.kind
            AND (off.claim_id, off.scheme_id, off.payee_id, off.amount, off.payer)
                = (again.claim_id, again.scheme_id, again.payee_id, again.amount, again.payer)
            AND off.treaty_id IS NOT DISTINCT FROM again.treaty_id
        JOIN payout_states told ON (told.payout_id, told.person_id) = (failed.payout_id, failed.person_id)
        WHERE failed.payout_id = name AND failed.reversal_of IS NULL AND again.amount <= failed.amount
            AND told.state IN ('failed', 'returned');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payout %: a reissue needs a failed payout, its reversal and the new order', name
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

DISPOSITIONS = (
    "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', 'console', 'treaty'"
)


def upgrade() -> None:
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", f"disposition IN ({DISPOSITIONS})")
    op.create_table(
        "treaties",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("treaty_id", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("schemes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("source_text", sa.Text(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("lead <> 'fund' AND cardinality(schemes) > 0", name="treaties_lead"),
        sa.CheckConstraint("effective_to > effective_from", name="treaties_days"),
        sa.ForeignKeyConstraint(["event_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("sha256"),
        sa.UniqueConstraint("treaty_id"),
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON treaties "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(ONE_A_DAY)
    op.execute(
        "CREATE TRIGGER treaties_one_a_day BEFORE INSERT ON treaties FOR EACH ROW EXECUTE FUNCTION treaties_one_a_day()"
    )
    for table in ("benefits", "facility_shares"):
        op.add_column(table, sa.Column("paid_by", sa.Text(), server_default="", nullable=False))
    op.add_column("instructions", sa.Column("payer", sa.Text(), server_default="fund", nullable=False))
    op.add_column("instructions", sa.Column("treaty_id", sa.Text(), nullable=True))
    op.create_foreign_key("instructions_treaty", "instructions", "treaties", ["treaty_id"], ["treaty_id"])
    op.create_check_constraint("instructions_payer", "instructions", "(payer = 'fund') = (treaty_id IS NULL)")
    op.create_index(
        "instructions_of_insurer", "instructions", ["payer", "event_no"], postgresql_where="payer <> 'fund'"
    )
    op.drop_constraint("api_keys_role", "api_keys")
    op.create_check_constraint("api_keys_role", "api_keys", "role IN ('hospital', 'insurer', 'lead', 'registry')")
    op.execute(PAID)
    op.execute(
        "CREATE CONSTRAINT TRIGGER payer_had_paid AFTER INSERT ON instructions DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.kind = 'recovery') EXECUTE FUNCTION payer_had_paid()"
    )
    op.execute(REISSUED)


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("who paid cannot be forgotten without losing the ledger: restore a backup")
