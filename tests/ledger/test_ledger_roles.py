"""What `huzhu ledger grants` lets each process do is what it does, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError

from acts.make_checkpoints import make_due
from acts.verify_audit_log import Trust, verify_ledger
from infra.keys.audit_signing import SigningKey
from infra.ledger import identity, outbox_rows, tables
from infra.ledger.outbox_rows import Sent
from infra.ledger.processes import note_start
from infra.ledger.roles import LedgerRole, rights_of
from infra.ledger.schema import bind, require_current
from infra.ledger.upgrading import upgrade
from infra.population import generate
from schemas.access.callers import ApiRole
from schemas.access.console_rights import ConsoleRole
from tests.bench.fill import fill
from tests.support.acts import create_key, create_user, publish, publish_treaty_text, publish_watches_text
from tests.support.builders import SHARDS, contribution, contribution_void, pool
from tests.support.databases import NewDatabase, described, described_at
from tests.support.ledger_roles import SECRET, Roles
from tests.support.paths import REPOSITORY, WUXI
from tests.support.processes import huzhu
from tests.web.town import join, post, report_some

SIGNER = SigningKey("test.example/huzhu", b"\x07" * 32)
SAMPLES = REPOSITORY / "infra" / "samples"
KEPT = text("""
    SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger
    WHERE tgfoid = 'refuse_change'::regproc AND tgtype & 24 = 24
