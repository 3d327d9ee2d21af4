"""Payouts as people see them: each instruction with the state of its reports, and reports that match none."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Date,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from infra.ledger import tables
from infra.ledger.clearing_tables import settled_recoveries
from schemas.dates import SHANGHAI
from schemas.outbound import InstructionKind
from schemas.records import PayoutRecord, PayoutState
from schemas.statement import Scope

_order, _reported, _event = tables.instructions, tables.payout_states, tables.events
_next = tables.instructions.alias("reissued")

_state = case(
    (or_(_order.c.reversal_of.is_not(None), _order.c.set_off_of.is_not(None)), literal(PayoutState.BOOK)),
    else_=func.coalesce(_reported.c.state, literal(PayoutState.INSTRUCTED)),
)


_IN_ORDER = [_order.c[name] for name in ("event_no", "claim_id", "revision", "scheme_id", "payee_id")]


def _records() -> Select[Any]:
    return (
        select(
            _order.c.payout_id,
            _order.c.claim_id,
            _order.c.scheme_id,
            _order.c.revision,
            _order.c.kind,
            _order.c.amount,
            _event.c.recorded_at,
            _state,
            _reported.c.reported_at,
            _reported.c.reference,
            func.coalesce(_reported.c.reports, 0),
            func.coalesce(_reported.c.contradictions, 0),
            _order.c.reissue_of,
            _order.c.reversal_of,
            _next.c.payout_id,
            _order.c.payee_id,
            _order.c.payer,
            _order.c.treaty_id,
            _order.c.set_off_of,
            settled_recoveries.c.manner,
            settled_recoveries.c.left,
        )
        .join(_event, _event.c.event_no == _order.c.event_no)
        .outerjoin(
            _reported, and_(_reported.c.payout_id == _order.c.payout_id, _reported.c.person_id == _order.c.person_id)
        )
        .outerjoin(_next, _next.c.reissue_of == _order.c.payout_id)
        .outerjoin(settled_recoveries, settled_recoveries.c.payout_id == _order.c.payout_id)
    )


def payouts(
    connection: Connection,
    *,
    payout_id: str | None = None,
    state: PayoutState | None = None,
    claim_id: str | None = None,
    scheme_id: str | None = None,
    payer: str | None = None,
    limit: int | None = None,
) -> list[PayoutRecord]:
    """Payouts, in the order in which they were instructed: all, or those of an id, state, claim, scheme or payer."""
    query = _records()
    for column, value in (
        (_order.c.payout_id, payout_id),
        (_order.c.claim_id, claim_id),
        (_order.c.scheme_id, scheme_id),
        (_order.c.payer, payer),
    ):
        if value is not None:
            query = query.where(column == value)
    if state in (PayoutState.PAID, PayoutState.FAILED, PayoutState.RETURNED):
        query = query.where(_reported.c.state == state, _state != PayoutState.BOOK)  # found by the index of states
    elif state is not None:
        query = query.where(_state == state)
    rows = connection.execute(query.order_by(*_IN_ORDER).limit(limit))
    return [_record(row) for row in rows]


def recoveries(
    connection: Connection, *, payer: str | None = None, scheme_id: str | None = None, open_only: bool = False
) -> list[PayoutRecord]:
    """Orders to give money back, in the order in which they were instructed; of a payer, a scheme, or still open.

    Open is what is neither reported as collected nor ordered anew, waived, or wholly set off.
    """
    query = _records().where(_order.c.kind == InstructionKind.RECOVERY, _order.c.reversal_of.is_(None))
    for column, value in ((_order.c.payer, payer), (_order.c.scheme_id, scheme_id)):
        if value is not None:
            query = query.where(column == value)
    if open_only:
        settled = settled_recoveries.c
        waits = case((settled.payout_id.is_(None), _state != PayoutState.PAID), else_=settled.left > 0)
        query = query.where(_next.c.payout_id.is_(None), waits)
    return [_record(row) for row in connection.execute(query.order_by(*_IN_ORDER))]


def payouts_to_compare(connection: Connection, payout_ids: Collection[str], scope: Scope) -> list[PayoutRecord]:
    """The payouts of a statement, and all that were instructed in its scope, in the order of their instruction."""
    day = cast(func.timezone(SHANGHAI.key, _event.c.recorded_at), Date)
    within: list[ColumnElement[bool]] = [true()]
    if scope.scheme_id is not None:
        within.append(_order.c.scheme_id == scope.scheme_id)
    if scope.payer is not None:
        within.append(_order.c.payer == scope.payer)
    if scope.since is not None:
        within.append(day >= scope.since)
    if scope.until is not None:
        within.append(day < scope.until)
    if scope.issued is not None:
        within, payout_ids = [false()], {*payout_ids, *scope.issued.ordered}
    named = bindparam("named", list(payout_ids), type_=ARRAY(Text))
    query = _records().where(or_(_order.c.payout_id == any_(named), and_(*within)))
    rows = connection.execute(query.order_by(*_IN_ORDER))
    return [_record(row) for row in rows]


def _record(row: Any) -> PayoutRecord:
    return PayoutRecord(*row)._replace(state=PayoutState(row[7]))


def count_by_state(connection: Connection) -> dict[PayoutState, int]:
    """How many payouts are in each state."""
    query = (
        select(_state, func.count())
        .select_from(_order)
        .outerjoin(
            _reported, and_(_reported.c.payout_id == _order.c.payout_id, _reported.c.person_id == _order.c.person_id)
        )
        .group_by(_state)
    )
    return {PayoutState(row[0]): row[1] for row in connection.execute(query)}


class Unmatched(NamedTuple):
    """Reports of a payout that is not their person's. ``known`` says whether it is somebody else's."""

    payout_id: str
    state: str
    reported_at: datetime
    reference: str
    reports: int
    known: bool


def unmatched(connection: Connection, *, payout_id: str | None = None, limit: int | None = None) -> list[Unmatched]:
    """Reports that match no instruction of their person, oldest first."""
    query = (
        select(
            _reported.c.payout_id,
            _reported.c.state,
            _reported.c.reported_at,
            _reported.c.reference,
            _reported.c.reports,
            _order.c.payout_id.is_not(None),
        )
        .outerjoin(_order, _order.c.payout_id == _reported.c.payout_id)
        .where(or_(_order.c.payout_id.is_(None), _order.c.person_id != _reported.c.person_id))
        .order_by(_reported.c.reported_at, _reported.c.payout_id, _reported.c.person_id)
    )
    if payout_id is not None:
        query = query.where(_reported.c.payout_id == payout_id)
    return [Unmatched(*row) for row in connection.execute(query.limit(limit))]


def person_of(connection: Connection, payout_id: str) -> str | None:
    """Whose payout it is."""
    return connection.scalar(select(_order.c.person_id).where(_order.c.payout_id == payout_id))
