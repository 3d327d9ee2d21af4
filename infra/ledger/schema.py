"""Connecting to a ledger: which schema it has, and whether it is that of this number of shards and Kafka cluster."""

from __future__ import annotations

from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.dialects.postgresql import insert

from infra.ledger.tables import installation, relays, shards
from schemas.canonical import NO_HASH
from schemas.health import PROGRAM

MIGRATIONS = Path(__file__).parent / "migrations"


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


def plain_address(engine: Engine) -> str:
    """Where an engine connects to, as psycopg alone reads it, whatever characters its password has."""
    parts = {**engine.url.translate_connect_args(username="user", database="dbname"), **engine.url.query}
    return make_conninfo("", **parts)


def known_schemas() -> list[str]:
    """The numbers of the migrations that this program knows, oldest first."""
    return sorted(file.stem.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def require_current(engine: Engine) -> None:
    """Raises LedgerMismatch, with what to do, unless the ledger has the schema of this program; changes nothing.

    Only `huzhu ledger upgrade` migrates (`infra.ledger.upgrading`): a newer program that somebody starts by mistake
    must not change the tables under those that run.
    """
    with engine.connect() as connection:
        held = known_schema(connection)
    wanted = known_schemas()[-1]
    if held is None:
        raise LedgerMismatch("this database holds no ledger yet: run `huzhu ledger upgrade` first; nothing was written")
    if held != wanted:
        raise LedgerMismatch(
            f"the ledger has schema {held} and this program wants {wanted}: run `huzhu ledger upgrade` first; "
            "nothing was written"
        )


def schema_of(engine: Engine) -> str | None:
    """The number of the last migration that was made on a ledger; None if it is empty."""
    with engine.connect() as connection:
        return held_schema(connection)


def known_schema(connection: Connection) -> str | None:
    """The schema of a ledger; None if it is empty. Raises LedgerMismatch for one that this program does not know."""
    held = held_schema(connection)
    if held is not None and held not in known_schemas():
        raise LedgerMismatch(
            "the tables of this database were made by another program or by a newer Huzhu: correct "
            f"HUZHU_DATABASE_URL, or run the newer Huzhu (the ledger has schema {held}, this program wants "
            f"{known_schemas()[-1]}); nothing was written"
        )
    return held


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
    """Makes the ledger that of ``shard_count`` shards and of one Kafka cluster, or checks that it is, which only reads.

    ``cluster_id`` names the topics' prefix too, where they have one. Raises LedgerMismatch: with another number of
    shards a person's events would come under another lock, and the offsets of another cluster, or under another
    prefix, mean other events.
    """
    if is_bound(engine, shard_count, cluster_id):
        return
    with engine.begin() as connection:
        for name, value in _home(shard_count, cluster_id).items():
            connection.execute(insert(installation).values(name=name, value=value).on_conflict_do_nothing())
            _is_settled(connection, name, value)
        rows = [{"shard": shard, "audit_hash": NO_HASH} for shard in range(shard_count)]
        connection.execute(insert(shards).on_conflict_do_nothing(), rows)
        connection.execute(insert(relays).on_conflict_do_nothing(), [{"shard": row["shard"]} for row in rows])


def is_bound(engine: Engine, shard_count: int, cluster_id: str) -> bool:
    """Whether the ledger is that of them; False if it is nobody's yet. Only reads. Raises LedgerMismatch as `bind`."""
    with engine.connect() as connection:
        return all(_is_settled(connection, *each) for each in _home(shard_count, cluster_id).items())


def _home(shard_count: int, cluster_id: str) -> dict[str, str]:
    return {"shards": str(shard_count), "kafka_cluster_id": cluster_id}


def _is_settled(connection: Connection, name: str, value: str) -> bool:
    """Whether the ledger says so already; False if it says nothing. Raises LedgerMismatch."""
    held = connection.scalar(select(installation.c.value).where(installation.c.name == name))
    if held is not None and held != value:
        setting = "HUZHU_SHARDS" if name == "shards" else elsewhere(held, value)
        raise LedgerMismatch(
            f"this ledger was made for {name} {held}, but {setting} leads to {value}: "
            f"correct {setting} or HUZHU_DATABASE_URL; nothing was written"
        )
    return held is not None


def elsewhere(held: str, found: str) -> str:
    """The setting because of which the topics found are not those that a ledger is held to belong to."""
    same_cluster = held.partition("/")[0] == found.partition("/")[0]
    return "HUZHU_PREFIX" if same_cluster else "HUZHU_KAFKA_BOOTSTRAP"


def bound_shards(engine: Engine) -> int:
    """The number of shards of a bound ledger. Raises LedgerMismatch if no worker ever bound it."""
    with engine.connect() as connection:
        held = connection.scalar(select(installation.c.value).where(installation.c.name == "shards"))
    if held is None:
        raise LedgerMismatch("this ledger is new, and no Kafka is its own yet: start `huzhu worker` first")
    return int(held)
