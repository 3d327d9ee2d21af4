"""Payouts that are open: ordered, and neither reported paid nor taken off the books. Part of the digest.

An open payment is what its payer owes, an open recovery what its payee has to give back: of one that was set off, what
is left; of one that was waived, nothing. What an audit entry touches is looked at as the ledger has it now, so it does
not matter how often that is done, or when; once the digest has come to the end of each shard, it holds what is open,
and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select, tuple_

from infra.ledger import tables
from infra.ledger.clearing_tables import settled_recoveries
from infra.ledger.console_tables import digest_open
from schemas.accounts import facility_of, payee_of
from schemas.outbound import InstructionKind
from schemas.records import PayoutState

_LOOKED_AT = """
    , now_open AS (
        SELECT i.payout_id, i.kind, i.payer, i.payee_id, (v.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
            i.event_no, coalesce(r."left", i.amount) AS amount
        FROM touched t JOIN instructions i ON i.payout_id = t.payout_id JOIN events v ON v.event_no = i.event_no
            LEFT JOIN payout_states s ON s.payout_id = i.payout_id AND s.person_id = i.person_id
            LEFT JOIN settled_recoveries r ON r.payout_id = i.payout_id
        WHERE i.reversal_of IS NULL AND i.set_off_of IS NULL
            AND CASE WHEN r.payout_id IS NULL THEN s.state IS DISTINCT FROM 'paid' ELSE r."left" > 0 END
            AND NOT EXISTS (SELECT FROM instructions r WHERE r.reversal_of = i.payout_id)
    ), settled AS (
        DELETE FROM digest_open WHERE payout_id IN (SELECT payout_id FROM touched)
            AND payout_id NOT IN (SELECT payout_id FROM now_open)
    )
    INSERT INTO digest_open (payout_id, kind, payer, payee_id, day, event_no, amount) SELECT * FROM now_open
    ON CONFLICT (payout_id) DO UPDATE SET amount = excluded.amount WHERE digest_open.amount <> excluded.amount
"""

INSTRUCTED = (
    """
    , touched AS (
        SELECT DISTINCT unnest(ARRAY[i.payout_id, i.reversal_of, i.set_off_of]) AS payout_id
        FROM entry e JOIN instructions i ON i.payout_id = e.told -> 'subject' ->> 'payout_id'
    )
"""
    + _LOOKED_AT
)

REPORTED = (
    """
    , touched AS (
        SELECT DISTINCT e.told -> 'subject' ->> 'id' AS payout_id FROM entry e
        WHERE e.told -> 'subject' ->> 'kind' = 'payout' AND e.told -> 'subject' ->> 'matched' = 'yes'
    )
"""
    + _LOOKED_AT
)

SETTLED = (
    """
    , touched AS (SELECT e.told -> 'subject' ->> 'payout_id' AS payout_id FROM entry e)
"""
    + _LOOKED_AT
)

AGES = (0, 31, 61, 91)
"""The days at which an age begins; the last one has no end."""


class Debt(NamedTuple):
    """Who owes whom: of payments the payer owes the payee, of recoveries the other way round.

    ``payee`` is as in the names of accounts (`schemas.accounts.payee_of`).
    """

    kind: InstructionKind
    payer: str
    payee: str


class OpenSum(NamedTuple):
    """How many payouts of an age are open, and how many fen."""

    payouts: int = 0
    amount: int = 0


class OpenPayout(NamedTuple):
    """``day`` is that of the instruction, ``amount`` what is still owed. ``state`` is what the newest reports come to.

    A recovery that is set off says so in ``manner``.
    """

    payout_id: str
    day: date
    event_no: int
    amount: int
    claim_id: str
    scheme_id: str
    treaty_id: str | None
    manner: str | None
    state: PayoutState


class AfterPayout(NamedTuple):
    """Where a page of a list ends; the next one begins after it."""

    day: date
    event_no: int
    payout_id: str


def by_age(connection: Connection, kind: InstructionKind, today: date) -> dict[Debt, list[OpenSum]]:
    """What is open between each payer and payee, one sum for each of `AGES`; what is open costs, not what was paid."""
    line = digest_open
    begins = [today - timedelta(days=first) for first in AGES]
    age = case(*((line.c.day > begins[at + 1], at) for at in range(len(AGES) - 1)), else_=len(AGES) - 1)
    query = (
        select(line.c.payer, line.c.payee_id, age.label("age"), func.count(), func.sum(line.c.amount))
        .where(line.c.kind == kind)
        .group_by(line.c.payer, line.c.payee_id, "age")
        .order_by(line.c.payer, line.c.payee_id)
    )
    found: dict[Debt, list[OpenSum]] = {}
    for payer, payee_id, at, payouts, amount in connection.execute(query):
        sums = found.setdefault(Debt(kind, payer, payee_of(payee_id)), [OpenSum()] * len(AGES))
        sums[at] = OpenSum(payouts, int(amount))
    return found


def page(
    connection: Connection, place: Debt, age: int | None, today: date, after: AfterPayout | None, limit: int
) -> list[OpenPayout]:
    """Open payouts between a payer and a payee, oldest first: of all ages, or of one (its place in `AGES`).

    Found by an index, from a position on, so that every page costs the same.
    """
    line, order, told = digest_open, tables.instructions, tables.payout_states
    state = func.coalesce(told.c.state, literal(PayoutState.INSTRUCTED))
    query = (
        select(
            line.c.payout_id,
            line.c.day,
            line.c.event_no,
            line.c.amount,
            order.c.claim_id,
            order.c.scheme_id,
            order.c.treaty_id,
            settled_recoveries.c.manner,
            state,
        )
        .join(order, order.c.payout_id == line.c.payout_id)
        .outerjoin(settled_recoveries, settled_recoveries.c.payout_id == line.c.payout_id)
        .outerjoin(told, and_(told.c.payout_id == order.c.payout_id, told.c.person_id == order.c.person_id))
        .where(*_of(place, age, today))
        .order_by(line.c.day, line.c.event_no, line.c.payout_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(line.c.day, line.c.event_no, line.c.payout_id) > tuple_(*after))
    return [OpenPayout(*row[:-1], PayoutState(row[-1])) for row in connection.execute(query)]


def sum_of(connection: Connection, place: Debt, age: int | None, today: date) -> OpenSum:
    """The sum over all pages."""
    query = select(func.count(), func.coalesce(func.sum(digest_open.c.amount), 0)).where(*_of(place, age, today))
    payouts, amount = connection.execute(query).one()
    return OpenSum(payouts, int(amount))


def _of(place: Debt, age: int | None, today: date) -> Iterable[ColumnElement[bool]]:
    line = digest_open
    where = [line.c.kind == place.kind, line.c.payer == place.payer]
    where.append(line.c.payee_id == (facility_of(place.payee) or ""))
    if age:
        where.append(line.c.day <= today - timedelta(days=AGES[age]))
    if age is not None and age + 1 < len(AGES):
        where.append(line.c.day > today - timedelta(days=AGES[age + 1]))
    return where
