"""The empty ledger that every test copies, and names of databases that no other process of the run takes."""

from __future__ import annotations

import os
from itertools import count

from sqlalchemy import make_url

from infra.ledger.schema import connect, upgrade
from tests.support.servers import execute

TEMPLATE = "huzhu_template"
"""An empty migrated database on the run's PostgreSQL, to copy."""

_numbers = count(1)


def fresh_name(of_what: str) -> str:
    """A name for a database; xdist's processes share one server."""
    return f"huzhu_{of_what}_{os.getpid()}_{next(_numbers)}"


def make_template(url: str) -> None:
    """Makes the empty migrated database on a server."""
    execute(url, f"DROP DATABASE IF EXISTS {TEMPLATE}", alone=True)
    execute(url, f"CREATE DATABASE {TEMPLATE}", alone=True)
    engine = connect(make_url(url).set(database=TEMPLATE).render_as_string(hide_password=False))
    upgrade(engine)
    engine.dispose()
