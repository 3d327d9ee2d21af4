"""The digest keeps a list of claims, which consoles fill; what it had before stays."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_list_marks",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.create_table(
        "digest_claim_list",
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("facility_id", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("schemes", sa.ARRAY(sa.Text()), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("due", "held", "waiting", "unpaid", "outstanding")
        ),
        sa.PrimaryKeyConstraint("claim_id"),
    )
    for name, columns in (
        ("day", ["day", "claim_id"]),
        ("amount", ["due", "claim_id"]),
        ("status", ["status", "day", "claim_id"]),
        ("facility", ["facility_id", "day", "claim_id"]),
        ("area", ["area", "day", "claim_id"]),
    ):
        op.create_index(f"digest_claim_list_by_{name}", "digest_claim_list", columns)
    op.create_index("digest_claim_list_by_scheme", "digest_claim_list", ["schemes"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_table("digest_claim_list")
    op.drop_table("digest_list_marks")
