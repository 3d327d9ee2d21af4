"""Contradicted payouts are found by an index; the digest is built anew, with recoveries under their tiers."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "payout_states_contradicted",
        "payout_states",
        ["payout_id"],
        unique=False,
        postgresql_where=sa.text("contradictions > 0"),
    )
    op.execute("TRUNCATE digest_marks, digest_money, digest_claims, digest_waiting, digest_invoices, digest_refused")


def downgrade() -> None:
    op.drop_index("payout_states_contradicted", "payout_states")
