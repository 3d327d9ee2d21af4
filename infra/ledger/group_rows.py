"""Who belongs together, and whose claims wait to be decided together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Executable,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from infra.ledger.gateway_tables import inbox
from infra.ledger.group_tables import group_work, invoices, memberships, shared_invoices
from infra.ledger.tables import events, facts, subjects
from schemas.facts import subject_of_claim
from schemas.ids import ClaimId, PersonId

_PERSONS, _HOUSEHOLDS = (bindparam(name, type_=ARRAY(Text)) for name in ("persons", "households"))


def _linking(table: Table) -> Select[tuple[PersonId, str]]:
    return select(table.c.person_id, table.c.household_id).where(
        table.c.household_id.is_not(None),
        or_(table.c.household_id == any_(_HOUSEHOLDS), table.c.person_id == any_(_PERSONS)),
    )


_NAMED = (
    select(invoices.c.person_id, invoices.c.link).where(invoices.c.link == any_(_HOUSEHOLDS)),
    select(shared_invoices.c.person_id, shared_invoices.c.link).where(
        or_(shared_invoices.c.link == any_(_HOUSEHOLDS), shared_invoices.c.person_id == any_(_PERSONS))
    ),
)
"""By invoices that several persons name."""

_LINKS: Executable = union_all(
    _linking(memberships),
    *_NAMED,
    select(group_work.c.person_id, func.unnest(group_work.c.households)).where(
        or_(group_work.c.households.bool_op("&&")(_HOUSEHOLDS), group_work.c.person_id == any_(_PERSONS))
    ),
)
_BY_INVOICE: Executable = union_all(*_NAMED)
_LINKS_TO_BE: Executable = union_all(_linking(memberships), *_NAMED, _linking(inbox))
"""By memberships that the ledger has, and that were acknowledged and wait for Kafka."""

_INVOICES: Executable = union_all(
    select(invoices.c.link, invoices.c.person_id, literal(False)).where(
        invoices.c.link == any_(bindparam("links", type_=ARRAY(Text)))
    ),
    select(shared_invoices.c.link, shared_invoices.c.person_id, literal(True)).where(
        shared_invoices.c.person_id == any_(_PERSONS)
    ),
)
"""In one statement, as every batch asks."""

_COLUMNS = ("work_no", "event_no", "person_id", "shard", "households", "moved", "traceparent")


class Work(NamedTuple):
    """A row of the queue: a person whose group is to be decided because of event ``event_no``."""

    work_no: int
    event_no: int
    person_id: PersonId
    shard: int
    households: list[str]
    moved: bool
    traceparent: str | None


def waiting(connection: Connection, shards: Iterable[int], limit: int) -> list[Work]:
    """The oldest work of persons of some shards."""
    rows = connection.execute(
        select(*(group_work.c[name] for name in _COLUMNS))
        .where(group_work.c.shard.in_(sorted(shards)))
        .order_by(group_work.c.work_no)
        .limit(limit)
    )
    return [Work(*row) for row in rows]


def work_of(connection: Connection, persons: Collection[PersonId]) -> list[Work]:
    """All work of some persons, oldest first. The caller has locked their shards, so there is no more of it."""
    rows = connection.execute(
        select(*(group_work.c[name] for name in _COLUMNS))
        .where(group_work.c.person_id == any_(bindparam("persons", sorted(persons), ARRAY(Text))))
        .order_by(group_work.c.work_no)
    )
    return [Work(*row) for row in rows]


def invoices_named(
    connection: Connection, links: Collection[str], persons: Collection[PersonId]
) -> tuple[dict[str, PersonId], dict[PersonId, set[str]]]:
    """The first person who named each of some invoices, and the invoices that each of some persons shares."""
    first, shared = dict[str, PersonId](), dict[PersonId, set[str]]()
    asked = {"links": sorted(links), "persons": sorted(persons)}
    for link, person_id, shares in connection.execute(_INVOICES, asked):
        if shares:
            shared.setdefault(person_id, set()).add(link)
        else:
            first[link] = person_id
    return first, shared


def done(connection: Connection, work: Iterable[Work]) -> None:
    """Takes work off the queue."""
    numbers = [each.work_no for each in work]
    connection.execute(
        delete(group_work).where(group_work.c.work_no == any_(bindparam("n", numbers, ARRAY(BigInteger))))
    )


def count_waiting(connection: Connection) -> int:
    """How many persons wait for their group to be decided."""
    return connection.scalar(select(func.count(group_work.c.person_id.distinct()))) or 0


def group_waits(connection: Connection, person_id: PersonId) -> bool:
    """Whether a person's claims wait to be decided with those of their group, because of anybody's event."""
    if not connection.scalar(select(exists(select(group_work.c.work_no)))):
        return False  # as nearly always
    group = linked_to(connection, [person_id])
    households = set[str]().union(*group.values())
    waits = or_(
        group_work.c.person_id == any_(bindparam("persons", sorted(group), ARRAY(Text))),
        group_work.c.households.bool_op("&&")(cast(sorted(households), ARRAY(Text))),
    )
    return bool(connection.scalar(select(exists(select(group_work.c.work_no).where(waits)))))


def waiting_about(connection: Connection, claim_id: str) -> int:
    """How many facts of a claim were taken in, and wait for a decision with the person's group."""
    of_claim = subject_of_claim(ClaimId(claim_id))
    about = or_(
        and_(subjects.c.kind == of_claim.kind, subjects.c.subject_id == of_claim.id),
        subjects.c.encounter_id == claim_id,
    )
    rows = (
        select(func.count())
        .select_from(group_work)
        .join(facts, facts.c.event_no == group_work.c.event_no)
        .join(subjects, and_(subjects.c.kind == facts.c.kind, subjects.c.subject_id == facts.c.subject_id))
        .where(about)
    )
    return connection.scalar(rows) or 0


