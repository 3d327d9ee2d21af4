"""Proposals to order a failed or returned payout again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from infra.ledger import deciding
from infra.ledger.console_tables import reissue_proposals


class ReissueProposal(NamedTuple):
    """``decision`` is None while nobody has decided."""

    proposal_no: int
    payout_id: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision: str | None


_columns = [reissue_proposals.c[name] for name in ReissueProposal._fields]


def waiting(connection: Connection) -> list[ReissueProposal]:
    """The proposals about which nobody has decided, oldest first."""
    query = select(*_columns).where(reissue_proposals.c.decision.is_(None)).order_by(reissue_proposals.c.proposal_no)
    return [ReissueProposal(*row) for row in connection.execute(query)]


def about(connection: Connection, payout_id: str) -> list[ReissueProposal]:
    """All proposals to order a payout again, oldest first."""
    query = select(*_columns).where(reissue_proposals.c.payout_id == payout_id)
    return [ReissueProposal(*row) for row in connection.execute(query.order_by(reissue_proposals.c.proposal_no))]


def awaiting(connection: Connection, user: str) -> int:
    """How many proposals wait for somebody else than who made them, if that somebody is ``user``."""
    return deciding.awaiting(connection, reissue_proposals, user)


def find(connection: Connection, proposal_no: int) -> ReissueProposal | None:
    """A proposal; anyone else who decides about it waits until this transaction ends."""
    query = select(*_columns).where(reissue_proposals.c.proposal_no == proposal_no).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else ReissueProposal(*row)


def propose(connection: Connection, payout_id: str, reason: str, operator: str, moment: datetime) -> int | None:
    """A new proposal's number; None when one is open already."""
    values = {"payout_id": payout_id, "reason": reason, "proposed_by": operator, "proposed_at": moment}
    statement = insert(reissue_proposals).values(values).on_conflict_do_nothing()
    number = connection.scalar(statement.returning(reissue_proposals.c.proposal_no))
    return None if number is None else int(number)


def decide(connection: Connection, proposal_no: int, operator: str, decision: str, moment: datetime) -> None:
    """Closes a proposal; the database refuses the proposer's own name."""
    deciding.decide(connection, reissue_proposals, proposal_no, operator, decision, moment)
