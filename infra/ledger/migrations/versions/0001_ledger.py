"""The ledger: tables, and the triggers that guard them from wrong code."""

from alembic import op

from infra.ledger.tables import INSERT_ONLY, metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Nothing that was recorded is changed or deleted, whoever asks.
REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is insert-only: add a correcting row instead', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""

# Law 3, held by the database: the net sum instructed is the benefit, when the transaction ends. Checked from both
# sides: a benefit without its instruction is a lost payment, an instruction without its benefit a wrong one.
INSTRUCTED = """
CREATE FUNCTION benefit_is_instructed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    due bigint;
    instructed bigint;
BEGIN
    SELECT benefit INTO due FROM benefits WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id;
    SELECT balance_after INTO instructed FROM instructions
        WHERE claim_id = NEW.claim_id AND scheme_id = NEW.scheme_id ORDER BY revision DESC LIMIT 1;
    IF coalesce(due, 0) <> coalesce(instructed, 0) THEN
        RAISE EXCEPTION 'claim % scheme %: % fen are due but % are instructed',
            NEW.claim_id, NEW.scheme_id, coalesce(due, 0), coalesce(instructed, 0)
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

FORWARD = """
CREATE FUNCTION only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.epoch < OLD.epoch OR NEW.audit_seq < OLD.audit_seq OR NEW.outbox_seq < OLD.outbox_seq THEN
        RAISE EXCEPTION 'shard %: a sequence went backwards', OLD.shard USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    op.execute(REFUSE)
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table.name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(INSTRUCTED)
    op.execute(
        "CREATE CONSTRAINT TRIGGER instruction_has_benefit AFTER INSERT ON instructions "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION benefit_is_instructed()"
    )
    for name, event, when in (
        ("benefit_inserted", "INSERT", "NEW.benefit <> 0"),
        ("benefit_changed", "UPDATE", "NEW.benefit <> OLD.benefit"),
    ):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {event} ON benefits DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION benefit_is_instructed()"
        )
    op.execute(FORWARD)
    op.execute("CREATE TRIGGER only_forward BEFORE UPDATE ON shards FOR EACH ROW EXECUTE FUNCTION only_forward()")
    op.execute(
        "ALTER TABLE policies ADD CONSTRAINT policies_one_a_day "
        "EXCLUDE USING gist (daterange(effective_from, effective_to) WITH &&)"
    )


def downgrade() -> None:
    """A ledger is never taken back: restore a backup instead."""
    raise RuntimeError("the first migration cannot be undone without losing the ledger")
