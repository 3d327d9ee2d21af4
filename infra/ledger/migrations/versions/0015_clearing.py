"""Clearing: statements, books, and recoveries that are set off or waived.

What the ledger holds already is posted as it would have been when it was recorded.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

DISPOSITIONS = (
    "'accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', 'console', 'treaty', "
    "'statement', 'closing', 'recovery'"
)

# As in 0001; and a month that was issued or closed is not opened again.
FORWARD = """
CREATE OR REPLACE FUNCTION only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.epoch < OLD.epoch OR NEW.audit_seq < OLD.audit_seq OR NEW.outbox_seq < OLD.outbox_seq
        OR coalesce(NEW.not_before, '-infinity') < coalesce(OLD.not_before, '-infinity') THEN
        RAISE EXCEPTION 'shard %: a sequence went backwards', OLD.shard USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

# The months of an insurer under a treaty follow each other; all insurers of a treaty get the same months.
IN_ORDER = """
CREATE FUNCTION statements_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number > 1 AND NOT EXISTS (SELECT FROM statements WHERE (treaty_id, insurer, number)
            = (NEW.treaty_id, NEW.insurer, NEW.number - 1) AND month = (NEW.month - interval '1 month')::date)
        OR EXISTS (SELECT FROM statements WHERE treaty_id = NEW.treaty_id
            AND (number = NEW.number) <> (month = NEW.month)) THEN
        RAISE EXCEPTION 'statement %: the months of a treaty are issued in order, without a gap', NEW.statement_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

# An entry is written by one statement, whole and in balance, so no transaction can leave another one behind.
BALANCED = """
CREATE FUNCTION entries_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT event_no, entry, sum(amount) AS total INTO wrong FROM added GROUP BY event_no, entry
        HAVING sum(amount) <> 0 OR min(leg) <> 1 OR max(leg) <> count(*) OR min(booked_on) <> max(booked_on)
            OR min(effective_on) <> max(effective_on) OR min(reference COLLATE "C") <> max(reference COLLATE "C")
        LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of event %: its legs sum to % fen, are not all there, or differ in day or reference',
            wrong.entry, wrong.event_no, wrong.total USING ERRCODE = 'check_violation';
    END IF;
    IF (SELECT min(booked_on) FROM added) < (SELECT max(month) + interval '1 month' FROM book_months) THEN
        RAISE EXCEPTION 'an entry is booked in a month that was closed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

# The first month is that of the first posting. A month is closed after its end, when no shard can record in it.
CLOSED_IN_ORDER = """
CREATE FUNCTION months_close_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ends timestamptz := (NEW.month + interval '1 month') AT TIME ZONE 'Asia/Shanghai';
    due date := (SELECT max(month) + interval '1 month' FROM book_months);
BEGIN
    IF due IS NULL THEN
        due := (SELECT min(booked_on) - (extract(day FROM min(booked_on))::int - 1) FROM postings);
    END IF;
    IF NEW.month IS DISTINCT FROM due THEN
        RAISE EXCEPTION 'month %: months are closed in order, without a gap', NEW.month
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.closed_at < ends OR EXISTS (SELECT FROM shards WHERE coalesce(not_before, '-infinity') < ends) THEN
        RAISE EXCEPTION 'month %: it has not ended for all shards', NEW.month USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

LEFT_FALLS = """
CREATE FUNCTION set_off_only_falls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'left' <> to_jsonb(OLD) - 'left' OR NEW."left" > OLD."left" THEN
        RAISE EXCEPTION 'payout %: what a set-off has left only falls', OLD.payout_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

