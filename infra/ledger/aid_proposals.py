"""Proposals to grant temporary aid, and what became of those that were countersigned."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select
from sqlalchemy.dialects.postgresql import insert

from infra.ledger import deciding
from infra.ledger.console_tables import aid_proposals
from infra.ledger.tables import claims, events, instructions, payout_states
from schemas.aid_records import AidProposal, AidWanted
from schemas.ids import AID
from schemas.outbound import InstructionKind
from schemas.records import PayoutState
from schemas.topics import AIDS

_WANTED = [aid_proposals.c[name] for name in AidWanted._fields]
_REST = [
    aid_proposals.c[name]
    for name in ("proposal_no", "aid_id", "proposed_by", "proposed_at", "decided_by", "decided_at", "decision")
]
_CLAIM = AID + aid_proposals.c.aid_id


class AidStands(NamedTuple):
    """A proposal, and its claim if the countersigned aid has come in: ``status`` is None before. Amounts are fen.

    ``instructed`` and ``arrived`` are payments less recoveries, ordered and reported as paid. ``refused_no`` is the
    event as which it was refused when it came in, if it was and nothing has come in in its place.
    """

    proposal: AidProposal
    status: str | None
    due: int
    instructed: int
    arrived: int
    refused_no: int | None


def find(connection: Connection, proposal_no: int) -> AidProposal | None:
    """A proposal; anyone else who decides about it waits until this transaction ends."""
    query = select(*_WANTED, *_REST).where(aid_proposals.c.proposal_no == proposal_no).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else _proposal(row)


def stands(connection: Connection, proposal_no: int) -> AidStands | None:
    """How one proposal stands."""
    found = _standing(connection, _query().where(aid_proposals.c.proposal_no == proposal_no))
    return found[0] if found else None


def page(connection: Connection, limit: int, offset: int = 0) -> tuple[int, list[AidStands]]:
    """How many proposals there are, and some of them: those that wait first, then the newest."""
    count = connection.scalar(select(func.count()).select_from(aid_proposals)) or 0
    order = (aid_proposals.c.decision.is_not(None), aid_proposals.c.proposal_no.desc())
    return count, _standing(connection, _query().order_by(*order).limit(limit).offset(offset))


def of_person(connection: Connection, person_id: str) -> list[AidStands]:
    """All proposals for a person, newest first."""
    return _all(connection, aid_proposals.c.person_id == person_id)


def of_alert(connection: Connection, alert_id: str) -> list[AidStands]:
    """All proposals to which an alert led, newest first."""
    return _all(connection, aid_proposals.c.alert_id == alert_id)


def on_the_way(connection: Connection, persons: Collection[str]) -> list[AidProposal]:
    """What was countersigned for some persons and has not come in yet, in the order of the proposals.

    What was refused when it came in is not on its way any more.
    """
    which = and_(
        aid_proposals.c.person_id.in_(persons), aid_proposals.c.decision == "approved", claims.c.claim_id.is_(None)
    )
    rows = connection.execute(_query().where(which).order_by(aid_proposals.c.proposal_no))
    found = [_proposal(row) for row in rows]
    refused = _refused(connection, found)
    return [each for each in found if each.aid_id not in refused]


def awaiting(connection: Connection, user: str) -> int:
    """How many proposals wait for somebody else than who made them, if that somebody is ``user``."""
    return deciding.awaiting(connection, aid_proposals, user)


def propose(connection: Connection, aid_id: str, wanted: AidWanted, operator: str, moment: datetime) -> int | None:
    """A new proposal's number; None when one for the person is open already."""
    values = {**wanted._asdict(), "aid_id": aid_id, "proposed_by": operator, "proposed_at": moment}
    statement = insert(aid_proposals).values(values).on_conflict_do_nothing()
    number = connection.scalar(statement.returning(aid_proposals.c.proposal_no))
    return None if number is None else int(number)


def decide(connection: Connection, proposal_no: int, operator: str, decision: str, moment: datetime) -> None:
    """Closes a proposal; the database refuses the proposer's own name."""
    deciding.decide(connection, aid_proposals, proposal_no, operator, decision, moment)


def _all(connection: Connection, which: ColumnElement[bool]) -> list[AidStands]:
    return _standing(connection, _query().where(which).order_by(aid_proposals.c.proposal_no.desc()))


def _query() -> Select[Any]:
    return select(*_WANTED, *_REST, claims.c.status, claims.c.total_benefit).outerjoin(
        claims, claims.c.claim_id == _CLAIM
    )


def _standing(connection: Connection, query: Select[Any]) -> list[AidStands]:
    rows = connection.execute(query).all()
    found = [_proposal(row) for row in rows]
    moved = _moved(connection, [each.claim_id for each in found])
    away = [each for each, row in zip(found, rows, strict=True) if each.decision == "approved" and row.status is None]
    refused = _refused(connection, away)
    return [
        AidStands(each, row.status, row.total_benefit or 0, *moved.get(each.claim_id, (0, 0)), refused.get(each.aid_id))
        for each, row in zip(found, rows, strict=True)
    ]


def _refused(connection: Connection, away: Collection[AidProposal]) -> dict[str, int]:
    """As which event some aids were refused last, by their ids."""
    if not away:
        return {}
    keys = {each.wanted.person_id.encode() for each in away}
    query = select(events.c.event_no, events.c.value).where(
        events.c.topic == AIDS.name, events.c.disposition == "refused", events.c.key.in_(keys)
    )
    found = {_aid_in(row.value): row.event_no for row in connection.execute(query.order_by(events.c.event_no))}
    return {each.aid_id: found[each.aid_id] for each in away if each.aid_id in found}


def _aid_in(value: bytes | None) -> str:
    """The aid that a refused event names; empty where it names none."""
    try:
        told = json.loads(value or b"")
    except (ValueError, RecursionError):
        return ""
    named = told.get("aid_id") if isinstance(told, dict) else None
    return named if isinstance(named, str) else ""


def _moved(connection: Connection, claim_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """What was instructed for claims, and what of it is reported as paid (fen), net of recoveries."""
    summed = func.sum(instructions.c.amount).filter
    paid = payout_states.c.state == PayoutState.PAID
    payment, recovery = (instructions.c.kind == kind for kind in InstructionKind)
    own = and_(
        payout_states.c.payout_id == instructions.c.payout_id, payout_states.c.person_id == instructions.c.person_id
    )
    sums = [
        func.coalesce(each, 0)
        for each in (summed(payment), summed(recovery), summed(payment & paid), summed(recovery & paid))
    ]
    query = (
        select(instructions.c.claim_id, *sums)
        .outerjoin(payout_states, own)
        .where(instructions.c.claim_id.in_(claim_ids))
        .group_by(instructions.c.claim_id)
    )
    return {
        row[0]: (int(row[1] - row[2]), int(row[3] - row[4])) for row in (connection.execute(query) if claim_ids else ())
    }


def _proposal(row: Row[Any]) -> AidProposal:
    wanted = AidWanted(*(row[: len(_WANTED)]))
    number, aid_id, *rest = row[len(_WANTED) : len(_WANTED) + len(_REST)]
    return AidProposal(number, aid_id, wanted, *rest)
