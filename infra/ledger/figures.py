"""What the console's first page shows, from the digest: money by scheme, tier and day, claims, and what is stuck."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Table, func, select

from infra.ledger import group_rows, outbox_rows, tables
from infra.ledger.console_tables import (
    digest_claims,
    digest_marks,
    digest_money,
    digest_waiting,
)
from infra.ledger.digest import NEVER
from infra.ledger.gateway_tables import inbox


class Money(NamedTuple):
    """A sum of instructions (fen). ``state`` is instructed, paid, failed, returned, or book (no money moves)."""

    scheme_id: str
    tier: str
    day: date
    kind: str
    state: str
    payouts: int
    amount: int


class Waiting(NamedTuple):
    """The claim that has waited longest."""

    claim_id: str
    status: str
    since: datetime


class Queues(NamedTuple):
    """Work that is not finished.

    ``households`` counts persons who wait for their household, ``entries`` audit entries that the digest does not have.
    """

    outbox: int
    inbox: int
    households: int
    entries: int


def money(connection: Connection, since: date | None = None) -> list[Money]:
    """All sums, or those from a day on, in order of day."""
    query = select(*(digest_money.c[name] for name in Money._fields)).where(digest_money.c.amount != 0)
    if since is not None:
        query = query.where(digest_money.c.day >= since)
    query = query.order_by(digest_money.c.day, digest_money.c.scheme_id, digest_money.c.tier, digest_money.c.kind)
    return [Money(*row) for row in connection.execute(query)]


def claims_by_status(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(digest_claims.c.status, digest_claims.c.claims))
    return {row.status: row.claims for row in rows if row.claims}


def oldest_waiting(connection: Connection) -> Waiting | None:
    order = (digest_waiting.c.since, digest_waiting.c.claim_id)
    columns = [digest_waiting.c[name] for name in Waiting._fields]
    row = connection.execute(select(*columns).order_by(*order).limit(1)).one_or_none()
    return None if row is None else Waiting(*row)


def as_of(connection: Connection, marks: Table = digest_marks) -> datetime | None:
    """The time up to which the digest is complete, or its lists by their ``marks``; None while they are first built."""
    shards = connection.scalar(select(func.count()).select_from(tables.shards)) or 0
    count, oldest = connection.execute(select(func.count(), func.min(marks.c.as_of))).one()
    return oldest if shards and count == shards and oldest > NEVER else None


def queues(connection: Connection, marks: Table = digest_marks) -> Queues:
    """What waits for the relay, for Kafka, for the group step and for the digest, or its lists by their ``marks``."""
    outbox = outbox_rows.unsent(connection)
    unsent = select(func.count()).select_from(inbox).where(inbox.c.sent_at.is_(None)).scalar_subquery()
    behind = (
        select(func.coalesce(func.sum(tables.shards.c.audit_seq - func.coalesce(marks.c.audit_seq, 0)), 0))
        .select_from(tables.shards)
        .outerjoin(marks, marks.c.shard == tables.shards.c.shard)
        .scalar_subquery()
    )
    row = connection.execute(select(unsent, behind)).one()
    return Queues(outbox, int(row[0]), group_rows.count_waiting(connection), int(row[1]))
