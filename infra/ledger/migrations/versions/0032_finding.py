"""Payouts are found by their bank references, and persons by names and numbers, of which there are keyed hashes.

The migration has no key: `huzhu people rotate` makes the hashes of whoever is in the directory already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
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
    op.create_table(
        "people_hashes",
        sa.Column("person_index", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.LargeBinary()),
        sa.Column("phone", sa.LargeBinary()),
        sa.Column("id_number", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["person_index"], ["people.person_index"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_index"),
    )
    for field in ("name", "phone", "id_number"):
        op.create_index(f"people_hashes_{field}", "people_hashes", [field], unique=False)
    op.add_column("console_users", sa.Column("person_searches", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("console_users", sa.Column("person_searches_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("console_users", "person_searches_since")
    op.drop_column("console_users", "person_searches")
    op.drop_table("people_hashes")
    op.drop_table("digest_reference_marks")
    op.drop_table("digest_references")
