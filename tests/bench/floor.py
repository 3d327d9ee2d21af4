"""Peer (v), a floor: the rows that the product writes for the same messages, by COPY, and nothing else.

The same logged tables with their keys and indexes, but without triggers and foreign keys; one transaction per 500
events; the bytes are ready before the clock starts. A claim's and a benefit's row is written once, in its last state.
"""

from __future__ import annotations

import time

import psycopg

from infra.ledger.schema import connect
from tests.bench.fill import fill
from tests.bench.stage import Stage

EVENTS = 500
NUMBERED = ("events", "facts", "decisions", "instructions", "audit_entries")
"""Tables whose rows say which event they belong to; the rows of the others are dealt out evenly."""
OTHERS = ("subjects", "claims", "benefits", "outbox_batches")
GENERATED = "revision_before"


class PostgresFloor:
    """The rows of some messages, as one product run wrote them, ready to be copied."""

    def __init__(self, stage: Stage, messages: list[bytes]) -> None:
        self._stage = stage
        ledger = stage.ledger()
        engine = connect(ledger)
        fill(engine, messages)
        engine.dispose()
        with psycopg.connect(_plain(ledger)) as connection:
            self._chunks = _chunks(connection, len(messages))
            tables = (*NUMBERED, *OTHERS)
            self.rows = sum(_number(connection, f"SELECT count(*) FROM {table}") for table in tables)
        stage.drop_ledger(ledger)

    def seconds(self) -> float:
        """How long PostgreSQL takes for them, into an empty ledger."""
        ledger = self._stage.ledger()
        with psycopg.connect(_plain(ledger), autocommit=True) as connection:
            for table in (*NUMBERED, *OTHERS):
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
                connection.execute(f"DELETE FROM {table}")
            started = time.monotonic()
            for chunk in self._chunks:
                with connection.transaction(), connection.cursor() as cursor:
                    for statement, content in chunk:
                        with cursor.copy(statement) as copy:
                            copy.write(content)
            took = time.monotonic() - started
        self._stage.drop_ledger(ledger)
        return took


def _chunks(connection: psycopg.Connection, events: int) -> list[list[tuple[str, bytes]]]:
    """For every 500 events the COPY statements and their bytes."""
    first = _number(connection, "SELECT min(event_no) FROM events")
    last = _number(connection, "SELECT max(event_no) FROM events")
    starts = list(range(first, last + 1, EVENTS))
    chunks: list[list[tuple[str, bytes]]] = [[] for _ in starts]
    for table in (*NUMBERED, *OTHERS):
        columns = _columns(connection, table)
        total = _number(connection, f"SELECT count(*) FROM {table}")
        for index, start in enumerate(starts):
            if table in NUMBERED:
                which = f"WHERE event_no >= {start} AND event_no < {start + EVENTS}"
            else:
                low, high = (total * each // len(starts) for each in (index, index + 1))
                which = f"OFFSET {low} LIMIT {high - low}"
            content = _copied(connection, f"SELECT {columns} FROM {table} {which}")
            chunks[index].append((f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)", content))
    return chunks


def _copied(connection: psycopg.Connection, query: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)".encode()) as copy:
        return b"".join(bytes(block) for block in copy)


def _columns(connection: psycopg.Connection, table: str) -> str:
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position"
    return ", ".join(f'"{name}"' for (name,) in connection.execute(query, [table]) if name != GENERATED)


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")
