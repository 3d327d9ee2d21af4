"""The traceparents of what waits: in the inbox, in the queue of the group step, in the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns without a value, so no row is touched."""
    op.add_column("inbox", sa.Column("traceparent", sa.Text()))
    op.add_column("group_work", sa.Column("traceparent", sa.Text()))
    op.add_column("outbox_batches", sa.Column("traceparents", sa.Text()))


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("a release cannot be taken back without losing the ledger: restore a backup")
