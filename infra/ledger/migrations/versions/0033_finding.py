"""Payouts are found by their bank references, which a part of the digest with marks of its own gathers."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_references",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reference", "payout_id"),
    )
    op.create_table(
        "digest_reference_marks",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )


def downgrade() -> None:
    op.drop_table("digest_reference_marks")
    op.drop_table("digest_references")
