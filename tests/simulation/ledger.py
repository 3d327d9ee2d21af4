"""A real PostgreSQL ledger whose connections and processes die where the seed says.

The engine is the product's own; the faults hang on SQLAlchemy's events and on the driver's commit, so no line of the
ledger's code knows of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.pool import PoolProxiedConnection

from infra.ledger.identity import identity
from infra.ledger.schema import bind, connect
from infra.ledger.tables import metadata
from infra.ledger.upgrading import upgrade
from tests.simulation.faults import Faults, Point
from tests.simulation.stage import Stage
from tests.support.outbox import AS_RELEASED, OUTBOX_UNPACKED

TEMPLATE = f"huzhu_simulation_template_{os.getpid()}"

WATCHED = """
CREATE TABLE outbox_as_written AS TABLE outbox WITH NO DATA;
CREATE FUNCTION keep_outbox() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO outbox_as_written SELECT * FROM added; RETURN NULL; END $$;
CREATE TRIGGER keep_outbox AFTER INSERT ON outbox REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION keep_outbox();
CREATE FUNCTION keep_batches() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO outbox_as_written
        SELECT shard, each.* FROM added, outbox_unpacked(first_seq, messages) AS each WHERE each.seq <= last_seq;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_batches AFTER INSERT ON outbox_batches REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION keep_batches();
CREATE FUNCTION relays_forward() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'relayed_seq went back'; END $$;
CREATE TRIGGER relays_forward BEFORE UPDATE ON relays FOR EACH ROW
    WHEN (NEW.relayed_seq < OLD.relayed_seq) EXECUTE FUNCTION relays_forward();
