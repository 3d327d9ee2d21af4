"""Bringing a database to the ledger's newest schema, and binding it to its number of shards and Kafka cluster."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.dialects.postgresql import insert

from infra.ledger.tables import installation, relays, shards
from schemas.canonical import NO_HASH
from schemas.health import PROGRAM

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x48555A48
"""Key of the advisory lock under which migrations run ("HUZH"), so two starting processes do not run them twice."""

MIGRATION_SECONDS_MAX = 600
"""How long a migration may pause, or wait for a lock; the lease is for transactions that take a moment."""


FOREIGN_TABLES = """
SELECT count(*) FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
  AND to_regclass('alembic_version') IS NULL
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
"""
"""How many tables there are in a database that no migration has touched; those of extensions do not count."""


class LedgerMismatch(Exception):
    """The ledger belongs to another set-up than this one; continuing could pay twice."""


LEASE_SECONDS = 15.0
"""How long a process may pause inside a transaction, or its network swallow packets, before the other side gives up."""


def connect(
    url: str,
    lease: float = LEASE_SECONDS,
    *,
    name: str = PROGRAM,
    pool: int = 5,
    statement_seconds: float | None = None,
) -> Engine:
    """An engine for a ledger. Connections are tested before use; errors hide parameters, which are people's data.

    A process that is stopped in the middle of a transaction holds the locks of its shards. After ``lease`` seconds
    PostgreSQL ends its session, so that the worker that took over can continue; what was not committed is lost.
    ``pool`` connections are kept open. A statement that takes longer than ``statement_seconds`` is cancelled. Sessions
    have ``name`` as their application_name.
    """
    lease_ms = int(lease * 1000)
    session = {
        "idle_in_transaction_session_timeout": lease_ms,
        "tcp_user_timeout": lease_ms,  # for a process that was stopped while the server was still sending to it
        "lock_timeout": 4 * lease_ms,
    }
    if statement_seconds is not None:
        session["statement_timeout"] = int(statement_seconds * 1000)
    return create_engine(
        url,
        pool_size=pool,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 10,
            "application_name": name,
            "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
            # Our side too detects a half-open connection, where nobody answers and nobody hangs up.
            "keepalives_idle": max(1, int(lease / 3)),
            "keepalives_interval": max(1, int(lease / 6)),
            "keepalives_count": 3,
            "tcp_user_timeout": lease_ms,
        },
    )


def known_schemas() -> list[str]:
    """The numbers of the migrations that this program knows, oldest first."""
    return sorted(file.stem.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def upgrade(engine: Engine) -> None:
    """Creates or upgrades the tables. Safe to call from several processes at once.

    A ledger that is up to date costs one question: every process asks at its start, and on a busy machine loading the
    migrations takes longer than the lease of a transaction. Raises LedgerMismatch for a database of another program, or
    of a newer Huzhu; nothing was written to it then.
    """
    with engine.connect() as connection:
        held = held_schema(connection)
    known = known_schemas()
    if held == known[-1]:
        return
    if held is not None and held not in known:
        raise LedgerMismatch(
            "the tables of this database were made by another program or by a newer Huzhu: correct "
            "HUZHU_DATABASE_URL, or run the newer Huzhu; nothing was written"
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        for patience in ("idle_in_transaction_session_timeout", "lock_timeout"):
            connection.execute(text(f"SET LOCAL {patience} = '{MIGRATION_SECONDS_MAX}s'"))
        key = {"key": MIGRATION_LOCK}
        if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), key):
            log.warning("waiting for another process that upgrades the ledger, at most %s s", MIGRATION_SECONDS_MAX)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)
        if connection.scalar(text(FOREIGN_TABLES)):
            raise LedgerMismatch(
                "this database has tables of another program: give the ledger a database of its own and correct "
                "HUZHU_DATABASE_URL; nothing was written"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def held_schema(connection: Connection) -> str | None:
    """The number of the last migration that was made on a ledger; None if it is empty."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    held: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return held


def is_untouched(engine: Engine) -> bool:
    """Whether nothing was ever recorded in the database: no ledger, or one without an event or an act."""
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('events')")) is None:
            return True
        return not connection.scalar(text("SELECT EXISTS (SELECT FROM events)"))


def bind(engine: Engine, shard_count: int, cluster_id: str) -> None:
    """Makes the ledger that of ``shard_count`` shards and of one Kafka cluster, or checks that it is.

    Raises LedgerMismatch: with another number of shards a person's events would come under another lock, and the
    offsets of another cluster mean other events.
    """
    with engine.begin() as connection:
        _settle(connection, "shards", str(shard_count), "HUZHU_SHARDS")
        _settle(connection, "kafka_cluster_id", cluster_id, "HUZHU_KAFKA_BOOTSTRAP")
        rows = [{"shard": shard, "audit_hash": NO_HASH} for shard in range(shard_count)]
        connection.execute(insert(shards).on_conflict_do_nothing(), rows)
        connection.execute(insert(relays).on_conflict_do_nothing(), [{"shard": row["shard"]} for row in rows])


def _settle(connection: Connection, name: str, value: str, setting: str) -> None:
    connection.execute(insert(installation).values(name=name, value=value).on_conflict_do_nothing())
    held = connection.scalar(select(installation.c.value).where(installation.c.name == name))
    if held != value:
        raise LedgerMismatch(
            f"this ledger was made for {name} {held}, but {setting} leads to {value}: "
            f"correct {setting} or HUZHU_DATABASE_URL; nothing was written"
        )


def bound_shards(engine: Engine) -> int:
    """The number of shards of a bound ledger. Raises LedgerMismatch if no worker ever bound it."""
    with engine.connect() as connection:
        held = connection.scalar(select(installation.c.value).where(installation.c.name == "shards"))
    if held is None:
        raise LedgerMismatch("this ledger is new: run `huzhu topics apply` first")
    return int(held)
