"""Published watches, and which claims cross a step of one."""

import sqlalchemy as sa
from alembic import op

from infra.ledger.changed_checks import change_check

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# The lock makes two publications come one after the other, whatever else they hold.
ONE_A_DAY = """
CREATE FUNCTION watches_one_a_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other text;
BEGIN
    LOCK TABLE watches IN SHARE ROW EXCLUSIVE MODE;
    SELECT watches_id INTO other FROM watches WHERE watch_ids && NEW.watch_ids
        AND daterange(effective_from, effective_to) && daterange(NEW.effective_from, NEW.effective_to) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'files % and % have one watch on one day', other, NEW.watches_id
            USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$
"""

DISPOSITIONS = (
    "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', 'console', "
    "'treaty', 'statement', 'closing', 'recovery', 'group', 'pool', 'alert', 'hold', 'deaths'"
)


def upgrade() -> None:
    change_check("events", "events_disposition", f"disposition IN ({DISPOSITIONS}, 'watches')")
    op.create_table(
        "watches",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("watches_id", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("watch_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("source_text", sa.Text(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cardinality(watch_ids) > 0", name="watches_some"),
        sa.CheckConstraint("effective_to > effective_from", name="watches_days"),
        sa.ForeignKeyConstraint(["event_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("sha256"),
        sa.UniqueConstraint("watches_id"),
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON watches "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(ONE_A_DAY)
    op.execute(
        "CREATE TRIGGER watches_one_a_day BEFORE INSERT ON watches FOR EACH ROW EXECUTE FUNCTION watches_one_a_day()"
    )
    op.add_column("claims", sa.Column("crossings", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("what was published cannot be forgotten without losing the ledger: restore a backup")
