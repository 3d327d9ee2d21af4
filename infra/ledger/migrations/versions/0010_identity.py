"""What the relay has sent, as a running hash; and what the topics held before an adopted ledger sent anything."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NO_HASH = "0" * 64


def upgrade() -> None:
    # The chain of a ledger that has sent before begins here: its cursors hold no hash to compare with.
    op.add_column("relays", sa.Column("relayed_hash", sa.Text(), server_default=NO_HASH, nullable=False))
    op.create_table(
        "sent_before",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "mark"),
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("what was sent cannot be forgotten without losing the ledger: restore a backup")
