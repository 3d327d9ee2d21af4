"""The refused events page by page, and what is being done about each."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, literal, or_, select, true

from infra.ledger import deciding
from infra.ledger.console_tables import digest_refused, digest_replays, replay_proposals
from infra.ledger.tables import refusals
from schemas.refusals import RefusedState

FINISHED = (RefusedState.DONE, RefusedState.AGAIN)


class RefusedLine(NamedTuple):
    """A refused event in a list: of its content only the facility and type.

    ``came_back_no`` is the event as which it came in again, ``came_back_as`` what the ledger made of that: accepted,
    duplicate, stale or refused.
    """

    event_no: int
    code: str
    facility_id: str
    event_type: str
    recorded_at: datetime
    proposed_by: str | None
    came_back_no: int | None
    came_back_as: str | None
    state: RefusedState


class RefusedFilter(NamedTuple):
    """Which refused events; an empty text filters nothing.

    ``state``: open, waiting (for approval or for the ledger), done, unfinished (not done), or mine (waiting for
    ``user``).
    """

    code: str = ""
    facility: str = ""
    state: str = ""
    user: str = ""


class Answered(NamedTuple):
    """What is being done about one refused event; ``again_no`` is its new refusal."""

    state: RefusedState
    again_no: int | None


_open = replay_proposals.alias("open_proposal")


def page(connection: Connection, chosen: RefusedFilter, limit: int, offset: int) -> tuple[int, list[RefusedLine]]:
    """How many refused events there are, and one page of them, newest first."""
    line = digest_refused
    joined, state, replay = _with_state(line, line.c.event_no)

    def narrowed(query: Select[Any]) -> Select[Any]:
        if chosen.code:
            query = query.where(line.c.code == chosen.code)
        if chosen.facility:
            query = query.where(line.c.facility_id == chosen.facility)
        if chosen.state:
            query = query.where(_chosen(chosen, state))
        return query

    count = connection.scalar(narrowed(select(func.count()).select_from(joined if chosen.state else line))) or 0
    columns = [*(line.c[name] for name in RefusedLine._fields[:5]), _open.c.proposed_by, *replay, state]
    rows = connection.execute(
        narrowed(select(*columns).select_from(joined)).order_by(line.c.event_no.desc()).limit(limit).offset(offset)
    )
    return count, [RefusedLine(*row)._replace(state=RefusedState(row[-1])) for row in rows]


def to_correct(connection: Connection, limit: int) -> tuple[int, list[RefusedLine]]:
    """How many refused events nobody has done anything about, and some of them, the oldest first."""
    line, replay, proposal = digest_refused, digest_replays, replay_proposals
    untouched = and_(
        ~exists().where(replay.c.refused_no == line.c.event_no),
        ~exists().where(
            proposal.c.event_no == line.c.event_no, proposal.c.decision.is_distinct_from(literal("rejected"))
        ),
    )
    count = connection.scalar(select(func.count()).select_from(line).where(untouched)) or 0
    columns = [line.c[name] for name in RefusedLine._fields[:5]]
    rows = connection.execute(select(*columns).where(untouched).order_by(line.c.event_no).limit(limit))
    untold = (None, None, None, RefusedState.OPEN)
    return count, [RefusedLine._make((*row, *untold)) for row in rows]


def answered(connection: Connection, event_no: int) -> Answered:
    """What is being done about a refused event, also one that the digest has not seen."""
    joined, state, (came_back_no, _) = _with_state(refusals, refusals.c.event_no)
    row = connection.execute(
        select(state, came_back_no).select_from(joined).where(refusals.c.event_no == event_no)
    ).one()
    now = RefusedState(row[0])
    return Answered(now, row[1] if now is RefusedState.AGAIN else None)


def unfinished_by_code(connection: Connection) -> dict[str, int]:
    """How many refused events somebody still has to do something about, by code."""
    line, replay = digest_refused, digest_replays
    finished = select(replay.c.refused_no).where(replay.c.came_back_no.is_not(None))
    rows = connection.execute(
        select(line.c.code, func.count()).where(line.c.event_no.not_in(finished)).group_by(line.c.code)
    )
    return {row[0]: row[1] for row in rows}


def facilities(connection: Connection) -> list[str]:
    """The facilities that refused events name."""
    query = select(digest_refused.c.facility_id).distinct().where(digest_refused.c.facility_id != "")
    return list(connection.scalars(query.order_by(digest_refused.c.facility_id)))


def _with_state(table: Any, number: ColumnElement[int]) -> tuple[Any, ColumnElement[str], tuple[Any, Any]]:
    """The table joined with what decides the state, the state, and as which event it came in."""
    replay = (
        select(digest_replays.c.act_no, digest_replays.c.came_back_no, digest_replays.c.came_back_as)
        .where(digest_replays.c.refused_no == number)
        .order_by(digest_replays.c.came_back_no.desc().nulls_last())
        .limit(1)
        .lateral("replay")
    )
    approved = (
        select(replay_proposals.c.proposal_no)
        .where(replay_proposals.c.event_no == number, replay_proposals.c.decision == "approved")
        .exists()
    )
    joined = table.outerjoin(_open, and_(_open.c.event_no == number, _open.c.decision.is_(None)))
    state = case(
        (_open.c.proposal_no.is_not(None), literal(RefusedState.WAITING)),
        (replay.c.came_back_as == "refused", literal(RefusedState.AGAIN)),
        (replay.c.came_back_no.is_not(None), literal(RefusedState.DONE)),
        (or_(replay.c.act_no.is_not(None), approved), literal(RefusedState.SENT)),
        else_=literal(RefusedState.OPEN),
    )
    return joined.outerjoin(replay, true()), state, (replay.c.came_back_no, replay.c.came_back_as)


def _chosen(chosen: RefusedFilter, state: ColumnElement[str]) -> ColumnElement[bool]:
    if chosen.state == "mine":
        return and_(_open.c.proposal_no.is_not(None), deciding.waits_for(_open, chosen.user))
    if chosen.state == "unfinished":
        return state.not_in(FINISHED)
    groups = {"open": (RefusedState.OPEN,), "waiting": (RefusedState.WAITING, RefusedState.SENT), "done": FINISHED}
    return state.in_(groups.get(chosen.state, tuple(RefusedState)))
