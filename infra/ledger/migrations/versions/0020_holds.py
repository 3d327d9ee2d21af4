"""Claims that may be there twice: who names which invoice, and what is held until somebody has looked."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

DISPOSITIONS = (
    "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', 'console', "
    "'treaty', 'statement', 'closing', 'recovery', 'group', 'pool', 'alert'"
)

# As handlers.claims.twice.link_of makes it. Who names an invoice first stays its first, whatever became of it.
# Not every event is JSON: only bills are read. As json, not jsonb, which refuses some texts that a sender may write.
NAMED = """
CREATE TEMPORARY TABLE named ON COMMIT DROP AS
WITH bills AS MATERIALIZED (
    SELECT f.event_no, f.person_id, e.value FROM facts f JOIN events e USING (event_no) WHERE f.kind = 'settlement'
), told AS MATERIALIZED (
    SELECT event_no, person_id, convert_from(value, 'UTF8')::json AS bill FROM bills
)
SELECT event_no, person_id,
    'invoice:' || substr(encode(sha256(convert_to(bill ->> 'invoice_no', 'UTF8')), 'hex'), 1, 16) AS link
FROM told WHERE bill ->> 'event_type' = 'settlement.posted' AND bill ->> 'invoice_no' IS NOT NULL
"""
FIRST = """
INSERT INTO invoices (link, person_id)
SELECT DISTINCT ON (link) link, person_id FROM named ORDER BY link, event_no
"""
SHARED = """
INSERT INTO shared_invoices (link, person_id)
SELECT DISTINCT link, named.person_id FROM named JOIN invoices USING (link) WHERE named.person_id <> invoices.person_id
"""


def upgrade() -> None:
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", f"disposition IN ({DISPOSITIONS}, 'hold')")
    op.create_table(
        "invoices",
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("link"),
    )
    op.create_table(
        "shared_invoices",
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("link", "person_id"),
    )
    op.create_index("shared_invoices_of_person", "shared_invoices", ["person_id"])
    for statement in (NAMED, FIRST, SHARED):
        op.execute(statement)
    op.add_column("claims", sa.Column("twice", sa.Text(), server_default="", nullable=False))
    op.add_column("claims", sa.Column("held", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("claims", sa.Column("hold_released", sa.Text(), server_default="", nullable=False))
    op.create_index("claims_held", "claims", ["claim_id"], postgresql_where=sa.text("held"))
    op.add_column("benefits", sa.Column("held", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.drop_constraint("benefits_released", "benefits")
    waits = "pool_id <> '' AND discharged_on IS NOT NULL"
    op.create_check_constraint(
        "benefits_released",
        "benefits",
        f"released BETWEEN 0 AND benefit AND (released = benefit OR held OR ({waits}))",
    )
    op.drop_index("benefits_waiting_for_pool", "benefits")
    op.create_index(
        "benefits_waiting_for_pool",
        "benefits",
        ["pool_id", "discharged_on", sa.text('claim_id COLLATE "C"'), "place"],
        postgresql_where=sa.text("NOT held AND released + left_by_close < benefit"),
    )
    op.drop_index("benefits_untold", "benefits")
    op.create_index(
        "benefits_untold",
        "benefits",
        ["pool_id"],
        postgresql_where=sa.text("told <> CASE WHEN held THEN 0 ELSE benefit - released END"),
    )
    op.drop_constraint("clearing_proposals_act", "clearing_proposals")
    acts = "'statement', 'closing', 'set_off', 'waiver', 'pool_year', 'hold'"
    op.create_check_constraint("clearing_proposals_act", "clearing_proposals", f"act IN ({acts})")


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("what was held and released cannot be forgotten without losing the ledger: restore a backup")
