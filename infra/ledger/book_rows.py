"""The books in the ledger: sums of accounts by month, entries in order, and the months that were closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Date,
    Select,
    and_,
    case,
    cast,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, distinct_on

from infra.ledger.clearing_tables import book_months, postings
from infra.ledger.tables import audit_entries, events, installation
from schemas.books import BookEntry, BookLeg, ClosedMonth, MonthlySum
from schemas.outbound import FOLLOWING, AuditKind
from schemas.records import Posting

PAGE = 2000


class EntryFilter(NamedTuple):
    """Which entries: booked on a day of ``[since, before)``, with a leg in an account, of one ``reference``."""

    since: date | None = None
    before: date | None = None
    account: str | None = None
    reference: str | None = None


class PostingEvent(NamedTuple):
    """An event or an act as it was taken in; an act has no offset."""

    event_no: int
    topic: str
    partition: int
    offset: int | None
    key: bytes | None
    value: bytes | None
    recorded_at: datetime
    disposition: str


def first_month(connection: Connection) -> date | None:
    """The month in which the books begin; None while nothing was ever posted."""
    return connection.scalar(select(cast(func.date_trunc("month", func.min(postings.c.booked_on)), Date)))


def last_month(connection: Connection) -> date | None:
    """The newest month in which anything is booked; None while nothing was ever posted."""
    return connection.scalar(select(cast(func.date_trunc("month", func.max(postings.c.booked_on)), Date)))


def monthly_sums(connection: Connection, since: date | None, before: date | None) -> list[MonthlySum]:
    """What was booked to each account in each month, of the days of ``[since, before)``."""
    month = cast(func.date_trunc("month", postings.c.booked_on), Date)
    amount = postings.c.amount
    debit = func.coalesce(func.sum(amount).filter(amount > 0), 0)
    credit = func.coalesce(-func.sum(amount).filter(amount < 0), 0)
    query = _in_days(select(postings.c.account, month, debit, credit), EntryFilter(since, before))
    rows = connection.execute(query.group_by(postings.c.account, month))
    return [MonthlySum(row[0], row[1], int(row[2]), int(row[3])) for row in rows]


def accounts(connection: Connection) -> list[str]:
    """The accounts that anything was ever booked to, in order of their names."""
    return sorted(connection.scalars(select(postings.c.account).distinct()))


def entries(connection: Connection, chosen: EntryFilter, limit: int | None = None) -> Iterator[BookEntry]:
    """The entries in the ledger's order, the first ``limit`` of them, without loading them all at once."""
    query = _entries(chosen).order_by(postings.c.event_no, postings.c.entry).limit(limit)
    for row in connection.execute(query, execution_options={"yield_per": PAGE}):
        yield _entry(row)


def audited_entries(connection: Connection, chosen: EntryFilter) -> Iterator[BookEntry]:
    """The entries in the ledger's order, each with its ``audit_hash``, without loading them all at once.

    It is that of the entry about the payout or statement which the posting names, else, as of a contribution, that of
    the event's first one.
    """
    found, entry = _entries(chosen).subquery(), audit_entries
    told = cast(func.convert_from(entry.c.value, "UTF8"), JSONB)
    subject, own_hash = told["subject"], told["hash"].astext.label("hash")
    named = case(
        (entry.c.kind == AuditKind.PAYOUT_INSTRUCTED, subject["payout_id"].astext), else_=subject["statement_id"].astext
    )
    about = select(entry.c.event_no, named.label("reference"), own_hash).where(entry.c.kind != AuditKind.CLAIM_DECIDED)
    own = about.where(named.is_not(None)).subquery()
    first = (
        select(entry.c.event_no, own_hash)
        .where(entry.c.kind.not_in(FOLLOWING))
        .ext(distinct_on(entry.c.event_no))
        .order_by(entry.c.event_no, entry.c.shard, entry.c.seq)
        .subquery()
    )
    query = (
        select(found, func.coalesce(own.c.hash, first.c.hash, "").label("audit_hash"))
        .outerjoin(own, and_(own.c.event_no == found.c.event_no, own.c.reference == found.c.reference))
        .outerjoin(first, first.c.event_no == found.c.event_no)
        .order_by(found.c.event_no, found.c.entry)
    )
    for row in connection.execute(query, execution_options={"yield_per": PAGE}):
        yield _entry(row)._replace(audit_hash=row.audit_hash)


