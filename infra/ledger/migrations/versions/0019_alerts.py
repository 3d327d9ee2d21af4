"""Alerts are state: each that was ever told, how it stands, and who looks at it.

What is known of those that earlier releases raised comes from claims, benefits and reports; their messages are not
kept, so the rows have no bytes. Not known: that a household's group was too large, and what was raised and has lost its
reason since.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

DISPOSITIONS = (
    "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', 'console', "
    "'treaty', 'statement', 'closing', 'recovery', 'group', 'pool'"
)

FORWARD = """
CREATE FUNCTION alert_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.alert_id, NEW.code) <> (OLD.alert_id, OLD.code) OR NEW.changed_no < OLD.changed_no
        OR NEW.raised_no < OLD.raised_no
        OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.pool_id IS DISTINCT FROM OLD.pool_id THEN
        RAISE EXCEPTION 'alert %: what it is about never changes, and its changes come one after another', OLD.alert_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

# As schemas.canonical.derived_id: 128 bits of the SHA-256 of the canonical JSON of what it is about.
DERIVED = """
CREATE FUNCTION alert_id_of(VARIADIC parts text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'AT-' || left(encode(sha256(convert_to(
        '[' || string_agg(to_json(part)::text, ',' ORDER BY place) || ']', 'UTF8')), 'hex'), 32)
    FROM unnest(parts) WITH ORDINALITY AS each (part, place)
$$
"""

OF_CLAIMS = """
INSERT INTO alerts (alert_id, code, claim_id, person_id, state, raised_no, raised_at, changed_no)
SELECT DISTINCT ON (id) id, code, claim_id, person_id, 'open', event_no, recorded_at, event_no FROM (
    SELECT alert_id_of('AFTER_DEATH', claim_id) AS id, 'AFTER_DEATH' AS code, claim_id FROM claims
        WHERE status = 'after_death'
    UNION ALL
    SELECT alert_id_of('MEMBERSHIPS_OVERLAP', claim_id), 'MEMBERSHIPS_OVERLAP', claim_id FROM claims WHERE overlapping
    UNION ALL
    SELECT alert_id_of('NO_POOL', claim_id, scheme_id), 'NO_POOL', claim_id FROM benefits
        WHERE pool_id = '' AND benefit > 0
    UNION ALL
    SELECT alert_id_of(code, claim_id, scheme_id), code, claim_id FROM (
        SELECT claim_id, scheme_id, sum(facility_shares.advanced) AS advanced,
            CASE WHEN bool_and(known) THEN 'ADVANCE_EXCEEDS_DUE' ELSE 'ADVANCE_UNKNOWN_SCHEME' END AS code
        FROM facility_shares JOIN claims USING (claim_id) WHERE status IN ('adjudicated', 'not_covered') GROUP BY 1, 2
    ) AS taken LEFT JOIN benefits USING (claim_id, scheme_id) WHERE advanced > coalesce(benefit, 0)
) AS found JOIN claims USING (claim_id) JOIN decisions USING (claim_id, revision) JOIN events USING (event_no)
"""

OF_REPORTS = """
INSERT INTO alerts (alert_id, code, claim_id, person_id, payout_id, state, raised_no, raised_at, changed_no)
SELECT alert_id_of(code, payout_id, person_id), code, claim_id, person_id, payout_id, 'open', event_no, recorded_at,
    event_no
FROM (
    SELECT 'REPORT_UNMATCHED' AS code, NULL AS claim_id, person_id, payout_id FROM payout_states WHERE NOT matched
    UNION ALL
    SELECT 'REPORT_CONTRADICTS', i.claim_id, s.person_id, s.payout_id
    FROM payout_states s JOIN instructions i USING (payout_id, person_id)
        LEFT JOIN settled_recoveries r USING (payout_id)
    WHERE s.contradictions > 0 OR i.reversal_of IS NOT NULL OR i.set_off_of IS NOT NULL
        OR r.payout_id IS NOT NULL AND 'paid' IN (s.state, s.last_status)
) AS found CROSS JOIN LATERAL (
    SELECT max(event_no) AS event_no FROM facts
    WHERE kind = 'payout' AND subject_id = found.payout_id AND person_id = found.person_id
) AS newest JOIN events USING (event_no)
"""

# Under the act that is newest now: the step that raised them did not say so.
OF_POOLS = """
INSERT INTO alerts (alert_id, code, pool_id, state, raised_no, raised_at, changed_no)
SELECT alert_id_of(code, pool_id), code, pool_id, 'open', event_no, recorded_at, event_no
FROM pool_alerts CROSS JOIN (SELECT event_no, recorded_at FROM events ORDER BY event_no DESC LIMIT 1) AS newest
"""


def upgrade() -> None:
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", f"disposition IN ({DISPOSITIONS}, 'alert')")
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("payout_id", sa.Text(), nullable=True),
        sa.Column("pool_id", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("raised_no", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'acknowledged', 'resolved', 'withdrawn')", name="alerts_state"),
        sa.CheckConstraint("(person_id IS NULL) = (pool_id IS NOT NULL)", name="alerts_about"),
        sa.CheckConstraint("state <> 'acknowledged' OR taken_by IS NOT NULL", name="alerts_taken"),
        sa.CheckConstraint("state <> 'resolved' OR (closed_by <> '' AND outcome <> '') IS TRUE", name="alerts_closed"),
        sa.ForeignKeyConstraint(["raised_no"], ["events.event_no"]),
        sa.ForeignKeyConstraint(["changed_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("alert_id"),
    )
    live = sa.text("state IN ('open', 'acknowledged')")
    op.create_index("alerts_live", "alerts", ["raised_at", "alert_id"], postgresql_where=live)
    for name in ("claim", "person", "pool"):
        place = sa.text(f"{name}_id IS NOT NULL")
        op.create_index(f"alerts_of_{name}", "alerts", [f"{name}_id"], postgresql_where=place)
    for statement in (DERIVED, OF_CLAIMS, OF_REPORTS, OF_POOLS, "DROP FUNCTION alert_id_of", FORWARD):
        op.execute(statement)
    op.drop_table("pool_alerts")
    op.execute("CREATE TRIGGER alert_goes_on BEFORE UPDATE ON alerts FOR EACH ROW EXECUTE FUNCTION alert_goes_on()")
    op.execute(
        "CREATE TRIGGER alerts_stay BEFORE DELETE OR TRUNCATE ON alerts "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("who looked at what cannot be forgotten without losing the ledger: restore a backup")
