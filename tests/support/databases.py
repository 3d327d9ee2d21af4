"""The empty ledger that every test copies, names of databases that no other takes, and what a database is made of."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, make_url, text

from infra.ledger.schema import MIGRATIONS, connect
from infra.ledger.upgrading import upgrade
from schemas.canonical import sha256_hex
from tests.support.servers import execute, query

TEMPLATE = "huzhu_template"
"""An empty migrated database on the run's PostgreSQL, to copy."""

WHAT_MIGRATES = (
    *MIGRATIONS.rglob("*.py"),
    *(MIGRATIONS.with_name(f"{module}.py") for module in ("changed_checks", "upgrading", "schema")),
)
"""The code that decides what the empty database is."""

_IS_TEMPLATE = f"datname = '{TEMPLATE}'"

NewDatabase = Callable[[], str]
"""Makes an empty database and returns its address."""

_numbers = count(1)


def fresh_name(of_what: str) -> str:
    """A name for a database; xdist's processes share one server."""
    return f"huzhu_{of_what}_{os.getpid()}_{next(_numbers)}"


def make_template(url: str) -> None:
    """Makes the empty migrated database on a server, unless the same migrations have made it before."""
    made_by = sha256_hex(b"".join(each.read_bytes() for each in sorted(WHAT_MIGRATES)))
    if made_by == query(url, f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE {_IS_TEMPLATE}"):
        return
    execute(url, f"DROP DATABASE IF EXISTS {TEMPLATE}", alone=True)
    execute(url, f"CREATE DATABASE {TEMPLATE}", alone=True)
    engine = connect(make_url(url).set(database=TEMPLATE).render_as_string(hide_password=False))
    upgrade(engine)
    engine.dispose()
    execute(url, f"COMMENT ON DATABASE {TEMPLATE} IS '{made_by}'")


def migrate_to(engine: Engine, schema: str) -> None:
    """Makes a ledger as the release left it whose last migration has this number."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema)


def described(engine: Engine) -> dict[str, list[str]]:
    """Columns, constraints, indexes and triggers of a database, as PostgreSQL spells them."""
    tables_of_ours = "table_schema = 'public' AND table_name <> 'alembic_version'"
    ours = "connamespace = 'public'::regnamespace AND conrelid <> coalesce(to_regclass('alembic_version'), 0)"
    queries = {
        "columns": "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default, "
        f"generation_expression) FROM information_schema.columns WHERE {tables_of_ours}",
        "constraints": "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) "
        f"FROM pg_constraint WHERE {ours} AND contype <> 't' AND contype <> 'n'",
        "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
        "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    }
    with engine.connect() as connection:
        return {name: sorted(connection.scalars(text(query))) for name, query in queries.items()}


def described_at(url: str) -> dict[str, list[str]]:
    engine = connect(url)
    try:
        return described(engine)
    finally:
        engine.dispose()