def waiting_since(connection: Connection) -> tuple[int, datetime | None]:
    """How many persons wait for their group to be decided, and since when the first of them."""
    both = group_work.join(events, events.c.event_no == group_work.c.event_no)
    rows = select(func.count(group_work.c.person_id.distinct()), func.min(events.c.recorded_at)).select_from(both)
    row = connection.execute(rows).one()
    return row[0], row[1]


def links(connection: Connection, work: Iterable[Work]) -> dict[PersonId, set[str]]:
    """Everybody who belongs to the groups of some work, with the households that link them, directly or over others.

    The households of work link its person too, whosever work it is: whom somebody has left belongs to them until both
    are decided again, and so does whom they have joined.
    """
    found: dict[PersonId, set[str]] = {}
    for each in work:
        found.setdefault(each.person_id, set()).update(each.households)
    return _closed(connection, found)


def linked_to(
    connection: Connection, persons: Iterable[PersonId], *, households: bool = True
) -> dict[PersonId, set[str]]:
    """Some persons and everybody whom households or invoices link to them, with what links each.

    Without ``households`` only invoices link.
    """
    return _closed(connection, {person_id: set() for person_id in persons}, _LINKS if households else _BY_INVOICE)


def to_be_linked_by(connection: Connection, person_id: PersonId, households: Iterable[str]) -> set[PersonId]:
    """Everybody whom some households link to a person, also by memberships that wait for Kafka."""
    return set(_closed(connection, {person_id: set(households)}, _LINKS_TO_BE))


def _closed(
    connection: Connection, found: dict[PersonId, set[str]], links: Executable = _LINKS
) -> dict[PersonId, set[str]]:
    asked_persons, asked_households = set[PersonId](), set[str]()
    while True:
        persons = found.keys() - asked_persons
        households = set[str]().union(*found.values()) - asked_households
        if not persons and not households:
            return found
        asked_persons |= persons
        asked_households |= households
        parameters = {"persons": sorted(persons), "households": sorted(households)}
        for person_id, household_id in connection.execute(links, parameters):
            found.setdefault(person_id, set()).add(household_id)
