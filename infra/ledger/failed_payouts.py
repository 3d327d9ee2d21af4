"""Payouts that were reported as failed or returned and can be ordered again: which, how much, and why they failed.

What `handlers.claims.reissue.reissuable` allows for one payout, this finds for all of them; a test holds them together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from infra.ledger.clearing_tables import settled_recoveries
from infra.ledger.console_tables import reissue_proposals
from infra.ledger.tables import claims, events, facts, instructions, payout_states
from schemas.facts import Kind
from schemas.outbound import InstructionKind
from schemas.records import PayoutState

NOT_THERE = (PayoutState.FAILED, PayoutState.RETURNED)


class FailedPayout(NamedTuple):
    """``amount`` is what would be ordered again now (fen), ``failed_at`` when it failed as its insurer reports.

    ``proposed_by`` is who has proposed to order it again, if somebody has and nobody has decided yet.
    """

    payout_id: str
    claim_id: str
    scheme_id: str
    kind: InstructionKind
    state: PayoutState
    amount: int
    failed_at: datetime
    proposed_by: str | None


def page(
    connection: Connection, limit: int, offset: int = 0, *, proposed: bool = True
) -> tuple[int, list[FailedPayout]]:
    """How many can be ordered again, and some of them, the oldest failure first; without ``proposed`` those left out
    that wait for a second person."""
    found = _query(proposed).subquery("failed")
    count = connection.scalar(select(func.count()).select_from(found).where(found.c.amount > 0)) or 0
    order = (found.c.failed_at, found.c.payout_id)
    rows = connection.execute(select(found).where(found.c.amount > 0).order_by(*order).limit(limit).offset(offset))
    return count, [_failed(row) for row in rows]


def report_of(connection: Connection, payout_id: str) -> bytes | None:
    """The report that decides the state of a payout, as its insurer sent it."""
    told = payout_states
    deciding = and_(
        facts.c.kind == Kind.PAYOUT,
        facts.c.subject_id == told.c.payout_id,
        facts.c.person_id == told.c.person_id,
        facts.c.content_sha256 == told.c.decided_by,
    )
    own = and_(told.c.payout_id == instructions.c.payout_id, told.c.person_id == instructions.c.person_id)
    query = (
        select(events.c.value)
        .select_from(instructions.join(told, own).join(facts, deciding))
        .join(events, events.c.event_no == facts.c.event_no)
        .where(instructions.c.payout_id == payout_id)
    )
    value = connection.scalar(query)
    return None if value is None else bytes(value)


def _query(proposed: bool) -> Select[Any]:
    order, told, wanted = instructions, payout_states, reissue_proposals
    again = instructions.alias("again")
    own = and_(told.c.payout_id == order.c.payout_id, told.c.person_id == order.c.person_id)
    waits = and_(wanted.c.payout_id == order.c.payout_id, wanted.c.decision.is_(None))
    missing = _missing()
    amount = func.least(order.c.amount, case((order.c.kind == InstructionKind.PAYMENT, missing), else_=-missing))
    query = (
        select(
            order.c.payout_id,
            order.c.claim_id,
            order.c.scheme_id,
            order.c.kind,
            told.c.state,
            amount.label("amount"),
            told.c.reported_at.label("failed_at"),
            wanted.c.proposed_by,
        )
        .select_from(told.join(order, own).join(claims, claims.c.claim_id == order.c.claim_id))
        .outerjoin(wanted, waits)
        .outerjoin(again, again.c.reissue_of == order.c.payout_id)
        .outerjoin(settled_recoveries, settled_recoveries.c.payout_id == order.c.payout_id)
        .where(
            told.c.state.in_(NOT_THERE),
            told.c.last_status.in_(NOT_THERE),
            order.c.reversal_of.is_(None),
            order.c.set_off_of.is_(None),
            again.c.payout_id.is_(None),
            settled_recoveries.c.payout_id.is_(None),
            or_(order.c.kind == InstructionKind.RECOVERY, ~claims.c.held),
        )
    )
    return query if proposed else query.where(wanted.c.payout_id.is_(None))


def _missing() -> ColumnElement[int]:
    """What the payer has paid by the books, less its money that moved or may still move (fen): see
    `handlers.claims.payout_reports.missing_of`."""
    other, told, settled = instructions.alias("other"), payout_states.alias("told"), settled_recoveries.alias("settled")
    own = and_(told.c.payout_id == other.c.payout_id, told.c.person_id == other.c.person_id)
    same = [other.c[name] == instructions.c[name] for name in ("claim_id", "scheme_id", "payee_id", "payer")]
    unmoved = and_(other.c.set_off_of.is_(None), settled.c.payout_id.is_(None), told.c.state.in_(NOT_THERE))
    signed = case((other.c.kind == InstructionKind.PAYMENT, other.c.amount), else_=-other.c.amount)
    query = (
        select(func.coalesce(func.sum(signed), 0))
        .select_from(other.outerjoin(told, own).outerjoin(settled, settled.c.payout_id == other.c.payout_id))
        .where(
            *same,
            other.c.treaty_id.is_not_distinct_from(instructions.c.treaty_id),
            or_(other.c.reversal_of.is_not(None), unmoved),
        )
    )
    return query.correlate(instructions).scalar_subquery()


def _failed(row: Any) -> FailedPayout:
    payout_id, claim_id, scheme_id, kind, state, amount, *rest = row
    return FailedPayout(payout_id, claim_id, scheme_id, InstructionKind(kind), PayoutState(state), int(amount), *rest)