# What was set off against payments, and what is left, is the recovery. Its payer kept back what it would have paid to
# the same person.
SET_OFF = """
CREATE FUNCTION set_off_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text := coalesce(to_jsonb(NEW) ->> 'set_off_of', NEW.payout_id);
BEGIN
    PERFORM 1 FROM settled_recoveries settled JOIN instructions recovery USING (payout_id)
        WHERE settled.payout_id = name AND recovery.kind = 'recovery' AND recovery.reversal_of IS NULL
            AND (settled.amount, settled.payer, settled.person_id)
                = (recovery.amount, recovery.payer, recovery.person_id)
            AND settled.treaty_id IS NOT DISTINCT FROM recovery.treaty_id
            AND NOT EXISTS (SELECT FROM instructions again WHERE again.reissue_of = name)
            AND CASE settled.manner
                WHEN 'waived' THEN settled."left" = 0
                    AND NOT EXISTS (SELECT FROM instructions off WHERE off.set_off_of = name)
                ELSE recovery.payee_id = ''
                    AND settled."left" = settled.amount
                        - (SELECT coalesce(sum(off.amount), 0) FROM instructions off WHERE off.set_off_of = name)
                    AND NOT EXISTS (SELECT FROM instructions off WHERE off.set_off_of = name
                        AND ((off.payer, off.person_id) <> (recovery.payer, recovery.person_id)
                            OR off.treaty_id IS DISTINCT FROM recovery.treaty_id))
                END;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payout %: what was set off or waived does not add up to the recovery', name
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

COLLECTED = """
CREATE FUNCTION settled_is_not_collected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payout_states WHERE (payout_id, person_id, state) = (NEW.payout_id, NEW.person_id, 'paid'))
    THEN
        RAISE EXCEPTION 'payout %: is reported as collected', NEW.payout_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""

# As in 0014, and nobody collects again what was set off or waived, or pays what was kept back.
REISSUED = """
CREATE OR REPLACE FUNCTION reissue_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text := coalesce(NEW.reissue_of, NEW.reversal_of);
BEGIN
    PERFORM 1 FROM instructions failed
        JOIN instructions again ON again.reissue_of = failed.payout_id AND again.kind = failed.kind
            AND (again.claim_id, again.scheme_id, again.payee_id, again.payer)
                = (failed.claim_id, failed.scheme_id, failed.payee_id, failed.payer)
            AND again.treaty_id IS NOT DISTINCT FROM failed.treaty_id
        JOIN instructions off ON off.reversal_of = failed.payout_id AND off.kind <> failed.kind
            AND (off.claim_id, off.scheme_id, off.payee_id, off.amount, off.payer)
                = (again.claim_id, again.scheme_id, again.payee_id, again.amount, again.payer)
            AND off.treaty_id IS NOT DISTINCT FROM again.treaty_id
        JOIN payout_states told ON (told.payout_id, told.person_id) = (failed.payout_id, failed.person_id)
        WHERE failed.payout_id = name AND failed.reversal_of IS NULL AND failed.set_off_of IS NULL
            AND again.amount <= failed.amount AND told.state IN ('failed', 'returned')
            AND NOT EXISTS (SELECT FROM settled_recoveries settled WHERE settled.payout_id = name);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payout %: a reissue needs a failed payout, its reversal and the new order', name
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

# A corrected discharge has a new day from its event on; `claims` has the newest only.
DAYS = """
CREATE TEMPORARY TABLE discharge_days (claim_id text, version bigint, event_no bigint, discharged_on date)
    ON COMMIT DROP
"""
CORRECTED = """
SELECT f.subject_id, f.version, f.event_no, e.value FROM facts f JOIN events e USING (event_no)
WHERE f.kind = 'encounter' AND EXISTS (SELECT FROM facts other WHERE other.kind = 'encounter'
    AND other.subject_id = f.subject_id AND other.version <> f.version)
