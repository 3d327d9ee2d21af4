"""Proposals to send a refused event again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from infra.ledger import deciding
from infra.ledger.console_tables import replay_proposals


class Proposal(NamedTuple):
    """``value`` is None if the event is to be sent unchanged. ``decision`` is None while nobody has decided."""

    proposal_no: int
    event_no: int
    value: bytes | None
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision: str | None


_columns = [replay_proposals.c[name] for name in Proposal._fields]


def of_event(connection: Connection, event_no: int) -> list[Proposal]:
    """All proposals for a refused event, oldest first."""
    query = select(*_columns).where(replay_proposals.c.event_no == event_no).order_by(replay_proposals.c.proposal_no)
    return [_proposal(row) for row in connection.execute(query)]


def waiting(connection: Connection) -> list[Proposal]:
    """The proposals about which nobody has decided, oldest first."""
    query = select(*_columns).where(replay_proposals.c.decision.is_(None)).order_by(replay_proposals.c.proposal_no)
    return [_proposal(row) for row in connection.execute(query)]


def find(connection: Connection, proposal_no: int) -> Proposal | None:
    """A proposal; anyone else who decides about it waits until this transaction ends."""
    query = select(*_columns).where(replay_proposals.c.proposal_no == proposal_no).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else _proposal(row)


def propose(
    connection: Connection, event_no: int, value: bytes | None, reason: str, user: str, moment: datetime
) -> int | None:
    """A new proposal's number; None when one is open already."""
    statement = insert(replay_proposals).values(
        event_no=event_no, value=value, reason=reason, proposed_by=user, proposed_at=moment
    )
    number = connection.scalar(statement.on_conflict_do_nothing().returning(replay_proposals.c.proposal_no))
    return None if number is None else int(number)


def awaiting(connection: Connection, user: str) -> int:
    """How many proposals wait for somebody else than who made them, if that somebody is ``user``."""
    return deciding.awaiting(connection, replay_proposals, user)


def decide(connection: Connection, proposal_no: int, user: str, decision: str, moment: datetime) -> None:
    """Closes a proposal; the database refuses the proposer's own name."""
    deciding.decide(connection, replay_proposals, proposal_no, user, decision, moment)


def _proposal(row: Any) -> Proposal:
    value = None if row.value is None else bytes(row.value)
    return Proposal(row.proposal_no, row.event_no, value, *row[3:])
