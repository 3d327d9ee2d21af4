"""Days: which are closed on each shard."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Whoever closes a day holds the shard, so its newest day is known here.
FOLLOWS = """
CREATE FUNCTION day_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    today date;
    before date;
BEGIN
    SELECT (recorded_at AT TIME ZONE 'Asia/Shanghai')::date INTO today FROM events
        WHERE event_no = NEW.event_no AND shard = NEW.shard AND topic = 'calendar.days' AND disposition = 'accepted';
    SELECT max(day) INTO before FROM closed_days WHERE shard = NEW.shard;
    IF today IS NULL THEN
        RAISE EXCEPTION 'shard % day %: event % closes no day of it', NEW.shard, NEW.day, NEW.event_no
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.day > today THEN
        RAISE EXCEPTION 'shard % day %: it was % when that was recorded', NEW.shard, NEW.day, today
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.day <> before + 1 THEN
        RAISE EXCEPTION 'shard % day %: % is closed and the next day follows', NEW.shard, NEW.day, before
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "closed_days",
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["event_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("shard", "day"),
    )
    op.execute(FOLLOWS)
    op.execute("CREATE TRIGGER day_follows BEFORE INSERT ON closed_days FOR EACH ROW EXECUTE FUNCTION day_follows()")
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON closed_days "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("which days are closed cannot be forgotten without losing the ledger: restore a backup")
