"""What the insurers' reports come to, and reissued payouts with the guards that keep them whole."""

import json
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from schemas.dates import parse_instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A payout that failed is taken off the books and ordered anew, of the same line and by the same amount; one without
# the other would pay twice, or never. And only what did not arrive is ordered again.
REISSUED = """
CREATE FUNCTION reissue_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text := coalesce(NEW.reissue_of, NEW.reversal_of);
BEGIN
    PERFORM 1 FROM instructions failed
        JOIN instructions again ON again.reissue_of = failed.payout_id AND again.kind = failed.kind
            AND (again.claim_id, again.scheme_id) = (failed.claim_id, failed.scheme_id)
        JOIN instructions off ON off.reversal_of = failed.payout_id AND off.kind <> failed.kind
            AND (off.claim_id, off.scheme_id, off.amount) = (again.claim_id, again.scheme_id, again.amount)
        JOIN payout_states told ON (told.payout_id, told.person_id) = (failed.payout_id, failed.person_id)
        WHERE failed.payout_id = name AND failed.reversal_of IS NULL AND again.amount <= failed.amount
            AND told.state IN ('failed', 'returned');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payout %: a reissue needs a failed payout, its reversal and the new order', name
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

DISPOSITIONS = "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key'"


def upgrade() -> None:
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", f"disposition IN ({DISPOSITIONS}, 'reissue')")
    for name in ("reissue_of", "reversal_of"):
        op.add_column("instructions", sa.Column(name, sa.Text(), nullable=True))
        op.create_unique_constraint(f"instructions_{name}_key", "instructions", [name])
        op.create_foreign_key(f"instructions_{name}_fkey", "instructions", "instructions", [name], ["payout_id"])
    op.create_table(
        "payout_states",
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_status", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("reports", sa.BigInteger(), nullable=False),
        sa.Column("contradictions", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('paid', 'failed', 'returned')", name="payout_states_state"),
        sa.PrimaryKeyConstraint("payout_id", "person_id"),
    )
    op.create_index("payout_states_by_state", "payout_states", ["state"])
    op.execute(REISSUED)
    op.execute(
        "CREATE CONSTRAINT TRIGGER reissue_is_whole AFTER INSERT ON instructions DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.reissue_of IS NOT NULL OR NEW.reversal_of IS NOT NULL) "
        "EXECUTE FUNCTION reissue_is_whole()"
    )
    if not op.get_context().as_sql:  # SQL is printed for empty ledgers only (`upgrade_as_sql`)
        fill()


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("reissued payouts cannot be forgotten without losing the ledger: restore a backup")


def fill() -> None:
    """The states of payouts that were reported before this table was there, as handlers/payouts.py folds them."""
    rows = op.get_bind().execute(
        sa.text(
            "SELECT f.subject_id, f.person_id, f.content_sha256, e.value FROM facts f JOIN events e USING (event_no) "
            "WHERE f.kind = 'payout'"
        )
    )
    reports: dict[tuple[str, str], list[tuple[datetime, int, str, str]]] = {}
    for payout_id, person_id, mark, value in rows:
        told = json.loads(bytes(value))
        rank = ("paid", "failed", "returned").index(told["status"])
        report = (parse_instant(told["reported_at"]), rank, mark, told["reference"])
        reports.setdefault((payout_id, person_id), []).append(report)
    states = [state(*place, sorted(found)) for place, found in sorted(reports.items())]
    if states:
        table = sa.table("payout_states", *(sa.column(name) for name in states[0]))
        op.bulk_insert(table, states)


def state(payout_id: str, person_id: str, reports: list[tuple[datetime, int, str, str]]) -> dict[str, object]:
    statuses = ("paid", "failed", "returned")
    decided, contradictions = reports[0], 0
    for report in reports[1:]:
        if (statuses[decided[1]], statuses[report[1]]) == ("paid", "returned"):
            decided = report
        elif report[1] != decided[1] or (report[1] == 0 and report[3] != decided[3]):
            contradictions += 1
    return {
        "payout_id": payout_id,
        "person_id": person_id,
        "state": statuses[decided[1]],
        "last_status": statuses[reports[-1][1]],
        "reported_at": decided[0],
        "reference": decided[3],
        "decided_by": decided[2],
        "reports": len(reports),
        "contradictions": contradictions,
    }
