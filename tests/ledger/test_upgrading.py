"""Only `huzhu ledger upgrade` migrates; it stands in nobody's way, can be printed as SQL, and can be done again."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError

from infra.keys.audit_signing import make_key
from infra.keys.personal_data import add_key
from infra.ledger import upgrading
from infra.ledger.schema import LedgerMismatch, connect, known_schemas, require_current, schema_of
from infra.ledger.upgrading import upgrade, upgrade_as_sql, what_is_missing
from tests.support.databases import NewDatabase, described, described_at, migrate_to
from tests.support.processes import huzhu

NEWEST = known_schemas()[-1]
EVENT = (
    "INSERT INTO events (event_no, shard, topic, partition, recorded_at, disposition) "
    "VALUES ({}, 0, 'operator', 0, now(), '{}')"
)
COMMANDS = [
    ["worker"],
    ["relay"],
    ["gateway"],
    ["console"],
    ["audit", "sign", "--once"],
    ["ledger", "check"],
    ["ledger", "adopt", "--operator", "li.na", "--reason", "restored"],
    ["topics", "check"],
    ["payouts", "list"],
    ["policy", "show"],
    ["keys", "list"],
    ["users", "list"],
    ["explain", "enc-1"],
    ["day", "close", "2027-03-01"],
    ["simulate", "--ledger", "--policy", "infra/samples/wuxi-sample.toml"],
]


@pytest.fixture
def older(new_database: NewDatabase) -> Any:
    """A ledger of the release before the last checks were changed, with an event."""
    engine = connect(new_database())
    migrate_to(engine, "0022")
    with engine.begin() as connection:
        connection.execute(text(EVENT.format(1, "policy")))
        connection.execute(text("SELECT setval('events_event_no_seq', 1)"))
    yield engine
    engine.dispose()


def run(engine: Engine, *words: str, **settings: str) -> CompletedProcess[str]:
    """A command on a ledger. There is no Kafka: what begins with the ledger never asks for it."""
    known = {"HUZHU_DATABASE_URL": engine.url.render_as_string(hide_password=False), "HUZHU_RETRY_ATTEMPTS": "1"}
    return huzhu(*words, columns=80, **{**known, "HUZHU_KAFKA_BOOTSTRAP": "127.0.0.1:1", **settings})


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_other_command_migrates(older: Engine, tmp_path: Path, words: list[str]) -> None:
    """On an older schema each process and command ends with status 2 and one sentence that says what to do."""
    add_key(tmp_path / "console.keys")
    make_key("log", tmp_path / "log.key")
    files = {"CONSOLE_KEY_FILE": tmp_path / "console.keys", "AUDIT_KEY_FILE": tmp_path / "log.key"}
    done = run(older, *words, **{f"HUZHU_{name}": str(file) for name, file in files.items()})
    sentence = f"the ledger has schema 0022 and this program wants {NEWEST}: run `huzhu ledger upgrade` first"
    assert (2, f"{sentence}; nothing was written\n") == (done.returncode, done.stderr)
    assert "0022" == schema_of(older)


def test_a_newer_schema_is_refused_and_an_empty_database_too(ledger: Engine, new_database: NewDatabase) -> None:
    """The one asks for the newer program, the other for `huzhu ledger upgrade`; nothing is made there."""
    empty = connect(new_database())
    with pytest.raises(LedgerMismatch, match="run `huzhu ledger upgrade` first"):
        require_current(empty)
    assert described(empty)["columns"] == []
    require_current(ledger)
    with ledger.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for act in (require_current, upgrade, upgrade_as_sql):
        with pytest.raises(LedgerMismatch, match=r"newer Huzhu \(the ledger has schema 9999, this"):
            act(ledger)
    empty.dispose()


def test_the_command_upgrades_and_says_to_what(older: Engine) -> None:
    """It can be repeated, and `huzhu ledger check` says what the ledger has and what is wanted, before and after."""
    said = f"The ledger has schema {{}}; this program wants {NEWEST}.\n"
    assert said.format("0022") == run(older, "ledger", "check", "--language", "en").stdout
    done = run(older, "ledger", "upgrade", "--language", "en")
    assert (0, f"The ledger has schema {NEWEST} now.\n", "") == (done.returncode, done.stdout, done.stderr)
    require_current(older)
    again = run(older, "ledger", "upgrade", "--language", "en")
    assert (0, f"The ledger has schema {NEWEST}, the one of this program: nothing to do.\n") == (
        again.returncode,
        again.stdout,
    )
    checked = run(older, "ledger", "check", "--language", "en", HUZHU_KAFKA_BOOTSTRAP="")
    assert said.format(NEWEST) == checked.stdout


@pytest.mark.parametrize("schema", [None, "0020", "0022"])
def test_the_printed_sql_does_the_same(new_database: NewDatabase, ledger_url: str, schema: str | None) -> None:
    """Printing runs nothing; run by somebody else, statement by statement, it leaves nothing for the program to do."""
    engine = connect(new_database())
    if schema is not None:
        migrate_to(engine, schema)
    before = described(engine)
    done = run(engine, "ledger", "upgrade", "--sql")
    assert (0, "") == (done.returncode, done.stderr)
    assert (schema, before) == (schema_of(engine), described(engine))
    plain = make_url(engine.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as session:
        session.execute(done.stdout.encode())
    assert [] == what_is_missing(engine)
    assert described_at(ledger_url) == described(engine)
    assert "" == upgrade_as_sql(engine)
    engine.dispose()


def test_what_the_program_has_to_read_is_not_printed(new_database: NewDatabase) -> None:
    """A ledger from before migration 0020 is filled by the program: SQL alone would forget what it holds."""
    engine = connect(new_database())
    migrate_to(engine, "0019")
    with pytest.raises(LedgerMismatch, match="run `huzhu ledger upgrade` without --sql"):
        upgrade_as_sql(engine)
    engine.dispose()


def test_older_rows_are_compared_while_others_write(older: Engine) -> None:
    """The check of dispositions changes in a moment; while it is compared with all events, events come in."""
    writer = create_engine(older.url, connect_args={"options": "-c lock_timeout=1s"})
    written: list[str] = []

    def write_event(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "VALIDATE CONSTRAINT" not in statement:
            return
        with writer.begin() as connection:
            connection.execute(text(EVENT.format(2 + len(written), "aid")))
        written.append(statement)

    event.listen(older, "after_cursor_execute", write_event)
    upgrade(older)
    writer.dispose()
    assert ["ALTER TABLE events VALIDATE CONSTRAINT events_disposition"] == written
    assert [] == what_is_missing(older)


def test_a_table_in_use_is_not_waited_for_long(older: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody's transaction uses a table, the upgrade gives way and leaves all as it was; then it goes on."""
    monkeypatch.setattr(upgrading, "LOCK_SECONDS_MAX", 0.05)
    reader = create_engine(older.url)
    with reader.connect() as connection:
        connection.execute(text("SELECT count(*) FROM events"))
        with pytest.raises(OperationalError, match="lock timeout"):
            upgrade(older)
        done = run(older, "ledger", "upgrade")
        assert (75, "0022") == (done.returncode, schema_of(older))
        assert "the ledger cannot be reached or upgraded: canceling statement due to lock timeout" in done.stderr
    upgrade(older)
    reader.dispose()
    require_current(older)


def test_an_upgrade_that_was_broken_off_is_finished(older: Engine) -> None:
    """Where the migrations are done and old rows not compared, new rows are checked, and the next upgrade compares."""
    migrate_to(older, "head")
    assert ["events events_disposition"] == what_is_missing(older)
    with pytest.raises(IntegrityError, match="events_disposition"), older.begin() as connection:
        connection.execute(text(EVENT.format(2, "lost")))
    assert "ALTER TABLE events VALIDATE CONSTRAINT events_disposition;" == upgrade_as_sql(older).strip()
    upgrade(older)
    assert [] == what_is_missing(older)


def test_constraints_are_added_without_reading_the_table(older: Engine) -> None:
    """From migration 0023 on no constraint of a table that is there is compared with its rows under its lock."""
    statements = upgrade_as_sql(older).split(";")
    added = [each for each in statements if "ADD CONSTRAINT" in each]
    assert len(added) >= 3
    assert [] == [each for each in added if not each.endswith("NOT VALID")]