def posting_events(connection: Connection) -> Iterator[PostingEvent]:
    """The accepted events and the acts from which postings can follow, in the ledger's order."""
    columns = [events.c[name] for name in PostingEvent._fields]
    which = events.c.disposition.in_(
        ("accepted", "policy", "treaty", "reissue", "recovery", "statement", "group", "pool", "hold", "watches")
    )
    query = select(*columns).where(which).order_by(events.c.event_no)
    for row in connection.execute(query, execution_options={"yield_per": PAGE}):
        event = PostingEvent(*row)
        key, value = (None if part is None else bytes(part) for part in (event.key, event.value))
        yield event._replace(key=key, value=value)


def last_event_before_invoices(connection: Connection) -> int:
    """The last event of releases that decided nobody together with others because of an invoice; 0 if there is none."""
    held = connection.scalar(select(installation.c.value).where(installation.c.name == "last_event_before_invoices"))
    return int(held or 0)


def all_postings(connection: Connection) -> Iterator[Posting]:
    """Every posting in its order; ``number`` is the ledger's number of the event."""
    query = select(*postings.c).order_by(*postings.primary_key)
    for row in connection.execute(query, execution_options={"yield_per": PAGE}):
        yield Posting(*row)


def count_postings(connection: Connection) -> int:
    """How many postings there are."""
    return connection.scalar(select(func.count()).select_from(postings)) or 0


def closed_months(connection: Connection) -> dict[date, ClosedMonth]:
    """The months that were closed, in order, by their first days."""
    return {row.month: _closed(row) for row in connection.execute(_CLOSED.order_by(book_months.c.month))}


def last_closed(connection: Connection, before: date | None = None) -> ClosedMonth | None:
    """The last month that was closed, or the last one of those before a month."""
    query = _CLOSED if before is None else _CLOSED.where(book_months.c.month < before)
    row = connection.execute(query.order_by(book_months.c.month.desc()).limit(1)).one_or_none()
    return None if row is None else _closed(row)


def close_month(connection: Connection, closed: ClosedMonth) -> None:
    """Keeps a month that was closed. The database refuses one that is not the next, or has not ended."""
    connection.execute(insert(book_months).values(closed._asdict()))


_CLOSED = select(*(book_months.c[name] for name in ClosedMonth._fields))


def _entries(chosen: EntryFilter) -> Select[Any]:
    names = ("event_no", "entry", "booked_on", "effective_on", "reference")
    legs = [
        func.array_agg(aggregate_order_by(postings.c[name], postings.c.leg)).label(f"{name}s")
        for name in ("account", "amount")
    ]
    query = _in_days(select(*(postings.c[name] for name in names), *legs), chosen)
    if chosen.reference is not None:
        query = query.where(postings.c.reference == chosen.reference)
    if chosen.account is not None:
        of = postings.alias()
        one = select(of.c.event_no).where(
            of.c.event_no == postings.c.event_no, of.c.entry == postings.c.entry, of.c.account == chosen.account
        )
        query = query.where(one.exists())
    return query.group_by(*(postings.c[name] for name in names))


def _in_days(query: Select[Any], chosen: EntryFilter) -> Select[Any]:
    if chosen.since is not None:
        query = query.where(postings.c.booked_on >= chosen.since)
    if chosen.before is not None:
        query = query.where(postings.c.booked_on < chosen.before)
    return query


def _entry(row: Any) -> BookEntry:
    legs = tuple(map(BookLeg, row.accounts, row.amounts))
    return BookEntry(row.event_no, row.entry, row.booked_on, row.effective_on, row.reference, legs)


def _closed(row: Any) -> ClosedMonth:
    closed = ClosedMonth(*row)
    return closed._replace(trial_balance=bytes(closed.trial_balance))
