"""What an archive takes from the ledger: audit entries of a shard in order, each with the event that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from infra.ledger import tables
from infra.ledger.audit_log import PAGE
from schemas.archive_manifest import EntryLine, EventLine
from schemas.outbound import FOLLOWING

EVENT = EventLine._fields[1:]
"""The columns of an event; its entry's number comes before them."""


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


def lines_to_archive(
    connection: Connection, shard: int, after: int, until: int
) -> Iterator[tuple[list[EntryLine], list[EventLine]]]:
    """A shard's entries with numbers in ``(after, until]``, page by page in order, and the events they are about.

    An entry about what follows from an event comes without it.
    """
    entry, event = tables.audit_entries, tables.events
    about_itself = and_(event.c.event_no == entry.c.event_no, entry.c.kind.not_in(FOLLOWING))
    found = select(entry.c.seq, entry.c.event_no, entry.c.value, *(event.c[name] for name in EVENT)).outerjoin(
        event, about_itself
    )
    while after < until:
        wanted = found.where(entry.c.shard == shard, entry.c.seq > after, entry.c.seq <= until)
        page = connection.execute(wanted.order_by(entry.c.seq).limit(PAGE)).all()
        if not page:
            return
        yield [EntryLine(*row[:3]) for row in page], [EventLine(row[0], *row[3:]) for row in page if row[3] is not None]
        after = page[-1][0]
