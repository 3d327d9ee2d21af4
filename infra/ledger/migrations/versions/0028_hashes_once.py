"""The hashes of an audit entry stand once in the ledger, inside its bytes: the columns beside them stay empty."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No row is read or written. Workers of the release before still fill the columns, which does no harm.
    op.execute("ALTER TABLE audit_entries ALTER COLUMN prev_hash DROP NOT NULL, ALTER COLUMN hash DROP NOT NULL")


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("hashes beside the entries cannot be filled in without losing the ledger: restore a backup")
