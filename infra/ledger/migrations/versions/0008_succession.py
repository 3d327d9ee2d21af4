"""A policy may end another one: the days of each policy move to a table of their own, and may be shortened once."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The days of a policy follow from the rows of `policies`, which never change, so the database derives them itself.
# Publishing a successor ends the other policy first; what then shares a day is refused by policies_one_a_day.
TERM = """
CREATE FUNCTION policy_takes_its_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.succeeds IS NOT NULL THEN
        UPDATE policy_intervals SET effective_to = NEW.effective_from, succeeded_by = NEW.policy_id
            WHERE policy_id = NEW.succeeds AND effective_to IS NULL AND effective_from < NEW.effective_from;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'policy % cannot succeed %: that one is not there, has an end, or starts later',
                NEW.policy_id, NEW.succeeds USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    INSERT INTO policy_intervals (policy_id, effective_from, effective_to)
        VALUES (NEW.policy_id, NEW.effective_from, NEW.effective_to);
    RETURN NULL;
END $$
"""

SHORTENED = """
CREATE FUNCTION only_shortened_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.effective_to IS NULL AND NEW.policy_id = OLD.policy_id
        AND NEW.effective_from = OLD.effective_from
        AND EXISTS (SELECT FROM policies WHERE policy_id = NEW.succeeded_by AND succeeds = OLD.policy_id
            AND effective_from = NEW.effective_to)
    THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' AND NEW.succeeded_by IS NULL
        AND EXISTS (SELECT FROM policies WHERE policy_id = NEW.policy_id AND effective_from = NEW.effective_from
            AND effective_to IS NOT DISTINCT FROM NEW.effective_to)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the days of policy % change only when another policy succeeds it',
        coalesce(OLD.policy_id, NEW.policy_id) USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.add_column("policies", sa.Column("succeeds", sa.Text(), nullable=True))
    op.create_unique_constraint("policies_one_successor", "policies", ["succeeds"])
    op.create_foreign_key("policies_succeeds", "policies", "policies", ["succeeds"], ["policy_id"])
    op.create_table(
        "policy_intervals",
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("succeeded_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["policy_id"], ["policies.policy_id"]),
        sa.ForeignKeyConstraint(["succeeded_by"], ["policies.policy_id"]),
        sa.PrimaryKeyConstraint("policy_id"),
    )
    op.execute(
        "INSERT INTO policy_intervals (policy_id, effective_from, effective_to) "
        "SELECT policy_id, effective_from, effective_to FROM policies"
    )
    op.execute("ALTER TABLE policies DROP CONSTRAINT policies_one_a_day")
    op.execute(
        "ALTER TABLE policy_intervals ADD CONSTRAINT policies_one_a_day "
        "EXCLUDE USING gist (daterange(effective_from, effective_to) WITH &&)"
    )
    op.execute(TERM)
    op.execute(
        "CREATE TRIGGER takes_its_days AFTER INSERT ON policies FOR EACH ROW EXECUTE FUNCTION policy_takes_its_days()"
    )
    op.execute(SHORTENED)
    op.execute(
        "CREATE TRIGGER only_shortened_once BEFORE INSERT OR UPDATE OR DELETE ON policy_intervals "
        "FOR EACH ROW EXECUTE FUNCTION only_shortened_once()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON policy_intervals "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError(
        "policies cannot be given back their own days without losing the ledger: restore a backup instead"
    )
