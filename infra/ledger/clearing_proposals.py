"""Proposals to issue a statement, to close a month of the books, or to set off or waive a recovery."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from infra.ledger import deciding
from infra.ledger.clearing_tables import clearing_proposals
from schemas.clearing_acts import ClearingAct


class ClearingProposal(NamedTuple):
    """``subject`` is as `ClearingAct` says, ``month`` its first day. ``decision`` is None while nobody has decided."""

    proposal_no: int
    act: ClearingAct
    subject: str
    month: date | None
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision: str | None


_columns = [clearing_proposals.c[name] for name in ClearingProposal._fields]


def waiting(connection: Connection, act: ClearingAct | None = None) -> list[ClearingProposal]:
    """The proposals of an act, or of all, about which nobody has decided, oldest first."""
    query = select(*_columns).where(clearing_proposals.c.decision.is_(None))
    if act is not None:
        query = query.where(clearing_proposals.c.act == act)
    return [_proposal(row) for row in connection.execute(query.order_by(clearing_proposals.c.proposal_no))]


def about(connection: Connection, acts: Collection[ClearingAct], subject: str) -> list[ClearingProposal]:
    """All proposals of some acts about a subject, oldest first."""
    query = select(*_columns).where(clearing_proposals.c.act.in_(acts), clearing_proposals.c.subject == subject)
    return [_proposal(row) for row in connection.execute(query.order_by(clearing_proposals.c.proposal_no))]


def awaiting(connection: Connection, user: str) -> int:
    """How many proposals wait for somebody else than who made them, if that somebody is ``user``."""
    return deciding.awaiting(connection, clearing_proposals, user)


def find(connection: Connection, proposal_no: int) -> ClearingProposal | None:
    """A proposal; anyone else who decides about it waits until this transaction ends."""
    query = select(*_columns).where(clearing_proposals.c.proposal_no == proposal_no).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else _proposal(row)


def propose(
    connection: Connection,
    act: ClearingAct,
    subject: str,
    month: date | None,
    reason: str,
    operator: str,
    moment: datetime,
) -> int | None:
    """A new proposal's number; None when one for the same act and subject is open already."""
    statement = insert(clearing_proposals).values(
        act=act, subject=subject, month=month, reason=reason, proposed_by=operator, proposed_at=moment
    )
    number = connection.scalar(statement.on_conflict_do_nothing().returning(clearing_proposals.c.proposal_no))
    return None if number is None else int(number)


def decide(connection: Connection, proposal_no: int, operator: str, decision: str, moment: datetime) -> None:
    """Closes a proposal; the database refuses the proposer's own name."""
    deciding.decide(connection, clearing_proposals, proposal_no, operator, decision, moment)


def _proposal(row: Any) -> ClearingProposal:
    return ClearingProposal(row.proposal_no, ClearingAct(row.act), *row[2:])
