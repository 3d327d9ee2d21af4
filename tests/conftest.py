"""Real servers for the tests that need them: one PostgreSQL and one Kafka a run, a fresh ledger a test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from infra.kafka import topic_setup
from infra.ledger.schema import bind, connect, upgrade
from infra.servers.resolve import resolve_kafka, resolve_postgres
from infra.settings import Settings
from tests.support.builders import SHARDS

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL with a database ``huzhu_template`` that is migrated and empty."""
    with resolve_postgres() as part:
        admin = create_engine(part.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS huzhu_template"))
            connection.execute(text("CREATE DATABASE huzhu_template"))
        admin.dispose()
        template = connect(_database(part.url, "huzhu_template"))
        upgrade(template)
        template.dispose()
        yield part.url


@pytest.fixture
def ledger_url(postgres_url: str) -> Iterator[str]:
    """The address of a fresh ledger, not yet bound to shards and a cluster."""
    name = f"huzhu_test_{next(_numbers)}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE huzhu_template"))
    yield _database(postgres_url, name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    """A fresh ledger of four shards, bound to a cluster that does not exist."""
    engine = connect(ledger_url)
    bind(engine, SHARDS, "no-cluster")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def kafka() -> Iterator[str]:
    """The address of a fresh Kafka with all topics, for the tests of one module."""
    with resolve_kafka() as part:
        topic_setup.apply(part.bootstrap, Settings(shards=SHARDS))
        yield part.bootstrap


def _database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)
