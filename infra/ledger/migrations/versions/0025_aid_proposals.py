"""Temporary aid that one person proposes in the console and another one countersigns."""

import sqlalchemy as sa
from alembic import op

from infra.ledger.changed_checks import change_check

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

DISPOSITIONS = (
    "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', 'console', "
    "'treaty', 'statement', 'closing', 'recovery', 'group', 'pool', 'alert', 'hold', 'deaths', 'watches'"
)


def upgrade() -> None:
    change_check("events", "events_disposition", f"disposition IN ({DISPOSITIONS}, 'aid')")
    op.create_table(
        "aid_proposals",
        sa.Column("proposal_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("aid_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.CheckConstraint("amount > 0", name="aid_proposals_amount"),
        sa.CheckConstraint("decided_by <> proposed_by", name="aid_proposals_four_eyes"),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)",
            name="aid_proposals_decided",
        ),
        sa.CheckConstraint("decision IN ('approved', 'rejected')", name="aid_proposals_decision"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert_id"]),
        sa.PrimaryKeyConstraint("proposal_no"),
        sa.UniqueConstraint("aid_id", name="aid_proposals_once"),
    )
    op.create_index(
        "aid_proposals_open",
        "aid_proposals",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.create_index("aid_proposals_of_person", "aid_proposals", ["person_id"])
    op.create_index(
        "aid_proposals_of_alert", "aid_proposals", ["alert_id"], postgresql_where=sa.text("alert_id IS NOT NULL")
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("what aid was countersigned cannot be forgotten without losing the ledger: restore a backup")
