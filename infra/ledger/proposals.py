"""Proposals to send a refused event again, and the refused events page by page."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from infra.ledger.console_tables import digest_refused, replay_proposals


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


class RefusedLine(NamedTuple):
    """A refused event in a list: of its content only the facility and type."""

    event_no: int
    code: str
    facility_id: str
    event_type: str
    recorded_at: datetime
    open_proposal: int | None
    proposed_by: str | None
    decided: int


_columns = [replay_proposals.c[name] for name in Proposal._fields]


def page(
    connection: Connection, code: str, facility: str, waiting: bool, limit: int, offset: int
) -> tuple[int, list[RefusedLine]]:
    """How many refused events there are of a code and facility (empty: any), and one page of them, newest first.

    ``waiting``: only those with an open proposal.
    """
    line, open_ = digest_refused, replay_proposals.alias("open")
    decided = (
        select(func.count())
        .select_from(replay_proposals)
        .where(replay_proposals.c.event_no == line.c.event_no, replay_proposals.c.decision == "approved")
        .scalar_subquery()
    )

    def narrowed(query: Select[Any]) -> Select[Any]:
        if code:
            query = query.where(line.c.code == code)
        if facility:
            query = query.where(line.c.facility_id == facility)
        if waiting:
            query = query.where(open_.c.proposal_no.is_not(None))
        return query

    joined = line.outerjoin(open_, (open_.c.event_no == line.c.event_no) & open_.c.decision.is_(None))
    count = connection.scalar(narrowed(select(func.count()).select_from(joined if waiting else line))) or 0
    columns = [line.c[name] for name in RefusedLine._fields[:5]]
    query = narrowed(select(*columns, open_.c.proposal_no, open_.c.proposed_by, decided).select_from(joined))
    rows = connection.execute(query.order_by(line.c.event_no.desc()).limit(limit).offset(offset))
    return count, [RefusedLine(*row) for row in rows]


def facilities(connection: Connection) -> list[str]:
    """The facilities that refused events name."""
    query = select(digest_refused.c.facility_id).distinct().where(digest_refused.c.facility_id != "")
    return list(connection.scalars(query.order_by(digest_refused.c.facility_id)))


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


def decide(connection: Connection, proposal_no: int, user: str, decision: str, moment: datetime) -> None:
    """Closes a proposal; the database refuses the proposer's own name."""
    connection.execute(
        update(replay_proposals)
        .where(replay_proposals.c.proposal_no == proposal_no)
        .values(decided_by=user, decided_at=moment, decision=decision)
    )


def _proposal(row: Any) -> Proposal:
    value = None if row.value is None else bytes(row.value)
    return Proposal(row.proposal_no, row.event_no, value, *row[3:])
