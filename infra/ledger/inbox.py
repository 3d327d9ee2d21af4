"""The inbox: events acknowledged over HTTP, kept until the ledger has taken them in from Kafka."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    any_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
)

from infra.ledger.gateway_tables import inbox
from infra.ledger.group_tables import group_work
from infra.ledger.tables import events, facts, refusals
from schemas.canonical import sha256_hex
from schemas.facts import Kind, Subject
from schemas.records import InboxRow

SENT_NOTICE = "huzhu_inbox"
"""Channel on which a forwarder announces that Kafka has acknowledged events of the inbox."""

_DOOR = 0x48555A49
_DOOR_LOCKS = 128
_FORWARDER = 0x48555A4A
"""Key spaces of the advisory locks: for ids being admitted, and for a shard's forwarder."""


class Unsent(NamedTuple):
    """An event that Kafka has not acknowledged yet."""

    inbox_no: int
    shard: int
    topic: str
    person_id: str
    value: bytes
    traceparent: str | None


class Fate(NamedTuple):
    """What became of an event of the inbox; a refusal has a code, pointers and sentences."""

    inbox_no: int
    disposition: str
    code: str | None
    pointers: list[str] | None
    zh: str | None
    en: str | None


def lock_names(connection: Connection, names: Iterable[str]) -> None:
    """Makes everyone else who names one of these wait until this transaction ends.

    Names share a fixed number of locks, as PostgreSQL has room for few; they are taken in one order, so there are no
    deadlocks.
    """
    buckets = sorted({int(sha256_hex(name.encode("utf-8"))[:8], 16) % _DOOR_LOCKS for name in names})
    parameter = bindparam("buckets", buckets, type_=ARRAY(Integer))
    bucket = func.unnest(parameter).column_valued("bucket")
    connection.execute(select(func.pg_advisory_xact_lock(_DOOR, bucket)))


def rows_about(connection: Connection, subjects: Collection[Subject]) -> list[tuple[int, InboxRow]]:
    """The inbox's events under some ids or of some encounters, in order, with their numbers."""
    ids = [subject.id for subject in subjects]
    kinds = [subject.kind.value for subject in subjects]
    encounters = [subject.id for subject in subjects if subject.kind is Kind.ENCOUNTER]
    named = func.unnest(_texts(kinds), _texts(ids)).table_valued("kind", "id").render_derived()
    by_id = select(inbox.c.inbox_no).join(named, and_(inbox.c.kind == named.c.kind, inbox.c.subject_id == named.c.id))
    wanted = or_(inbox.c.inbox_no.in_(by_id), inbox.c.encounter_id == any_(_texts(encounters)))
    return _rows(connection, wanted)


def rows_of_persons(connection: Connection, persons: Collection[str]) -> list[tuple[int, InboxRow]]:
    """The events of some persons in the inbox, in order."""
    return _rows(connection, inbox.c.person_id == any_(_texts(persons)))


def append(connection: Connection, rows: Sequence[InboxRow]) -> list[int]:
    """Puts events into the inbox, in order; returns their numbers. The caller has checked that none is there yet."""
    if not rows:
        return []
    statement = inbox.insert().returning(inbox.c.inbox_no, sort_by_parameter_order=True)
    return list(connection.scalars(statement, [row._asdict() | {"kind": row.kind.value} for row in rows]))


def take_unsent(connection: Connection, limit: int) -> list[Unsent]:
    """The oldest events that Kafka does not have, of shards for which no other forwarder is sending.

    The shards are locked until this transaction ends, so each person's events are sent in order.
    """
    waiting = connection.scalars(select(inbox.c.shard).where(inbox.c.sent_at.is_(None)).distinct()).all()
    held = [shard for shard in waiting if connection.scalar(select(func.pg_try_advisory_xact_lock(_FORWARDER, shard)))]
    if not held:
        return []
    rows = connection.execute(
        select(*(inbox.c[name] for name in Unsent._fields))
        .where(inbox.c.sent_at.is_(None), inbox.c.shard.in_(held))
        .order_by(inbox.c.inbox_no)
        .limit(limit)
    )
    return [Unsent(*row) for row in rows]


def mark_sent(connection: Connection, offsets: Sequence[tuple[int, int]]) -> None:
    """Notes the events' offsets in Kafka, as (number, offset), and notifies those who wait for them."""
    if not offsets:
        return
    numbers = bindparam("numbers", [number for number, _ in offsets], type_=ARRAY(BigInteger))
    places = bindparam("places", [offset for _, offset in offsets], type_=ARRAY(BigInteger))
    given = func.unnest(numbers, places).table_valued("number", "place").render_derived()
    connection.execute(
        inbox.update().where(inbox.c.inbox_no == given.c.number).values(offset=given.c.place, sent_at=func.now())
    )
    connection.execute(select(func.pg_notify(SENT_NOTICE, "")))


