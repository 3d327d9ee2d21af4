"""Real servers for the tests that need them: one PostgreSQL a run, a fresh ledger a test, a fresh Kafka a module.

With pytest-xdist the PostgreSQL belongs to the controller; its processes hear the address.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from infra.kafka import topic_setup
from infra.ledger.schema import bind, connect
from infra.servers.resolve import resolve_kafka, resolve_postgres
from infra.settings import Settings
from tests.support.builders import SHARDS
from tests.support.databases import TEMPLATE, NewDatabase, fresh_name, make_template
from tests.support.outbox import keep_as_released
from tests.support.servers import execute

HURRIED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""What a server started for the run goes without. The tests that crash one have their own."""

os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")  # a broker that lives for a minute starts sooner
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as under `nohup pytest &`, where nobody could press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
WAITING = ("broker", "web", "faults")
_shared = ExitStack()
_address = pytest.StashKey[str]()


def _shared_postgres(config: pytest.Config) -> str:
    """The address of the run's PostgreSQL, which has an empty migrated database to copy; starts it when first asked."""
    if _address not in config.stash:
        part = _shared.enter_context(resolve_postgres())
        if part.origin != "environment":
            for name, value in HURRIED.items():
                execute(part.url, f"ALTER SYSTEM SET {name} = {value}", alone=True)
            execute(part.url, "SELECT pg_reload_conf()")
        make_template(part.url)
        config.stash[_address] = part.url
    return config.stash[_address]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a process of xdist where the PostgreSQL is."""
    node.workerinput["postgres_url"] = _shared_postgres(node.config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait for servers come first, so that none is left over at the end; a property is tried longer too."""
    items.sort(key=lambda item: not any(room in item.path.parts for room in WAITING))
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.long)


def pytest_unconfigure() -> None:
    _shared.close()


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> str:
    """The address of a PostgreSQL with a database ``huzhu_template`` that is migrated and empty."""
    told: dict[str, str] = getattr(pytestconfig, "workerinput", {})
    return told.get("postgres_url") or _shared_postgres(pytestconfig)


@pytest.fixture
def ledger_url(postgres_url: str) -> Iterator[str]:
    """The address of a fresh ledger, not yet bound to shards and a cluster."""
    name = fresh_name("test")
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    yield _database(postgres_url, name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def new_database(postgres_url: str) -> Iterator[NewDatabase]:
    """Makes empty databases."""
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    made: list[str] = []

    def make() -> str:
        made.append(fresh_name("empty"))
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {made[-1]}"))
        return _database(postgres_url, made[-1])

    yield make
    with admin.connect() as connection:
        for name in made:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    """A fresh ledger of four shards, bound to a cluster that does not exist."""
    engine = connect(ledger_url)
    bind(engine, SHARDS, "no-cluster")
    yield engine
    engine.dispose()


@pytest.fixture
def copies(postgres_url: str) -> Iterator[Callable[[Engine], Engine]]:
    """Copies databases, as a restored backup is a copy."""
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    made: list[Engine] = []

    def copy(ledger: Engine) -> Engine:
        ledger.dispose()
        name = fresh_name("copy")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {ledger.url.database}"))
        made.append(connect(make_url(ledger.url).set(database=name).render_as_string(hide_password=False)))
        return made[-1]

    yield copy
    with admin.connect() as connection:
        for engine in made:
            engine.dispose()
            connection.execute(text(f"DROP DATABASE {engine.url.database} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=[0, 2, 1], ids=["batches", "both forms", "single rows"])
def outbox_form(ledger_url: str, request: pytest.FixtureRequest) -> None:
    """Lets the ledger hold its messages by the batch, as release 1.0 did, or now so and now so."""
    keep_as_released(ledger_url, request.param)


@pytest.fixture(scope="module")
def kafka() -> Iterator[str]:
    """The address of a fresh Kafka with all topics, for the tests of one module."""
    with resolve_kafka(heap_mb=256) as part:
        topic_setup.apply(part.bootstrap, Settings(shards=SHARDS))
        yield part.bootstrap


def _database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)
