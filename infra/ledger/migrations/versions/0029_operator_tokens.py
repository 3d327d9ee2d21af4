"""Who is signed in on the command line."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operator_tokens",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_name"], ["console_users.name"]),
        sa.PrimaryKeyConstraint("token_sha256"),
    )
    op.create_index("operator_tokens_of_user", "operator_tokens", ["user_name"])


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("who is signed in cannot be forgotten without losing the ledger: restore a backup")
