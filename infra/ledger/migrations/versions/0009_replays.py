"""The digest follows refused events that are sent again to the event as which they come in; it is built anew."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_replays",
        sa.Column("act_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("refused_no", sa.BigInteger(), nullable=False),
        sa.Column("sent_sha256", sa.Text(), nullable=False),
        sa.Column("came_back_no", sa.BigInteger(), nullable=True),
        sa.Column("came_back_as", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("act_no"),
    )
    op.create_index("digest_replays_refused", "digest_replays", ["refused_no"], unique=False)
    op.create_index(
        "digest_replays_away",
        "digest_replays",
        ["shard"],
        unique=False,
        postgresql_where=sa.text("came_back_no IS NULL"),
    )
    op.execute("TRUNCATE digest_marks, digest_money, digest_claims, digest_waiting, digest_invoices, digest_refused")


def downgrade() -> None:
    op.drop_table("digest_replays")
