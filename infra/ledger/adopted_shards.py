"""Shards whose lost events wait to be taken in in the order of the ledger before: noted when a ledger is adopted."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from infra.ledger.tables import installation

_NAME = "in_former_order."


def mark(connection: Connection, shards: Iterable[int]) -> None:
    """Notes shards; noting one twice is harmless."""
    rows = [{"name": f"{_NAME}{shard}", "value": ""} for shard in shards]
    if rows:
        connection.execute(insert(installation).on_conflict_do_nothing(), rows)


def marked(connection: Connection) -> set[int]:
    """The shards that are noted."""
    names = connection.scalars(select(installation.c.name).where(installation.c.name.startswith(_NAME)))
    return {int(name.removeprefix(_NAME)) for name in names}


def unmark(connection: Connection, shard: int) -> None:
    """What the former ledger had taken in is in this one."""
    connection.execute(installation.delete().where(installation.c.name == f"{_NAME}{shard}"))
