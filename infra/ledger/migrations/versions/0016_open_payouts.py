"""The digest knows which payouts are open, and since when; it is built anew."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_open",
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("payee_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("payout_id"),
    )
    place = ["kind", "payer", "payee_id", "day", "event_no", "payout_id"]
    op.create_index("digest_open_by_age", "digest_open", place, unique=False)
    names = "marks, digest_money, digest_claims, digest_waiting, digest_invoices, digest_refused, digest_replays"
    op.execute(f"TRUNCATE digest_{names}")


def downgrade() -> None:
    op.drop_table("digest_open")
