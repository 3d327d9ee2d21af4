"""Proposals to reissue a payout, which a second operator approves or rejects."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reissue_proposals",
        sa.Column("proposal_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.CheckConstraint("decided_by <> proposed_by", name="reissue_proposals_four_eyes"),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)",
            name="reissue_proposals_decided",
        ),
        sa.CheckConstraint("decision IN ('approved', 'rejected')", name="reissue_proposals_decision"),
        sa.ForeignKeyConstraint(["payout_id"], ["instructions.payout_id"]),
        sa.PrimaryKeyConstraint("proposal_no"),
    )
    op.create_index(
        "reissue_proposals_open",
        "reissue_proposals",
        ["payout_id"],
        unique=True,
        postgresql_where=sa.text("decision IS NULL"),
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("proposals cannot be forgotten without losing the ledger: restore a backup")