"""
"""The relay deletes what it has sent; the copy shows what it ought to have sent. And what is sent stays sent."""

EMPTY = """
SET session_replication_role = replica;
TRUNCATE {tables}, outbox_as_written, as_released RESTART IDENTITY;
ALTER SEQUENCE events_event_no_seq RESTART;
RESET session_replication_role;
"""
"""As good as a new database and several times as fast: 14 ms against 35 to make one and 45 to drop it."""


WHO_WAITS = re.compile(r"SELECT (group|pool)_work\b.*\bshard IN", re.DOTALL)
WITH_WHOM = re.compile(r"SELECT memberships\b")
LOCKS = re.compile(r"SELECT shards\b.*\bFOR UPDATE", re.DOTALL)
PUBLISHES = re.compile(r"INSERT INTO policies\b")
WAITS = "SELECT FROM group_work UNION ALL SELECT FROM pool_work LIMIT 1"
TAKEN_OFF = re.compile(r"DELETE FROM (group|pool)_work\b")

COMMIT = (Point.BEFORE_COMMIT, Point.COMMIT_UNKNOWN_LOST, Point.COMMIT_UNKNOWN_DONE, Point.AFTER_COMMIT)
GROUP_COMMIT = (
    *(Point.GROUP_BEFORE_COMMIT, Point.GROUP_UNKNOWN_LOST, Point.GROUP_UNKNOWN_DONE, Point.GROUP_AFTER_COMMIT),
)
"""Where a commit can go wrong: before it, without an answer though it was lost or done, and after it."""


Look = Callable[[psycopg.Connection[Any]], None]
"""Looks at the ledger, and raises Broken for a law that does not hold."""


@contextmanager
def template(server_url: str) -> Iterator[str]:
    """The server's address, while it holds an empty, migrated ledger to copy."""
    _administer(server_url, f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)", f"CREATE DATABASE {TEMPLATE}")
    engine = connect(_database(server_url, TEMPLATE))
    upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(OUTBOX_UNPACKED + AS_RELEASED + WATCHED)
    engine.dispose()
    yield server_url
    _administer(server_url, f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


@contextmanager
def database(server_url: str, without: tuple[str, ...] = ()) -> Iterator[str]:
    """The address of a ledger for many seeds, after statements that take guards ``without`` which it has to do."""
    name = f"huzhu_simulation_{os.getpid()}"
    _administer(
        server_url,
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY = FILE_COPY",
    )
    url = _database(server_url, name)
    engine = connect(url)
    with engine.begin() as connection:
        for statement in without:
            connection.exec_driver_sql(statement)
    engine.dispose()
    yield url
    _administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


class SimulatedLedger:
    """The engine that all simulated processes share, one connection a transaction."""

    def __init__(
        self,
        url: str,
        shards: int,
        faults: Faults,
        stage: Stage,
        as_released: int,
        committed: Look = lambda _: None,
        decided: Look = lambda _: None,
    ) -> None:
        """Empties the database at ``url`` first. Every so many batches are written ``as_released``; 0 for none.

        ``committed`` looks at the ledger after each commit that is not a relay's, ``decided`` after those of group
        steps and published policies.
        """
        self._committed, self._decided = committed, decided
        self._faults = faults
        self._stage = stage
        # A connection of its own, untouched by faults: it looks and it kills.
        self.observer = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self.observer.execute(EMPTY.format(tables=", ".join(sorted(metadata.tables))).encode())
        self.observer.execute("INSERT INTO as_released SELECT %(every)s WHERE %(every)s > 0", {"every": as_released})
        self.engine: Engine = connect(url)
        bind(self.engine, shards, "simulated")
        with self.engine.begin() as connection:
            identity(connection)
        self.observer.execute("UPDATE installation SET value = 'simulated' WHERE name = 'ledger_id'")
        self._last = ""
        self._deciding, self._publishing = set[object](), set[object]()
        self._commit = self.engine.dialect.do_commit
        self.engine.dialect.do_commit = self._faulty_commit  # type: ignore[assignment,method-assign]
        event.listen(self.engine, "begin", self._begin)
        event.listen(self.engine, "before_cursor_execute", self._execute)

    def close(self) -> None:
        self.engine.dispose()
        self.observer.close()

    def _begin(self, connection: Connection) -> None:
        for marked in (self._deciding, self._publishing):
            marked.discard(connection.connection.driver_connection)
        if self._stage.depth > 1:  # whoever it waits for cannot move before it gives up
            _driver(connection.connection).execute("SET LOCAL lock_timeout = '2ms'")

    def _execute(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if self._stage.relaying:
            return
        self._faults.crash_at(Point.MID_BATCH)
        if self._faults.fires(Point.CONNECTION_KILLED):
            self._kill(connection.connection)
        elif self._stage.depth == 1:
            if statement.startswith("INSERT INTO subjects") and self._faults.fires(Point.BEFORE_BINDING):
                self._stage.let_others_act(True)
            elif self._faults.fires(Point.INTERLEAVED):
                self._stage.let_others_act(False)
        self._group_step(connection, statement)

    def _group_step(self, connection: Connection, statement: str) -> None:
        """The fault points of group steps and pools' steps, known by what they ask: who waits, who belongs together."""
        last, alone = self._last, self._stage.depth == 1
        if alone:
            self._last = statement
        driver = connection.connection.driver_connection
        if driver in self._deciding:
            self._faults.crash_at(Point.GROUP_MID)
        elif WHO_WAITS.match(statement) and self._waiting():
            self._faults.crash_at(Point.GROUP_LEFT)
            if alone and self._faults.fires(Point.GROUP_PAUSED):
                self._stage.let_others_act(False)
        elif alone and LOCKS.match(statement) and WITH_WHOM.match(last) and self._faults.fires(Point.GROUP_OVERTAKEN):
            self._stage.let_others_move()
        elif PUBLISHES.match(statement):
            self._publishing.add(driver)
        elif TAKEN_OFF.match(statement):
            self._deciding.add(driver)
            if alone and self._faults.fires(Point.GROUP_INTERLEAVED):
                self._stage.let_others_act(True)

    def _waiting(self) -> bool:
        return self.observer.execute(WAITS).fetchone() is not None

    def _faulty_commit(self, connection: PoolProxiedConnection) -> None:
        if self._stage.relaying:
            self._faults.crash_at(Point.RELAY_BEFORE_CLEAR)
            return self._commit(connection)
        driver = connection.driver_connection
        deciding, publishing = driver in self._deciding, driver in self._publishing
        before, unknown_lost, unknown_done, after = GROUP_COMMIT if deciding else COMMIT
        self._faults.crash_at(before)
        if self._faults.fires(unknown_lost):
            self._kill(connection)  # the commit below finds no server
        self._commit(connection)
        self._committed(self.observer)
        if deciding or publishing:
            self._decided(self.observer)
        if self._faults.fires(unknown_done):
            self._kill(connection)
            _driver(connection).close()
            raise psycopg.OperationalError("simulated: the connection died before the answer")
        self._faults.crash_at(after)
        return None

    def _kill(self, connection: PoolProxiedConnection) -> None:
        """Ends the connection's server process, and waits until its locks are gone."""
        self.observer.execute("SELECT pg_terminate_backend(%s, 10000)", [_driver(connection).info.backend_pid])


def _driver(connection: PoolProxiedConnection) -> psycopg.Connection[Any]:
    driver = connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _database(url: str, name: str) -> str:
    address = make_url(url).set(database=name).update_query_dict({"options": "-csynchronous_commit=off"})
    return address.render_as_string(hide_password=False)


def _administer(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
