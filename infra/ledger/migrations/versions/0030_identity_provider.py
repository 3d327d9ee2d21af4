"""Users of the console whom an identity provider knows, and sessions that end with its word."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("console_sessions", sa.Column("until", sa.DateTime(timezone=True)))
    op.create_table(
        "oidc_identities",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_name"], ["console_users.name"]),
        sa.PrimaryKeyConstraint("user_name"),
        sa.UniqueConstraint("issuer", "subject", name="oidc_identities_once"),
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("whom a provider knows cannot be forgotten without losing the ledger: restore a backup")
