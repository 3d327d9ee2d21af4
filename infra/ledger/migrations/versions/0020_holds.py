"""Claims that may be there twice: who names which invoice, and what is held until somebody has looked."""

import hashlib
import json

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
PAGE = 5_000

# Who names an invoice first stays its first, whatever became of it. The bills are read here and not by PostgreSQL, as
# its JSON refuses some texts that a sender may write.
BILLS = """
SELECT f.event_no, f.person_id, e.value FROM facts f JOIN events e USING (event_no)
WHERE f.kind = 'settlement' ORDER BY f.event_no
"""
NAMED = sa.table("named", sa.column("event_no"), sa.column("person_id"), sa.column("link"))
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
    if not op.get_context().as_sql:  # SQL is printed for empty ledgers only (`upgrade_as_sql`)
        fill()
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


def fill() -> None:
    """Who names which invoice in the bills that the ledger holds, and up to which event nobody was linked by one."""
    connection = op.get_bind()
    op.execute(
        "INSERT INTO installation (name, value) "
        "SELECT 'last_event_before_invoices', max(event_no)::text FROM events HAVING count(*) > 0"
    )
    op.execute("CREATE TEMPORARY TABLE named (event_no bigint, person_id text, link text) ON COMMIT DROP")
    bills = connection.execute(sa.text(BILLS), execution_options={"yield_per": PAGE})
    for page in bills.partitions():
        read = [(event_no, person_id, json.loads(bytes(value), parse_int=str)) for event_no, person_id, value in page]
        found = [
            {"event_no": event_no, "person_id": person_id, "link": link(bill["invoice_no"])}
            for event_no, person_id, bill in read
            if bill["event_type"] == "settlement.posted" and bill.get("invoice_no") is not None
        ]
        if found:
            op.bulk_insert(NAMED, found)
    for statement in (FIRST, SHARED):
        op.execute(statement)


def link(invoice: str) -> str:
    """As handlers.claims.twice.link_of makes it."""
    return f"invoice:{hashlib.sha256(invoice.encode()).hexdigest()[:16]}"