"""
DAY = """
coalesce((SELECT d.discharged_on FROM discharge_days d WHERE d.claim_id = c.claim_id AND d.event_no <= e.event_no
    ORDER BY d.version DESC LIMIT 1), c.discharged_on, (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date)
"""

# Amounts of instructions as handlers/books/entries.py posts them.
POST_INSTRUCTIONS = f"""
INSERT INTO postings (event_no, entry, leg, account, amount, effective_on, booked_on, reference)
SELECT o.event_no, o.entry, leg, CASE leg WHEN 1 THEN o.debit ELSE o.credit END,
    CASE leg WHEN 1 THEN o.amount ELSE -o.amount END, o.effective_on, o.booked_on, o.payout_id
FROM (
    SELECT i.event_no, i.payout_id, i.amount,
        row_number() OVER (PARTITION BY i.event_no ORDER BY i.person_id COLLATE "C", a.seq) AS entry,
        {DAY} AS effective_on,
        (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS booked_on,
        CASE i.kind WHEN 'payment' THEN 'expense:' || i.scheme_id
            ELSE (CASE WHEN i.reversal_of IS NULL THEN 'receivable:' ELSE 'payable:' END) || i.payer || ':' || p.payee
            END AS debit,
        CASE i.kind WHEN 'recovery' THEN 'expense:' || i.scheme_id
            ELSE (CASE WHEN i.reversal_of IS NULL THEN 'payable:' ELSE 'receivable:' END) || i.payer || ':' || p.payee
            END AS credit
    FROM instructions i
    JOIN events e USING (event_no)
    JOIN claims c USING (claim_id)
    JOIN audit_entries a ON a.event_no = i.event_no AND a.kind = 'payout.instructed'
        AND convert_from(a.value, 'UTF8')::jsonb -> 'subject' ->> 'payout_id' = i.payout_id
    CROSS JOIN LATERAL (SELECT CASE i.payee_id WHEN '' THEN 'person' ELSE 'facility:' || i.payee_id END AS payee) p
) o CROSS JOIN generate_series(1, 2) AS leg
"""

# Reports that made a payout paid, or took that back: the audit entry of each says which state it met and left.
POST_REPORTS = f"""
INSERT INTO postings (event_no, entry, leg, account, amount, effective_on, booked_on, reference)
SELECT o.event_no, 1, leg, CASE (leg = 1) = (o.amount > 0) WHEN TRUE THEN o.account ELSE 'cash:' || o.payer END,
    CASE leg WHEN 1 THEN abs(o.amount) ELSE -abs(o.amount) END, o.effective_on, o.booked_on, o.payout_id
FROM (
    SELECT a.event_no, i.payout_id, i.payer,
        (CASE i.kind WHEN 'payment' THEN 'payable:' ELSE 'receivable:' END) || i.payer || ':' || p.payee AS account,
        i.amount * (CASE i.kind WHEN 'payment' THEN 1 ELSE -1 END)
            * (CASE told ->> 'state' WHEN 'paid' THEN 1 ELSE -1 END) AS amount,
        {DAY} AS effective_on,
        (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS booked_on
    FROM audit_entries a
    CROSS JOIN LATERAL (SELECT convert_from(a.value, 'UTF8')::jsonb -> 'subject' AS told) t
    JOIN events e USING (event_no)
    JOIN instructions i ON i.payout_id = told ->> 'id'
    JOIN claims c USING (claim_id)
    CROSS JOIN LATERAL (SELECT CASE i.payee_id WHEN '' THEN 'person' ELSE 'facility:' || i.payee_id END AS payee) p
    WHERE a.kind = 'event.accepted' AND told ->> 'kind' = 'payout' AND told ->> 'matched' = 'yes'
        AND i.reversal_of IS NULL AND (told ->> 'state_before' = 'paid') <> (told ->> 'state' = 'paid')
) o CROSS JOIN generate_series(1, 2) AS leg
"""

# A payout that was reported before it was instructed: its report met nothing, and is booked with the instruction.
POST_EARLY = f"""
INSERT INTO postings (event_no, entry, leg, account, amount, effective_on, booked_on, reference)
SELECT o.event_no, o.entry, leg, CASE (leg = 1) = (o.kind = 'payment') WHEN TRUE THEN o.account
        ELSE 'cash:' || o.payer END,
    CASE leg WHEN 1 THEN o.amount ELSE -o.amount END, o.effective_on, o.booked_on, o.payout_id
FROM (
    SELECT i.event_no, i.payout_id, i.payer, i.kind, i.amount,
        (SELECT max(entry) FROM postings p WHERE p.event_no = i.event_no)
            + row_number() OVER (PARTITION BY i.event_no ORDER BY i.payout_id) AS entry,
        (CASE i.kind WHEN 'payment' THEN 'payable:' ELSE 'receivable:' END) || i.payer || ':'
            || CASE i.payee_id WHEN '' THEN 'person' ELSE 'facility:' || i.payee_id END AS account,
        {DAY} AS effective_on,
        (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS booked_on
    FROM instructions i
    JOIN payout_states s USING (payout_id, person_id)
    JOIN events e ON e.event_no = i.event_no
    JOIN claims c USING (claim_id)
    LEFT JOIN (
        SELECT DISTINCT ON (told ->> 'id') told ->> 'id' AS payout_id, told ->> 'state_before' AS state
        FROM audit_entries a
        CROSS JOIN LATERAL (SELECT convert_from(a.value, 'UTF8')::jsonb -> 'subject' AS told) t
        WHERE a.kind = 'event.accepted' AND told ->> 'kind' = 'payout' AND told ->> 'matched' = 'yes'
        ORDER BY told ->> 'id', a.event_no
    ) met ON met.payout_id = i.payout_id  -- the first report that met the instruction says in which state it was
    WHERE coalesce(met.state, s.state) = 'paid' AND i.reversal_of IS NULL
) o CROSS JOIN generate_series(1, 2) AS leg
"""


def upgrade() -> None:
    op.drop_constraint("events_disposition", "events")
    op.create_check_constraint("events_disposition", "events", f"disposition IN ({DISPOSITIONS})")
    op.add_column("shards", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.execute(FORWARD)
    create_tables()
    op.add_column("instructions", sa.Column("set_off_of", sa.Text(), nullable=True))
    op.create_foreign_key("instructions_set_off", "instructions", "instructions", ["set_off_of"], ["payout_id"])
    op.create_check_constraint(
        "instructions_set_off_kind",
        "instructions",
        "set_off_of IS NULL OR (kind = 'payment' AND payee_id = '' AND reissue_of IS NULL AND reversal_of IS NULL)",
    )
    op.create_index(
        "instructions_setting_off", "instructions", ["set_off_of"], postgresql_where="set_off_of IS NOT NULL"
    )
    for function in (IN_ORDER, BALANCED, CLOSED_IN_ORDER, LEFT_FALLS, SET_OFF, COLLECTED, REISSUED):
        op.execute(function)
    keep_corrected_days()
    op.execute(POST_INSTRUCTIONS)
    op.execute(POST_REPORTS)
    op.execute(POST_EARLY)
    op.add_column("payout_states", sa.Column("matched", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.execute(
        "UPDATE payout_states s SET matched = false WHERE NOT EXISTS "
        "(SELECT FROM instructions i WHERE (i.payout_id, i.person_id) = (s.payout_id, s.person_id))"
    )
    op.create_index("payout_states_unmatched", "payout_states", ["person_id"], postgresql_where=sa.text("NOT matched"))
    for table in ("statements", "postings", "book_months"):
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE DELETE OR TRUNCATE ON settled_recoveries "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER statements_in_order BEFORE INSERT ON statements "
        "FOR EACH ROW EXECUTE FUNCTION statements_in_order()"
    )
    op.execute(
        "CREATE TRIGGER entries_balance AFTER INSERT ON postings REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION entries_balance()"
    )
    op.execute(
        "CREATE TRIGGER months_close_in_order BEFORE INSERT ON book_months "
        "FOR EACH ROW EXECUTE FUNCTION months_close_in_order()"
    )
    op.execute(
        "CREATE TRIGGER set_off_only_falls BEFORE UPDATE ON settled_recoveries "
        "FOR EACH ROW EXECUTE FUNCTION set_off_only_falls()"
    )
    op.execute(
        "CREATE TRIGGER settled_is_not_collected BEFORE INSERT ON settled_recoveries "
        "FOR EACH ROW EXECUTE FUNCTION settled_is_not_collected()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER set_off_adds_up AFTER INSERT OR UPDATE ON settled_recoveries "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION set_off_adds_up()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER set_off_adds_up AFTER INSERT ON instructions DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.set_off_of IS NOT NULL) EXECUTE FUNCTION set_off_adds_up()"
    )


def keep_corrected_days() -> None:
    """The days of discharge that were corrected, by the event from which each held."""
    connection = op.get_bind()
    op.execute(DAYS)
    # SQL is printed for empty ledgers only (`upgrade_as_sql`).
    found = [] if op.get_context().as_sql else connection.execute(sa.text(CORRECTED)).partitions(10_000)
    for rows in found:
        days = [
            {"claim": row[0], "version": row[1], "event": row[2], "day": json.loads(bytes(row[3]))["discharged_on"]}
            for row in rows
        ]
        connection.execute(
            sa.text("INSERT INTO discharge_days VALUES (:claim, :version, :event, CAST(:day AS date))"), days
        )
    op.execute("CREATE INDEX ON discharge_days (claim_id, event_no)")


def create_tables() -> None:
    op.create_table(
        "statements",
        sa.Column("statement_id", sa.Text(), nullable=False),
        sa.Column("treaty_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("insurer", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("number >= 1 AND extract(day FROM month) = 1", name="statements_month"),
        sa.ForeignKeyConstraint(["treaty_id"], ["treaties.treaty_id"]),
        sa.ForeignKeyConstraint(["event_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("statement_id"),
        sa.UniqueConstraint("treaty_id", "insurer", "number", name="statements_once"),
    )
    op.create_table(
        "postings",
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.CheckConstraint("amount <> 0", name="postings_amount"),
        sa.PrimaryKeyConstraint("event_no", "entry", "leg"),
    )
    op.create_index("postings_booked", "postings", ["booked_on"], postgresql_using="brin")
    op.create_index("events_recorded", "events", ["recorded_at"], postgresql_using="brin")
    op.create_table(
        "book_months",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("trial_balance", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name="book_months_month"),
        sa.CheckConstraint("sha256 = encode(sha256(trial_balance), 'hex')", name="book_months_sha256"),
        sa.ForeignKeyConstraint(["event_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("month"),
    )
    op.create_table(
        "settled_recoveries",
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("manner", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("treaty_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("manner IN ('set_off', 'waived')", name="settled_recoveries_manner"),
        sa.CheckConstraint('amount > 0 AND "left" BETWEEN 0 AND amount', name="settled_recoveries_amount"),
        sa.ForeignKeyConstraint(["payout_id"], ["instructions.payout_id"]),
        sa.ForeignKeyConstraint(["event_no"], ["events.event_no"]),
        sa.PrimaryKeyConstraint("payout_id"),
    )
    op.create_index(
        "settled_recoveries_open", "settled_recoveries", ["person_id"], postgresql_where=sa.text('"left" > 0')
    )
    op.create_table(
        "clearing_proposals",
        sa.Column("proposal_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.CheckConstraint("act IN ('statement', 'closing', 'set_off', 'waiver')", name="clearing_proposals_act"),
        sa.CheckConstraint("decided_by <> proposed_by", name="clearing_proposals_four_eyes"),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)",
            name="clearing_proposals_decided",
        ),
        sa.CheckConstraint("decision IN ('approved', 'rejected')", name="clearing_proposals_decision"),
        sa.PrimaryKeyConstraint("proposal_no"),
    )
    op.create_index(
        "clearing_proposals_open",
        "clearing_proposals",
        ["act", "subject"],
        unique=True,
        postgresql_where=sa.text("decision IS NULL"),
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("the books cannot be forgotten without losing the ledger: restore a backup")
