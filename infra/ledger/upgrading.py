"""Migrating a ledger to the schema of this program, at once or as SQL that somebody else runs."""

from __future__ import annotations

import io
import logging

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from infra.ledger.changed_checks import LATER
from infra.ledger.schema import MIGRATIONS, LedgerMismatch, known_schema, known_schemas

log = logging.getLogger(__name__)

MIGRATION_LOCK = 0x48555A48
"""Key of the advisory lock under which migrations run ("HUZH"), so that two processes do not run them at once."""

MIGRATION_SECONDS_MAX = 600
"""How long a migration may pause, or wait for another; the lease is for transactions that take a moment."""

LOCK_SECONDS_MAX = 3
"""How long a migration waits for a table in use. Whoever comes later waits behind it, so it soon gives way."""

LAST_READ_BY_PROGRAM = "0020"
"""The last migration that reads in Python what a ledger holds: SQL alone cannot do that."""

FOREIGN_TABLES = text("""
    SELECT count(*) FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
      AND to_regclass('alembic_version') IS NULL
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
""")
"""How many tables there are in a database that no migration has touched; those of extensions do not count."""

NOT_LOOKED_THROUGH = text("""
    SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint
    WHERE NOT convalidated AND contype = 'c' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2
""")
"""Checks that hold for new rows, and that nobody has compared with the older rows yet."""


def upgrade(engine: Engine) -> None:
    """Creates or upgrades the tables. Safe to call from several processes at once, and again after any failure.

    The migrations are one transaction: all or none. Checks that they changed are compared with the rows that are there
    in transactions of their own, which workers do not notice. What somebody uses is waited for only a moment: raises
    OperationalError then, with nothing changed. Raises LedgerMismatch for a database of another program, or of a newer
    Huzhu; nothing was written to it then.
    """
    if not what_is_missing(engine):
        return
    with engine.connect() as connection:
        connection.detach()  # the session, its settings and the advisory lock end with this block
        _await_turn(connection)
        connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS_MAX}s'"))
        if known_schema(connection) is None:  # asked again: somebody may have been faster
            _refuse_foreign(connection)
        connection.commit()
        config = _config()
        config.attributes["connection"] = connection
        with connection.begin():
            command.upgrade(config, "head")
        checks = connection.execute(NOT_LOOKED_THROUGH).all()
        connection.commit()
        for table, name in checks:
            with connection.begin():
                connection.execute(text(_look_through(table, name)))


def what_is_missing(engine: Engine) -> list[str]:
    """The migrations and the checks of older rows that `upgrade` would still do; empty if there are none.

    Raises LedgerMismatch for a database of another program, or of a newer Huzhu.
    """
    with engine.connect() as connection:
        held = known_schema(connection)
        if held is None:
            _refuse_foreign(connection)
        known = known_schemas()
        after = 0 if held is None else known.index(held) + 1
        checks = [f"{table} {name}" for table, name in connection.execute(NOT_LOOKED_THROUGH)] if held else []
        return known[after:] + checks


def upgrade_as_sql(engine: Engine) -> str:
    """What `upgrade` would do, as SQL for the owner of the tables; empty if nothing is missing. Changes nothing.

    Raises LedgerMismatch as `upgrade` does, and where the program has to read what the ledger holds.
    """
    with engine.connect() as connection:
        held = known_schema(connection)
        if held is None:
            _refuse_foreign(connection)
        elif held < LAST_READ_BY_PROGRAM:
            raise LedgerMismatch(
                f"the ledger has schema {held}: migrations up to {LAST_READ_BY_PROGRAM} read what it holds, which SQL "
                "alone cannot do: run `huzhu ledger upgrade` without --sql; nothing was written"
            )
        checks = {tuple(row): None for row in connection.execute(NOT_LOOKED_THROUGH)} if held else {}
    printed = io.StringIO()
    config = _config(printed)
    if held != known_schemas()[-1]:
        printed.write(f"SET lock_timeout = '{LOCK_SECONDS_MAX}s';\n\n")
        command.upgrade(config, f"{held or 'base'}:head", sql=True)
    for table, name in checks | config.attributes.get(LATER, {}):
        printed.write(f"{_look_through(table, name)};\n\n")
    return printed.getvalue()


def _look_through(table: str, name: str) -> str:
    return f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"


def _config(printed: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=printed) if printed is not None else Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _await_turn(connection: Connection) -> None:
    """Takes the lock of migrations for the whole session, and tells the log if another one has it."""
    for patience in ("idle_in_transaction_session_timeout", "lock_timeout"):
        connection.execute(text(f"SET {patience} = '{MIGRATION_SECONDS_MAX}s'"))
    key = {"key": MIGRATION_LOCK}
    if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
        log.warning("waiting for another process that upgrades the ledger, at most %s s", MIGRATION_SECONDS_MAX)
        connection.execute(text("SELECT pg_advisory_lock(:key)"), key)
    connection.commit()


def _refuse_foreign(connection: Connection) -> None:
    if connection.scalar(FOREIGN_TABLES):
        raise LedgerMismatch(
            "this database has tables of another program: give the ledger a database of its own and correct "
            "HUZHU_DATABASE_URL; nothing was written"
        )