def fates(connection: Connection, numbers: Collection[int]) -> list[Fate]:
    """What became of the inbox's events that are decided. One that is gone counts as accepted.

    One that the ledger has taken in is not decided yet while its person's claims wait to be decided with a group.
    """
    given = bindparam("numbers", list(numbers), type_=ARRAY(BigInteger))
    wanted = func.unnest(given).table_valued("number").render_derived()
    rows = connection.execute(
        select(
            wanted.c.number,
            func.coalesce(events.c.disposition, "accepted"),
            refusals.c.code,
            refusals.c.pointers,
            refusals.c.zh,
            refusals.c.en,
        )
        .select_from(wanted)
        .join(inbox, inbox.c.inbox_no == wanted.c.number, isouter=True)
        .join(events, _taken_in(), isouter=True)
        .join(refusals, refusals.c.event_no == events.c.event_no, isouter=True)
        .where(or_(and_(events.c.event_no.is_not(None), _decided()), inbox.c.inbox_no.is_(None)))
    )
    return [Fate(*row) for row in rows]


def forget_taken_in(connection: Connection, age: timedelta) -> int:
    """Deletes events that are decided and that were sent to Kafka longer ago than ``age``."""
    old = select(inbox.c.inbox_no).join(events, _taken_in()).where(_decided(), inbox.c.sent_at < func.now() - age)
    return connection.execute(delete(inbox).where(inbox.c.inbox_no.in_(old))).rowcount


def waiting(connection: Connection) -> tuple[int, datetime | None]:
    """How many events Kafka does not have yet, and when the oldest of them came."""
    row = connection.execute(select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.sent_at.is_(None))).one()
    return row[0], row[1]


def not_taken_in(connection: Connection, encounter_id: str) -> list[InboxRow]:
    """The events of an encounter that were acknowledged and that the ledger has not taken in yet."""
    rows = connection.execute(
        select(*(inbox.c[name] for name in InboxRow._fields))
        .join(events, _taken_in(), isouter=True)
        .where(inbox.c.encounter_id == encounter_id, events.c.event_no.is_(None))
        .order_by(inbox.c.inbox_no)
    )
    return [_row(tuple(row)) for row in rows]


def values_about(connection: Connection, subjects: Collection[Subject]) -> list[bytes]:
    """The bytes of every accepted version under some ids, oldest version first."""
    named = (
        func.unnest(_texts([s.kind.value for s in subjects]), _texts([s.id for s in subjects]))
        .table_valued("kind", "id")
        .render_derived()
    )
    numbers = connection.scalars(
        select(facts.c.event_no)
        .join(named, and_(facts.c.kind == named.c.kind, facts.c.subject_id == named.c.id))
        .order_by(facts.c.version)
    ).all()
    wanted = bindparam("numbers", list(numbers), type_=ARRAY(BigInteger))
    rows = connection.execute(select(events.c.event_no, events.c.value).where(events.c.event_no == any_(wanted)))
    found = {row.event_no: row.value for row in rows}
    return [bytes(found[number] or b"") for number in numbers]


def _taken_in() -> ColumnElement[bool]:
    return and_(events.c.topic == inbox.c.topic, events.c.partition == inbox.c.shard, events.c.offset == inbox.c.offset)


def _decided() -> ColumnElement[bool]:
    """Of an event that was taken in: nothing of its person waits for a group because of it or of an earlier event."""
    work = group_work.c.person_id == inbox.c.person_id
    return ~exists(select(group_work.c.work_no).where(work, group_work.c.event_no <= events.c.event_no))


def _rows(connection: Connection, wanted: ColumnElement[bool]) -> list[tuple[int, InboxRow]]:
    columns = [inbox.c[name] for name in InboxRow._fields]
    rows = connection.execute(select(*columns, inbox.c.inbox_no).where(wanted).order_by(inbox.c.inbox_no))
    return [(row.inbox_no, _row(tuple(row))) for row in rows]


def _row(row: tuple[Any, ...]) -> InboxRow:
    made = InboxRow(*row[: len(InboxRow._fields)])
    return made._replace(kind=Kind(made.kind), value=bytes(made.value))


def _texts(values: Iterable[str]) -> BindParameter[Sequence[str]]:
    return bindparam(None, list(values), type_=ARRAY(Text), unique=True)
