"""When workers and relays were started, and which relay sent last for a shard."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("relays", sa.Column("sent_by", sa.Text(), nullable=True))
    op.add_column("relays", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "process_starts",
        sa.Column("start_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("start_no"),
    )
    op.create_index("process_starts_at", "process_starts", ["started_at"], unique=False)


def downgrade() -> None:
    op.drop_table("process_starts")
    op.drop_column("relays", "sent_at")
    op.drop_column("relays", "sent_by")
