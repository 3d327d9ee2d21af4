"""The outbox by the batch: one row carries the messages of a batch and shard."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# What a key on the number did for single messages: no number twice, nor before one that waits already.
FOLLOW = """
CREATE FUNCTION batch_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM outbox_batches WHERE shard = NEW.shard AND last_seq >= NEW.first_seq)
        OR EXISTS (SELECT FROM outbox WHERE shard = NEW.shard AND seq >= NEW.first_seq)
    THEN
        RAISE EXCEPTION 'shard %: the outbox has % already', NEW.shard, NEW.first_seq
            USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END $$
"""

# A batch goes whole, and when the ledger knows its last message as sent.
SENT = """
CREATE FUNCTION batch_is_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.last_seq > coalesce((SELECT relayed_seq FROM relays WHERE shard = OLD.shard), 0) THEN
        RAISE EXCEPTION 'shard %: the batch up to % is not sent yet', OLD.shard, OLD.last_seq
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "outbox_batches",
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("first_seq BETWEEN 1 AND last_seq", name="outbox_batches_numbers"),
        sa.PrimaryKeyConstraint("shard", "last_seq"),
    )
    op.execute("ALTER TABLE outbox_batches ALTER COLUMN messages SET STORAGE EXTERNAL")
    op.execute(FOLLOW)
    op.execute(SENT)
    for name, when, function in (
        ("batch_follows", "BEFORE INSERT", "batch_follows"),
        ("batch_is_sent", "BEFORE DELETE", "batch_is_sent"),
        ("batch_stays", "BEFORE UPDATE", "refuse_change"),
    ):
        op.execute(f"CREATE TRIGGER {name} {when} ON outbox_batches FOR EACH ROW EXECUTE FUNCTION {function}()")


def downgrade() -> None:
    """Possible where nothing waits; what waits could not be read by the older program, and would be lost."""
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM outbox_batches)")):
        raise RuntimeError("batches wait in the outbox: stop the workers and let the relay send them first")
    op.drop_table("outbox_batches")
    op.execute("DROP FUNCTION batch_follows(), batch_is_sent()")
