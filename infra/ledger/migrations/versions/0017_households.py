"""Households: who is linked to which, and whose claims wait to be decided with their group's."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

DISPOSITIONS = (
    "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', 'console', "
    "'treaty', 'statement', 'closing', 'recovery'"
)


def upgrade() -> None:
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", f"disposition IN ({DISPOSITIONS}, 'group')")
    op.add_column("claims", sa.Column("household_id", sa.Text(), nullable=True))
    op.add_column("claims", sa.Column("overlapping", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "memberships",
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("household_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("membership_id"),
    )
    linking = sa.text("household_id IS NOT NULL")
    op.create_index("memberships_of_person", "memberships", ["person_id"], postgresql_where=linking)
    op.create_index("memberships_of_household", "memberships", ["household_id"], postgresql_where=linking)
    op.create_table(
        "group_work",
        sa.Column("work_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("households", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["event_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("work_no"),
    )
    op.create_index("group_work_of_shard", "group_work", ["shard", "work_no"])
    op.create_index("group_work_of_person", "group_work", ["person_id"])
    op.create_index(
        "group_work_of_household",
        "group_work",
        ["households"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.add_column("shards", sa.Column("redated", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("inbox", sa.Column("household_id", sa.Text(), nullable=True))
    op.create_index("inbox_of_household", "inbox", ["household_id"], postgresql_where=linking)


def downgrade() -> None:
    op.drop_index("inbox_of_household", "inbox")
    op.drop_column("inbox", "household_id")
    op.drop_column("shards", "redated")
    op.drop_table("group_work")
    op.drop_table("memberships")
    op.drop_column("claims", "overlapping")
    op.drop_column("claims", "household_id")
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", f"disposition IN ({DISPOSITIONS})")
