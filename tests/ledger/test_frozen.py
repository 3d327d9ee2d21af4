"""A worker that is frozen (SIGSTOP, a suspended machine) must not keep its shards for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from infra.ledger import reads
from infra.ledger.schema import bind, connect
from infra.settings import Settings
from schemas.records import Delivery
from schemas.topics import RELAY_CURSORS
from stream.inbound.intake import Intake
from tests.support.builders import SHARDS
from tests.support.databases import TEMPLATE, fresh_name
from tests.support.servers import await_true

LEASE = 1.0
LOCK_AND = """
import sys, time
from infra.ledger import reads
from infra.ledger.schema import connect
with connect(sys.argv[1], {lease}).begin() as connection:
    reads.lock_shards(connection, [0], {{}})
    {then}
"""
WAIT = "print('frozen', flush=True); time.sleep(600)"
COPY = f"""
    with connection.connection.driver_connection.cursor() as cursor:
        with cursor.copy("COPY outbox (shard, seq, topic, value) FROM STDIN"):
            {WAIT}
"""


class Kafka:
    """Nothing was sent, and nothing is read here."""

    def ends(self, partitions: Any) -> Any:
        assert {topic for topic, _ in partitions} == {RELAY_CURSORS.name}, "not asked"
        return dict.fromkeys(partitions, (0, 0))

    def unsettled(self, partitions: Collection[tuple[str, int]]) -> list[tuple[str, int]]:
        return []

    def undecided(self, topic: str, partition: int) -> list[Delivery]:
        return []

    def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Any:
        raise AssertionError("not asked")


@contextmanager
def frozen(url: str, then: str) -> Iterator[None]:
    """A process that holds the lock of shard 0 and is stopped."""
    code = LOCK_AND.format(lease=LEASE, then=then)
    with subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "frozen\n"
        os.kill(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("then", [WAIT, COPY], ids=["between two statements", "in the middle of a COPY"])
def test_a_successor_takes_the_shards_of_a_frozen_worker(ledger_url: str, ledger: Engine, then: str) -> None:
    successor = connect(ledger_url, LEASE)
    intake = Intake(successor, Kafka(), Settings())
    with frozen(ledger_url, then):
        intake.assigned([0, 1])
    successor.dispose()
    assert intake.epochs == {0: 1, 1: 1}


def test_a_copy_into_another_ledger_is_left_alone(ledger_url: str, postgres_url: str) -> None:
    """Several ledgers may share a server: a worker ends sessions of its own alone."""
    mine, name = connect(ledger_url, LEASE), fresh_name("other")
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    other = make_url(ledger_url).set(database=name).render_as_string(hide_password=False)
    theirs = connect(other, LEASE)
    bind(theirs, SHARDS, "no-cluster")
    with frozen(other, COPY), mine.connect() as here, theirs.connect() as there:
        assert await_true(lambda: lasts_a_lease(there))
        assert (0, 1) == (ended(here), ended(there))
    mine.dispose()
    theirs.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def lasts_a_lease(connection: Connection) -> bool:
    """Whether a COPY has been silent for longer than a lease."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' "
        f"AND wait_event = 'ClientRead' AND state_change < now() - interval '{LEASE} s'"
    )
    with connection.begin():
        return bool(connection.scalar(query) == 1)


def ended(connection: Connection) -> int:
    """How many sessions were ended now, as of this moment's statistics."""
    with connection.begin():
        return reads.end_frozen(connection)


def test_a_copy_that_has_paused_for_less_than_a_lease_is_left_alone(ledger_url: str, ledger: Engine) -> None:
    """A worker on a slow network is not frozen: only one that has been silent for a lease is ended."""
    patient, hasty = connect(ledger_url, 600), connect(ledger_url, LEASE)
    with frozen(ledger_url, COPY), patient.connect() as longer, hasty.connect() as shorter:
        assert 0 == reads.end_frozen(longer)
        assert await_true(lambda: ended(shorter) == 1)
    patient.dispose()
    hasty.dispose()
