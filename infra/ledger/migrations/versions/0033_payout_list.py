"""The digest keeps a list of payouts, which consoles fill; what it had before stays."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_payout_marks",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.create_table(
        "digest_payout_list",
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("claim_id", "scheme_id", "kind", "state", "payer", "payee_id")
        ),
        sa.Column("payouts", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("payout_id", "tier"),
    )
    for name, columns in (
        ("day", ["day", "payout_id", "tier"]),
        ("amount", ["amount", "payout_id", "tier"]),
        ("state", ["state", "kind", "day", "payout_id", "tier"]),
        ("scheme", ["scheme_id", "tier", "day", "payout_id"]),
        ("payer", ["payer", "day", "payout_id", "tier"]),
    ):
        op.create_index(f"digest_payout_list_by_{name}", "digest_payout_list", columns)


def downgrade() -> None:
    op.drop_table("digest_payout_list")
    op.drop_table("digest_payout_marks")
