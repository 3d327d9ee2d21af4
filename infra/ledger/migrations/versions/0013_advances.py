"""Facilities advance benefits and are paid back: instructions run for each payee of a claim and scheme.

Instructions from before are the person's or the estate's, with the ids that they have.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Law 3, over all payees. What one facility gets is checked too, so what is left is the person's or the estate's.
INSTRUCTED = """
CREATE OR REPLACE FUNCTION benefit_is_instructed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    due bigint;
    instructed bigint;
BEGIN
    SELECT benefit INTO due FROM benefits WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id;
    SELECT sum(balance_after) INTO instructed FROM (
        SELECT DISTINCT ON (payee_id) balance_after FROM instructions
        WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id ORDER BY payee_id, revision DESC
    ) AS newest;
    IF coalesce(due, 0) <> coalesce(instructed, 0) THEN
        RAISE EXCEPTION 'claim % scheme %: % fen are due but % are instructed',
            NEW.claim_id, NEW.scheme_id, coalesce(due, 0), coalesce(instructed, 0)
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

SHARED = """
CREATE FUNCTION share_is_instructed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    payee text := CASE TG_TABLE_NAME WHEN 'instructions' THEN to_jsonb(NEW) ->> 'payee_id'
        ELSE to_jsonb(NEW) ->> 'facility_id' END;
    due bigint;
    instructed bigint;
BEGIN
    SELECT amount INTO due FROM facility_shares
        WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id AND facility_id = payee;
    SELECT balance_after INTO instructed FROM instructions
        WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id AND payee_id = payee
        ORDER BY revision DESC LIMIT 1;
    IF coalesce(due, 0) <> coalesce(instructed, 0) THEN
        RAISE EXCEPTION 'claim % scheme % facility %: % fen are due but % are instructed',
            NEW.claim_id, NEW.scheme_id, payee, coalesce(due, 0), coalesce(instructed, 0)
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""


# As in 0003, and to the payee who did not get it.
REISSUED = """
CREATE OR REPLACE FUNCTION reissue_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text := coalesce(NEW.reissue_of, NEW.reversal_of);
BEGIN
    PERFORM 1 FROM instructions failed
        JOIN instructions again ON again.reissue_of = failed.payout_id AND again.kind = failed.kind
            AND (again.claim_id, again.scheme_id, again.payee_id) = (failed.claim_id, failed.scheme_id, failed.payee_id)
        JOIN instructions off ON off.reversal_of = failed.payout_id AND off.kind <> failed.kind
            AND (off.claim_id, off.scheme_id, off.payee_id, off.amount)
                = (again.claim_id, again.scheme_id, again.payee_id, again.amount)
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


def upgrade() -> None:
    op.add_column("claims", sa.Column("advanced", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "facility_shares",
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("scheme_id", sa.Text(), nullable=False),
        sa.Column("facility_id", sa.Text(), nullable=False),
        sa.Column("advanced", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("instruction_revision", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount >= 0 AND amount <= advanced AND facility_id <> ''", name="facility_shares_not_over"),
        sa.PrimaryKeyConstraint("claim_id", "scheme_id", "facility_id"),
    )
    op.add_column("instructions", sa.Column("payee_id", sa.Text(), server_default="", nullable=False))
    op.drop_constraint("instructions_follow", "instructions")
    op.drop_constraint("instructions_chain", "instructions")
    op.drop_constraint("instructions_once", "instructions")
    line = ["claim_id", "scheme_id", "payee_id"]
    op.create_unique_constraint("instructions_once", "instructions", [*line, "revision"])
    op.create_unique_constraint("instructions_chain", "instructions", [*line, "revision", "balance_after"])
    op.create_foreign_key(
        "instructions_follow",
        "instructions",
        "instructions",
        [*line, "revision_before", "balance_before"],
        [*line, "revision", "balance_after"],
    )
    op.execute(INSTRUCTED)
    op.execute(SHARED)
    op.execute(REISSUED)
    for name, table, event, when in (
        ("instruction_has_share", "instructions", "INSERT", "NEW.payee_id <> ''"),
        ("share_inserted", "facility_shares", "INSERT", "NEW.amount <> 0"),
        ("share_changed", "facility_shares", "UPDATE", "NEW.amount <> OLD.amount"),
    ):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {event} ON {table} DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION share_is_instructed()"
        )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("who was paid cannot be forgotten without losing the ledger: restore a backup")
