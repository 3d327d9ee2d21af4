"""Pools: what they received, what they released, and whose benefits wait for their money.

What the ledger holds already was released at once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

DISPOSITIONS = (
    "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', 'console', "
    "'treaty', 'statement', 'closing', 'recovery', 'group'"
)

# As in 0013: what is instructed is what is released.
INSTRUCTED = """
CREATE OR REPLACE FUNCTION benefit_is_instructed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    due bigint;
    instructed bigint;
BEGIN
    SELECT released INTO due FROM benefits WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id;
    SELECT sum(balance_after) INTO instructed FROM (
        SELECT DISTINCT ON (payee_id) balance_after FROM instructions
        WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id ORDER BY payee_id, revision DESC
    ) AS newest;
    IF coalesce(due, 0) <> coalesce(instructed, 0) THEN
        RAISE EXCEPTION 'claim % scheme %: % fen are released but % are instructed',
            NEW.claim_id, NEW.scheme_id, coalesce(due, 0), coalesce(instructed, 0)
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

# As in 0014, and the pool too gets back at most what its money had paid.
PAID = """
CREATE OR REPLACE FUNCTION payer_had_paid() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    net bigint;
BEGIN
    SELECT sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) INTO net FROM instructions
        WHERE (claim_id, scheme_id, payee_id, payer) = (NEW.claim_id, NEW.scheme_id, NEW.payee_id, NEW.payer)
            AND treaty_id IS NOT DISTINCT FROM NEW.treaty_id AND pool_id IS NOT DISTINCT FROM NEW.pool_id;
    IF net < 0 THEN
        RAISE EXCEPTION 'payout %: % takes back % fen more than it had paid', NEW.payout_id, NEW.payer, -net
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

# Whoever releases holds the pool's shard, and so does whoever takes in a contribution: the sums are whole here.
COVERED = """
CREATE FUNCTION pool_covers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.amount <= OLD.amount
        OR NOT EXISTS (SELECT FROM pools WHERE pool_id = NEW.pool_id AND on_shortage <> 'owe') THEN
        RETURN NULL;
    END IF;
    SELECT sum(CASE side WHEN 'released' THEN amount ELSE -amount END) INTO missing FROM pool_sums
        WHERE pool_id = NEW.pool_id;
    IF missing > 0 THEN
        RAISE EXCEPTION 'pool %: % fen more are released than it has', NEW.pool_id, missing
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", f"disposition IN ({DISPOSITIONS}, 'pool')")
    op.add_column("instructions", sa.Column("pool_id", sa.Text(), nullable=True))
    op.create_index(
        "instructions_of_pool",
        "instructions",
        ["pool_id", "event_no"],
        postgresql_where=sa.text("pool_id IS NOT NULL"),
    )
    op.add_column("settled_recoveries", sa.Column("pool_id", sa.Text(), nullable=True))
    op.drop_constraint("clearing_proposals_act", "clearing_proposals")
    acts = "'statement', 'closing', 'set_off', 'waiver', 'pool_year'"
    op.create_check_constraint("clearing_proposals_act", "clearing_proposals", f"act IN ({acts})")
    benefits()
    pools()
    op.execute(PAID)
    op.execute(INSTRUCTED)


def benefits() -> None:
    op.execute("DROP TRIGGER benefit_inserted ON benefits")
    op.execute("DROP TRIGGER benefit_changed ON benefits")
    op.add_column("benefits", sa.Column("released", sa.BigInteger(), nullable=True))
    op.execute("UPDATE benefits SET released = benefit")
    op.alter_column("benefits", "released", nullable=False)
    op.add_column("benefits", sa.Column("pool_id", sa.Text(), nullable=True))
    op.add_column("benefits", sa.Column("discharged_on", sa.Date(), nullable=True))
    op.add_column("benefits", sa.Column("place", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("benefits", sa.Column("told", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("benefits", sa.Column("left_by_close", sa.BigInteger(), server_default="0", nullable=False))
    op.create_check_constraint(
        "benefits_released",
        "benefits",
        "released BETWEEN 0 AND benefit AND (released = benefit OR (pool_id <> '' AND discharged_on IS NOT NULL))",
    )
    op.create_check_constraint("benefits_waiting", "benefits", "told >= 0 AND left_by_close >= 0")
    op.create_index(
        "benefits_waiting_for_pool",
        "benefits",
        ["pool_id", "discharged_on", sa.text('claim_id COLLATE "C"'), "place"],
        postgresql_where=sa.text("released + left_by_close < benefit"),
    )
    op.create_index("benefits_untold", "benefits", ["pool_id"], postgresql_where=sa.text("told <> benefit - released"))
    for name, event, when in (
        ("benefit_inserted", "INSERT", "NEW.released <> 0"),
        ("benefit_changed", "UPDATE", "NEW.released <> OLD.released"),
    ):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {event} ON benefits DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION benefit_is_instructed()"
        )


def pools() -> None:
    op.create_table(
        "pools",
        sa.Column("pool_id", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("on_shortage", sa.Text(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.CheckConstraint("on_shortage IN ('owe', 'queue', 'pro_rata')", name="pools_on_shortage"),
        sa.PrimaryKeyConstraint("pool_id"),
    )
    op.create_table(
        "contributions",
        sa.Column("contribution_id", sa.Text(), nullable=False),
        sa.Column("pool_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("heads", sa.BigInteger(), nullable=True),
        sa.Column("payer", sa.Text(), nullable=True),
        sa.Column("restricted_to", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("voided", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount >= 0 AND (amount = 0) = voided", name="contributions_amount"),
        sa.PrimaryKeyConstraint("contribution_id"),
    )
    op.create_index("contributions_of_pool", "contributions", ["pool_id", "received_on"])
    op.create_table(
        "pool_work",
        sa.Column("work_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("side IN ('received', 'released')", name="pool_work_side"),
        sa.ForeignKeyConstraint(["event_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("work_no"),
    )
    op.create_index("pool_work_of_shard", "pool_work", ["shard", "work_no"])
    op.create_index("pool_work_of_pool", "pool_work", ["pool_id"])
    op.create_table(
        "pool_sums",
        sa.Column("pool_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("side IN ('received', 'released')", name="pool_sums_side"),
        sa.PrimaryKeyConstraint("pool_id", "side", "key"),
    )
    op.create_table(
        "pool_alerts",
        sa.Column("pool_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "code"),
    )
    op.create_table(
        "pool_years",
        sa.Column("pool_id", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=False),
        sa.Column("claims", sa.BigInteger(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("released BETWEEN 0 AND due", name="pool_years_released"),
        sa.ForeignKeyConstraint(["event_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("pool_id", "year"),
    )
    op.execute(COVERED)
    op.execute(
        "CREATE CONSTRAINT TRIGGER pool_covers AFTER INSERT OR UPDATE ON pool_sums DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.side = 'released') EXECUTE FUNCTION pool_covers()"
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pool_years "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("what pools paid cannot be forgotten without losing the ledger: restore a backup")
