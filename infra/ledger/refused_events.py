"""The refused events as the ledger keeps them, for correction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from infra.ledger.tables import events, refusals


class RefusedEvent(NamedTuple):
    """One refused event: why, where it came from, and its bytes. ``number`` identifies it in the ledger."""

    number: int
    code: str
    pointers: list[str]
    zh: str
    en: str
    topic: str
    partition: int
    offset: int
    recorded_at: datetime
    key: bytes | None
    value: bytes | None


def refused_events(
    connection: Connection, *, numbers: Sequence[int] = (), code: str | None = None, limit: int | None = None
) -> list[RefusedEvent]:
    """Refused events, oldest first; all of them, or those with some numbers or one code."""
    columns = [refusals.c.event_no, refusals.c.code, refusals.c.pointers, refusals.c.zh, refusals.c.en]
    places = [events.c[name] for name in ("topic", "partition", "offset", "recorded_at", "key", "value")]
    query = select(*columns, *places).join(events, events.c.event_no == refusals.c.event_no)
    if numbers:
        query = query.where(refusals.c.event_no.in_(numbers))
    if code is not None:
        query = query.where(refusals.c.code == code)
    return [RefusedEvent(*row) for row in connection.execute(query.order_by(refusals.c.event_no).limit(limit))]


def count_by_code(connection: Connection) -> dict[str, int]:
    """How many events were refused, by code."""
    rows = connection.execute(select(refusals.c.code, func.count().label("events")).group_by(refusals.c.code))
    return {row.code: row.events for row in rows}
