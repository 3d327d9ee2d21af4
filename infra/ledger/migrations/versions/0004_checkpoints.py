"""Signed checkpoints of the audit chains, and exports among the acts of operators."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DISPOSITIONS = "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export'"


def upgrade() -> None:
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", f"disposition IN ({DISPOSITIONS})")
    op.create_table(
        "checkpoints",
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "size"),
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoints "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("checkpoints cannot be forgotten without losing the ledger: restore a backup")
