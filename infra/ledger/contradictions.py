"""Payouts whose reports contradict each other or what was ordered, with all that was reported for their claims."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Select, func, select, tuple_, union

from infra.ledger import tables
from infra.ledger.clearing_tables import settled_recoveries
from schemas.facts import Kind
from schemas.records import PayoutState

_order, _reported = tables.instructions, tables.payout_states
_own = (_reported.c.payout_id == _order.c.payout_id) & (_reported.c.person_id == _order.c.person_id)
# A book reversal moves no money, nor does what is kept back: whatever is reported about one contradicts it. So does it
# that a recovery was collected which was set off or waived before.
_doubtful = union(
    select(_order.c.payout_id).join(_reported, _own).where(_reported.c.contradictions > 0),
    select(_order.c.payout_id).join(_reported, _own).where(_order.c.reversal_of.is_not(None)),
    select(_order.c.payout_id).join(_reported, _own).where(_order.c.set_off_of.is_not(None)),
    select(_order.c.payout_id)
    .join(_reported, _own)
    .join(settled_recoveries, settled_recoveries.c.payout_id == _order.c.payout_id)
    .where(_reported.c.state == PayoutState.PAID),
).subquery("doubtful")


class ContradictedSum(NamedTuple):
    """How many payouts there are, and how much was ordered by them (fen)."""

    payouts: int
    amount: int


class Place(NamedTuple):
    """A scheme of a claim in which a payout is contradicted; ``released`` is what is ordered net (fen)."""

    claim_id: str
    scheme_id: str
    released: int


class ContradictedPayout(NamedTuple):
    """A payout of such a place, with the content hash and bytes of each accepted report under its own person."""

    payout_id: str
    claim_id: str
    scheme_id: str
    kind: str
    amount: int
    reversal_of: str | None
    set_off_of: str | None
    reports: list[tuple[str, bytes]]


def contradicted(connection: Connection) -> ContradictedSum:
    """The sum over all of them."""
    query = select(func.count(), func.coalesce(func.sum(_order.c.amount), 0)).join(
        _doubtful, _doubtful.c.payout_id == _order.c.payout_id
    )
    return ContradictedSum(*(int(value) for value in connection.execute(query).one()))


def places(connection: Connection, limit: int, offset: int) -> tuple[int, list[Place]]:
    """How many places there are, and one page of them, by claim."""
    benefit = tables.benefits
    found: Select[tuple[str, str]] = (
        select(_order.c.claim_id, _order.c.scheme_id)
        .join(_doubtful, _doubtful.c.payout_id == _order.c.payout_id)
        .distinct()
    )
    count = connection.scalar(select(func.count()).select_from(found.subquery())) or 0
    part = found.order_by(_order.c.claim_id, _order.c.scheme_id).limit(limit).offset(offset).subquery()
    query = (
        select(part.c.claim_id, part.c.scheme_id, benefit.c.released)
        .join(benefit, (benefit.c.claim_id == part.c.claim_id) & (benefit.c.scheme_id == part.c.scheme_id))
        .order_by(part.c.claim_id, part.c.scheme_id)
    )
    return count, [Place(*row) for row in connection.execute(query)]


def payouts_of(connection: Connection, wanted: list[Place]) -> list[ContradictedPayout]:
    """Every payout of these places, in the order of their revisions."""
    fact, event = tables.facts, tables.events
    within = tuple_(_order.c.claim_id, _order.c.scheme_id).in_([place[:2] for place in wanted])
    columns = [_order.c[name] for name in ContradictedPayout._fields[:7]]
    rows = connection.execute(
        select(*columns, fact.c.content_sha256, event.c.value)
        .outerjoin(
            fact,
            (fact.c.kind == Kind.PAYOUT)
            & (fact.c.subject_id == _order.c.payout_id)
            & (fact.c.person_id == _order.c.person_id),
        )
        .outerjoin(event, event.c.event_no == fact.c.event_no)
        .where(within)
        .order_by(_order.c.claim_id, _order.c.scheme_id, _order.c.revision, fact.c.version)
    )
    payouts: dict[str, ContradictedPayout] = {}
    for row in rows:
        payout = payouts.setdefault(row.payout_id, ContradictedPayout(*row[:7], []))
        if row.value is not None:
            payout.reports.append((row.content_sha256, bytes(row.value)))
    return list(payouts.values())
