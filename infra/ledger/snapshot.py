"""All facts of the ledger as of one moment, read by several processes, none of which can write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Engine, func, select, text

from infra.ledger import policy_rows, tables
from schemas.health import SNAPSHOT

_SNAPSHOT_ID = re.compile(r"[0-9A-F-]+")


@dataclass(frozen=True, slots=True)
class Moment:
    """A state of the ledger that others can read while its owner holds it.

    ``first_event`` and ``end_event`` are the half-open range of its event numbers.
    """

    snapshot_id: str
    policy_texts: list[str]
    first_event: int
    end_event: int


@contextmanager
def moment(engine: Engine) -> Iterator[Moment]:
    """Holds the ledger's current state, in a read-only transaction."""
    with _reading(engine) as connection:
        # This session waits while others work with its snapshot; it holds no lock that anybody waits for.
        connection.execute(text(f"SET LOCAL application_name = '{SNAPSHOT}'"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot_id = str(connection.scalar(text("SELECT pg_export_snapshot()")))
        number = tables.events.c.event_no
        first, last = connection.execute(select(func.min(number), func.max(number))).one()
        texts = policy_rows.texts(connection)
        yield Moment(snapshot_id, texts, first or 0, 0 if last is None else last + 1)


def accepted_events(engine: Engine, snapshot_id: str, first: int, end: int) -> Iterator[bytes]:
    """The accepted events with numbers ``[first, end)`` as they were sent, in the ledger's order, as of a moment."""
    if not _SNAPSHOT_ID.fullmatch(snapshot_id):
        raise ValueError("not the id of a snapshot")
    query = f"SELECT value FROM events WHERE event_no >= {first:d} AND event_no < {end:d} AND disposition = 'accepted'"
    with _reading(engine) as connection:
        connection.execute(text(f"SET TRANSACTION SNAPSHOT '{snapshot_id}'"))
        driver = cast(psycopg.Connection[Any], connection.connection.driver_connection)
        statement = f"COPY ({query} ORDER BY event_no) TO STDOUT (FORMAT BINARY)"
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(["bytea"])
            for (value,) in copy.rows():
                yield value


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection
