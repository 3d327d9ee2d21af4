"""How the ledger is: its sessions and what waits in its tables. Reads only, waits for no lock, and is soon done."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, RowMapping, create_engine, func, select, text
from sqlalchemy.exc import OperationalError

from infra.ledger import alert_lists, day_rows, group_rows, inbox, pool_rows, reads
from infra.ledger.schema import held_schema, known_schemas
from infra.ledger.tables import installation, process_starts
from schemas.bilingual import Saying
from schemas.dates import parse_instant
from schemas.health import PROGRAM, LedgerReading, LedgerSession, ShardOutbox, Starts, Tables
from schemas.topics import INBOUND

CONNECT_SECONDS = 3
STATEMENT_MS = 3000
LOCK_MS = 500
"""Tables that a migration holds are not waited for."""

NEW = Saying("账本是新的,尚无处理进程或发送进程启动过", "the ledger is new: no worker or relay was ever started on it")
OLDER = Saying("账本表结构较旧,请运行 huzhu ledger upgrade", "the ledger's tables are older: run huzhu ledger upgrade")
NEWER = Saying(
    "账本表结构较新,请使用新版程序", "the ledger's tables are newer, or another program's: use the newer Huzhu"
)
LOCKED = Saying("账本的表被锁住(升级?)", "tables of the ledger are locked (an upgrade?)")

_SESSIONS = text("""
    SELECT a.pid, coalesce(nullif(a.application_name, ''), a.usename, '') AS program, a.state, a.state_change,
        a.xact_start, a.wait_event, a.wait_event_type, l.waitstart, l.what,
        CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) ELSE '{}' END AS blocked_by
    FROM pg_stat_activity a
    LEFT JOIN LATERAL (
        SELECT l.waitstart, coalesce(c.relname, l.locktype) AS what
        FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation
        WHERE l.pid = a.pid AND NOT l.granted ORDER BY l.waitstart LIMIT 1
    ) l ON a.wait_event_type = 'Lock'
    WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
    ORDER BY a.pid
""")
# The message that waits longest. A batch says when it was written; single rows of an earlier release say it in their
# value, and those that go back to an inbound topic do not.
_OUTBOXES = text("""
    SELECT s.shard, s.outbox_seq - coalesce(r.relayed_seq, 0) AS messages, r.sent_by, r.sent_at, o.value, o.written_at
    FROM shards s LEFT JOIN relays r ON r.shard = s.shard
    LEFT JOIN LATERAL (
        (SELECT seq, value, NULL::timestamptz AS written_at FROM outbox
            WHERE shard = s.shard AND seq > coalesce(r.relayed_seq, 0) AND topic <> ALL(:inbound)
            ORDER BY seq LIMIT 1)
        UNION ALL
        (SELECT last_seq, NULL, written_at FROM outbox_batches
            WHERE shard = s.shard AND last_seq > coalesce(r.relayed_seq, 0) ORDER BY last_seq LIMIT 1)
        ORDER BY 1 LIMIT 1
    ) o ON s.outbox_seq > coalesce(r.relayed_seq, 0)
    ORDER BY s.shard
""")


def observer(url: str, kind: str = "status") -> Engine:
    """An engine that can only look, and gives up soon; ``kind`` is in the name of its sessions."""
    limits = {
        "default_transaction_read_only": "on",
        "lock_timeout": LOCK_MS,
        "statement_timeout": STATEMENT_MS,
        "idle_in_transaction_session_timeout": STATEMENT_MS,
    }
    return create_engine(
        url,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": f"{PROGRAM} {kind}",
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        },
    )


def ledger_reading(engine: Engine, of_late: timedelta) -> LedgerReading:
    """What the ledger says now; starts of processes are those ``of_late``. Raises DBAPIError."""
    with engine.connect() as connection:
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        rows = connection.execute(_SESSIONS).mappings().all()
        hidden = sum(row["state"] is None for row in rows)
        return LedgerReading(now, [_session(row) for row in rows], hidden, tables_now(connection, of_late))


def tables_now(connection: Connection, of_late: timedelta) -> Tables | Saying:
    """What the tables hold, or why they cannot be read; starts of processes ``of_late``. Raises DBAPIError."""
    try:
        return _tables(connection, of_late)
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        return LOCKED


def schema_trouble(engine: Engine) -> Saying | None:
    """Why the ledger's tables are not those of this version; None if they are. Raises DBAPIError."""
    with engine.connect() as connection:
        return _schema_trouble(connection)


def _schema_trouble(connection: Connection) -> Saying | None:
    held, known = held_schema(connection), known_schemas()
    if held == known[-1]:
        return None
    return NEW if held is None else OLDER if held in known else NEWER


def _session(row: RowMapping) -> LedgerSession:
    state = row["state"] or ""
    frozen = state == "active" and row["wait_event"] == "ClientRead"  # inside a COPY
    idle = state.startswith("idle in transaction") or frozen
    waits = row["wait_event_type"] == "Lock"
    return LedgerSession(
        row["pid"],
        row["program"],
        row["xact_start"],
        row["state_change"] if idle else None,
        (row["waitstart"] or row["state_change"]) if waits else None,
        row["what"] or "",
        tuple(sorted(set(row["blocked_by"]))),
    )


def _tables(connection: Connection, of_late: timedelta) -> Tables | Saying:
    trouble = _schema_trouble(connection)
    if trouble is not None:
        return trouble
    facts = {row.name: row.value for row in connection.execute(select(installation))}
    if "shards" not in facts:
        return NEW
    shards = range(int(facts["shards"]))
    starts = process_starts.c
    late = (
        select(starts.kind, func.count(), func.max(starts.started_at))
        .where(starts.started_at > func.now() - of_late)
        .group_by(starts.kind)
        .order_by(starts.kind)
    )
    return Tables(
        len(shards),
        facts.get("kafka_cluster_id", ""),
        reads.next_offsets(connection),
        [_outbox(row) for row in connection.execute(_OUTBOXES, {"inbound": [t.name for t in INBOUND]}).mappings()],
        *inbox.waiting(connection),
        [Starts(*row) for row in connection.execute(late)],
        *group_rows.waiting_since(connection),
        *pool_rows.waiting_since(connection),
        {shard: days.last for shard, days in day_rows.days_of_shards(connection, shards).items()},
        *alert_lists.live_count(connection),
    )


def _outbox(row: RowMapping) -> ShardOutbox:
    oldest = row["written_at"]
    if row["value"] is not None:
        oldest = parse_instant(json.loads(row["value"])["occurred_at"])
    return ShardOutbox(row["shard"], row["messages"], oldest, row["sent_by"], row["sent_at"])
