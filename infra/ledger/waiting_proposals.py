"""The proposals of all kinds about which nobody has decided, as one user sees them: a few, and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Date, FromClause, Text, case, cast, func, null, select

from infra.ledger import deciding
from infra.ledger.clearing_tables import clearing_proposals
from infra.ledger.console_tables import aid_proposals, reissue_proposals, replay_proposals
from infra.ledger.tables import benefits, instructions
from schemas.clearing_acts import ClearingAct


class ProposalKind(StrEnum):
    """What is proposed: to send a refused event or a failed payout again, temporary aid, or an act of the clearing."""

    REPLAY = "replay"
    REISSUE = "reissue"
    AID = "aid"
    CLEARING = "clearing"


class WaitingProposal(NamedTuple):
    """A proposal about which nobody has decided. ``act`` and ``month`` are those of a clearing.

    ``subject`` is the number of the refused event, the failed payout, the level of the aid, or as `ClearingAct` says.
    ``amount`` is fen: what was instructed, is granted, to be recovered, or kept back; None where it is about no sum.
    """

    kind: ProposalKind
    proposal_no: int
    act: ClearingAct | None
    subject: str
    month: date | None
    amount: int | None
    proposed_by: str
    proposed_at: datetime


Found = tuple[int, list[WaitingProposal]]
"""How many there are, and the oldest of them."""


def for_user(connection: Connection, kind: ProposalKind, user: str, limit: int) -> Found:
    """Proposals of others about which a user may decide."""
    return _found(connection, kind, deciding.waits_for(_TABLES[kind], user), limit)


def of_user(connection: Connection, kinds: Collection[ProposalKind], user: str, limit: int) -> Found:
    """What a user proposed, and somebody else has to decide about."""
    each = [_found(connection, kind, deciding.is_own(_TABLES[kind], user), limit) for kind in kinds]
    rows = sorted((row for _, rows in each for row in rows), key=lambda row: row.proposed_at)
    return sum(count for count, _ in each), rows[:limit]


def _found(connection: Connection, kind: ProposalKind, which: ColumnElement[bool], limit: int) -> Found:
    table = _TABLES[kind]
    count = connection.scalar(select(func.count()).select_from(table).where(which)) or 0
    columns = [table.c.proposal_no, *_ABOUT[kind](), table.c.proposed_by, table.c.proposed_at]
    rows = connection.execute(select(*columns).where(which).order_by(table.c.proposal_no).limit(limit))
    return count, [_proposal(kind, *row) for row in rows]


def _proposal(kind: ProposalKind, number: int, act: str | None, *rest: Any) -> WaitingProposal:
    subject, month, amount, by, at = rest
    sum_ = None if amount is None else int(amount)
    return WaitingProposal(kind, number, None if act is None else ClearingAct(act), subject, month, sum_, by, at)


def _replay() -> Sequence[ColumnElement[Any]]:
    return null(), cast(replay_proposals.c.event_no, Text), cast(null(), Date), null()


def _reissue() -> Sequence[ColumnElement[Any]]:
    failed = select(instructions.c.amount).where(instructions.c.payout_id == reissue_proposals.c.payout_id)
    return null(), reissue_proposals.c.payout_id, cast(null(), Date), failed.scalar_subquery()


def _aid() -> Sequence[ColumnElement[Any]]:
    return null(), aid_proposals.c.level, cast(null(), Date), aid_proposals.c.amount


def _clearing() -> Sequence[ColumnElement[Any]]:
    table = clearing_proposals.c
    recovery = select(instructions.c.amount).where(instructions.c.payout_id == table.subject)
    kept = select(func.sum(benefits.c.benefit - benefits.c.released)).where(benefits.c.claim_id == table.subject)
    amount = case(
        (table.act.in_([ClearingAct.SET_OFF, ClearingAct.WAIVER]), recovery.scalar_subquery()),
        (table.act == ClearingAct.HOLD, kept.scalar_subquery()),
    )
    return table.act, table.subject, table.month, amount


_TABLES: dict[ProposalKind, FromClause] = {
    ProposalKind.REPLAY: replay_proposals,
    ProposalKind.REISSUE: reissue_proposals,
    ProposalKind.AID: aid_proposals,
    ProposalKind.CLEARING: clearing_proposals,
}
_ABOUT: dict[ProposalKind, Callable[[], Sequence[ColumnElement[Any]]]] = {
    ProposalKind.REPLAY: _replay,
    ProposalKind.REISSUE: _reissue,
    ProposalKind.AID: _aid,
    ProposalKind.CLEARING: _clearing,
}