""")
"""The tables of which a trigger refuses both updates and deletions."""

PROCESSES = [role for role in LedgerRole if role is not LedgerRole.OWNER]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def roles(ledger: Engine) -> Iterator[Roles]:
    with Roles(ledger) as made:
        yield made


def refused(engine: Engine, statement: str) -> bool:
    """Whether PostgreSQL does not let the role run it at all."""
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        return "permission denied" in str(error.orig) or "must be owner" in str(error.orig)
    return False


def taken_in(roles: Roles) -> Engine:
    """A ledger into which an operator published and a worker took a town with households, reports and a pool."""
    publish(roles(LedgerRole.OPERATOR), WUXI.read_text("utf-8"), "li.na", SHARDS, now)
    worker = roles(LedgerRole.WORKER)
    bind(worker, SHARDS, "no-cluster")
    note_start(worker, "worker")
    with worker.begin() as connection:
        identity.identity(connection)
    fill(worker, generate(7, 40))
    report_some(worker)
    join(worker)
    post(worker, [pool(), contribution(), contribution("G2", yuan=50), contribution_void("G2"), b"no event"])
    return worker


def test_the_worker_takes_in_and_decides_under_its_role(ledger: Engine, roles: Roles) -> None:
    """From its start to decisions, payouts, refusals and entries of the audit log, all over the rights of its role."""
    taken_in(roles)
    with ledger.connect() as connection:
        filled = [
            table.name
            for table in (tables.decisions, tables.instructions, tables.refusals, tables.audit_entries)
            if connection.execute(select(table).limit(1)).first()
        ]
    assert ["decisions", "instructions", "refusals", "audit_entries"] == filled


def test_the_relay_sends_under_its_role(ledger: Engine, roles: Roles) -> None:
    """It reads what waits, notes how far Kafka has it, and deletes that."""
    taken_in(roles)
    relay = roles(LedgerRole.RELAY)
    require_current(relay)
    bind(relay, SHARDS, "no-cluster")
    note_start(relay, "relay")
    with relay.begin() as connection:
        identity.identity(connection)
        for shard in range(SHARDS):
            rows = list(outbox_rows.waiting_after(connection, shard, 0))
            assert not outbox_rows.has_sent_before(connection, shard)
            last = Sent(rows[-1].seq, outbox_rows.chained(outbox_rows.last_sent(connection, shard).chain, rows))
            assert (last.chain, last.seq) == (
                outbox_rows.chain_at(connection, shard, outbox_rows.last_sent(connection, shard), last.seq),
                outbox_rows.last_written(connection, shard),
            )
            outbox_rows.clear(connection, shard, last)
    with ledger.connect() as connection:
        assert 0 == outbox_rows.unsent(connection)


def test_the_auditor_signs_and_verifies_under_its_role(roles: Roles) -> None:
    """Checkpoints of every shard, and a check of the log, the books and the pools that finds nothing."""
    taken_in(roles)
    auditor = roles(LedgerRole.AUDITOR)
    made = make_due(auditor, SIGNER, now, 1, timedelta())
    assert (SHARDS, []) == (len(made.checkpoints), made.refused)
    verified = verify_ledger(auditor, Trust([SIGNER.verifier]), lambda _: None)
    assert [] == verified.findings


def test_operators_publish_under_their_role(roles: Roles) -> None:
    """A policy and its successor, treaties, watches, a key and a user: acts of the command line need no owner."""
    operator = roles(LedgerRole.OPERATOR)
    taken_in(roles)
    publish(operator, (SAMPLES / "household-sample.toml").read_text("utf-8"), "li.na", SHARDS, now)
    for name in ("treaty-self-pay-sample.toml", "treaty-village-sample.toml"):
        publish_treaty_text(operator, (SAMPLES / name).read_text("utf-8"), "li.na", SHARDS, now)
    publish_watches_text(operator, (SAMPLES / "watches-sample.toml").read_text("utf-8"), "li.na", SHARDS, now)
    create_key(operator, ApiRole.HOSPITAL, ["H1"], "a hospital", "li.na", now)
    create_user(operator, "wang.wei", ConsoleRole.FINANCE, SECRET, "li.na", now)


def test_the_owner_needs_no_more_than_to_make_tables(new_database: NewDatabase, ledger_url: str) -> None:
    """`huzhu ledger upgrade` runs under a role that may create in the schema, and makes the same ledger."""
    url = new_database()
    admin = create_engine(url)
    with Roles(admin) as roles:
        upgrade(roles(LedgerRole.OWNER))
        made = described(admin)
    admin.dispose()
    assert described_at(ledger_url) == made


def test_the_worker_cannot_put_a_guard_aside(ledger: Engine, roles: Roles) -> None:
    """No trigger can be disabled or dropped, nor replaced by its function, and no setting turns them off."""
    worker = roles(LedgerRole.WORKER)
    statements = [
        "ALTER TABLE instructions DISABLE TRIGGER ALL",
        "ALTER TABLE instructions DISABLE TRIGGER instruction_has_benefit",
        "DROP TRIGGER insert_only ON events",
        "ALTER TABLE instructions DROP CONSTRAINT instructions_follow",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "SET ROLE " + str(ledger.url.username),
        "CREATE TABLE facts (x int)",
        "DROP TABLE events",
        "TRUNCATE shards",
    ]
    assert [] == [each for each in statements if not refused(worker, each)]


@pytest.mark.parametrize("role", PROCESSES)
def test_nobody_may_change_what_is_insert_only(ledger: Engine, roles: Roles, role: LedgerRole) -> None:
    """Neither update nor delete nor empty it, before any trigger is asked; who publishes has to lock two tables."""
    engine = roles(role)
    with ledger.connect() as connection:
        kept = sorted(connection.scalars(KEPT))
    assert {"events", "facts", "instructions", "decisions", "audit_entries", "checkpoints", "postings"} <= set(kept)
    locked = ["treaties", "watches"] if role is LedgerRole.OPERATOR else []
    with ledger.connect() as connection:
        first = "SELECT attname FROM pg_attribute WHERE attrelid = '{}'::regclass AND attnum = 1"
        columns = {table: connection.scalar(text(first.format(table))) for table in kept}
    let = [table for table in kept if not refused(engine, f"UPDATE {table} SET {columns[table]} = {columns[table]}")]
    let_delete = [table for table in kept if not refused(engine, f"DELETE FROM {table}")]
    let_empty = [table for table in kept if not refused(engine, f"TRUNCATE {table} CASCADE")]
    assert (locked, [], []) == (let, let_delete, let_empty)


def test_a_lock_is_no_change(roles: Roles) -> None:
    """Who publishes may lock the treaties and watches; the trigger still refuses to change one."""
    operator = roles(LedgerRole.OPERATOR)
    for table in ("treaties", "watches"):
        with pytest.raises(DBAPIError, match="is insert-only"), operator.begin() as connection:
            connection.execute(text(f"UPDATE {table} SET operator = 'somebody else'"))


@pytest.mark.parametrize(
    ("role", "secret"),
    [
        (LedgerRole.WORKER, ["console_users", "console_sessions", "people", "api_keys", "inbox", "answers"]),
        (LedgerRole.RELAY, ["events", "facts", "claims", "decisions", "people", "console_users"]),
        (LedgerRole.GATEWAY, ["people", "console_users", "audit_entries", "outbox_batches"]),
        (LedgerRole.CONSOLE, ["api_keys", "answers", "sent_before"]),
        (LedgerRole.AUDITOR, ["people", "console_users", "api_keys", "inbox", "subjects"]),
    ],
)
def test_a_process_cannot_read_what_it_does_not_need(roles: Roles, role: LedgerRole, secret: list[str]) -> None:
    """Passwords, keys, names of people and bytes of events stay with those who work with them."""
    engine = roles(role)
    assert secret == [table for table in secret if refused(engine, f"SELECT FROM {table}")]


def test_rights_are_over_tables_that_there_are() -> None:
    """Each name in the rights is a table of the ledger, and every table is somebody's to read."""
    known = set(tables.metadata.tables) | {"alembic_version"}
    named = {role: {name for names in rights_of(role).values() for name in names} for role in PROCESSES}
    assert [] == [(role.value, name) for role in PROCESSES for name in named[role] - known]
    read = {name for role in PROCESSES for name in rights_of(role)["SELECT"]}
    assert set() == known - read


def test_the_command_prints_what_a_database_takes(ledger: Engine) -> None:
    """All roles, or one under another name, twice without harm; the name is quoted where it has to be."""
    printed = huzhu("ledger", "grants")
    assert printed.returncode == 0
    assert [f"-- {role.value}" for role in LedgerRole] == [
        line for line in printed.stdout.splitlines() if line.startswith("--")
    ]
    one = huzhu("ledger", "grants", "--role", "worker", "--user", "Worker 1").stdout
    assert '-- worker\nGRANT USAGE ON SCHEMA public TO "Worker 1";\nGRANT SELECT ON ' in one
    with ledger.begin() as connection:
        connection.execute(text('CREATE ROLE "Worker 1"'))
        for _ in range(2):
            connection.execute(text(one))
        connection.execute(text('DROP OWNED BY "Worker 1"'))
        connection.execute(text('DROP ROLE "Worker 1"'))
    alone = huzhu("ledger", "grants", "--user", "worker")
    assert (2, "--user needs --role\n") == (alone.returncode, alone.stderr)
