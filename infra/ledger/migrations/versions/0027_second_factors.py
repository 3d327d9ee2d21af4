"""Second factors of the console's users, and sessions that still await a code."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "console_sessions", sa.Column("awaits_code", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.create_table(
        "second_factors",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("recovery_sha256", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_name"], ["console_users.name"]),
        sa.PrimaryKeyConstraint("user_name"),
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("second factors cannot be forgotten without losing the ledger: restore a backup")
