"""What an archive takes from the ledger: audit entries of a shard in order, each with the event that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select

from infra.ledger import tables
from infra.ledger.audit_log import PAGE
from schemas.outbound import FOLLOWING


class EventToArchive(NamedTuple):
    """An event as the ledger has it."""

    event_no: int
    topic: str
    partition: int
    offset: int | None
    key: bytes | None
    value: bytes | None
    recorded_at: datetime
    disposition: str


class EntryToArchive(NamedTuple):
    """An audit entry; ``event`` is there if the entry is about an event itself, and not about what follows from it."""

    seq: int
    event_no: int
    value: bytes
    event: EventToArchive | None


def ends_before(connection: Connection, moment: datetime) -> dict[int, int]:
    """For each shard how many entries there are before the first whose event was recorded at a moment or later."""
    entry, event, shard = tables.audit_entries, tables.events, tables.shards
    first = (
        select(entry.c.shard, func.min(entry.c.seq).label("seq"))
        .join(event, event.c.event_no == entry.c.event_no)
        .where(event.c.recorded_at >= moment)
        .group_by(entry.c.shard)
        .subquery()
    )
    query = select(shard.c.shard, func.coalesce(first.c.seq - 1, shard.c.audit_seq)).outerjoin(
        first, first.c.shard == shard.c.shard
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def entries_to_archive(connection: Connection, shard: int, after: int, until: int) -> Iterator[list[EntryToArchive]]:
    """A shard's entries with numbers in ``(after, until]``, page by page in order."""
    entry, event = tables.audit_entries, tables.events
    about_itself = and_(event.c.event_no == entry.c.event_no, entry.c.kind.not_in(FOLLOWING))
    found = select(
        entry.c.seq, entry.c.event_no, entry.c.value, *(event.c[name] for name in EventToArchive._fields)
    ).outerjoin(event, about_itself)
    while after < until:
        wanted = found.where(entry.c.shard == shard, entry.c.seq > after, entry.c.seq <= until)
        page = [
            EntryToArchive(row[0], row[1], bytes(row[2]), None if row[3] is None else _event(EventToArchive(*row[3:])))
            for row in connection.execute(wanted.order_by(entry.c.seq).limit(PAGE))
        ]
        if not page:
            return
        yield page
        after = page[-1].seq


def _event(event: EventToArchive) -> EventToArchive:
    return event._replace(
        key=None if event.key is None else bytes(event.key), value=None if event.value is None else bytes(event.value)
    )
