"""Temporary aid (临时救助): proposed from an alert or a person, countersigned by another one, and what was paid."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from acts import propose_aid
from acts.four_eyes import NotDone
from acts.published_policies import published_policies
from handlers.claims.granting_aid import levels_on
from handlers.words.aid_sentences import NO_LEVELS, NO_REASON
from handlers.words.alert_sentences import title
from infra.ledger import aid_proposals, alert_rows, claim_search
from infra.ledger.aid_proposals import AidStands
from schemas.access.console_rights import Right
from schemas.aid_records import AidWanted
from schemas.alert_records import AlertRow
from schemas.bilingual import SaidError, Saying
from schemas.dates import shanghai_date
from schemas.ids import PersonId
from schemas.money import parse_yuan
from web.console.four_eyes_forms import said, status_of
from web.console.visit import Pages, Visit, not_found, page_number

PAGE_ROWS = 50
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
"""The commas of an amount such as 5,000.00; one that stands elsewhere is none, and the amount not one."""


class AidForm(NamedTuple):
    """What somebody typed, and why it could not be taken."""

    level: str = ""
    amount: str = ""
    emergency: bool = False
    reason: str = ""
    refused: Saying | None = None
    status: int = 200


def index(visit: Visit) -> Response:
    """All proposals: those that wait first, then the newest."""
    visit.require(Right.CLAIMS)
    number = page_number(visit)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        count, lines = aid_proposals.page(connection, PAGE_ROWS, (number - 1) * PAGE_ROWS)
    return visit.page("aids.html", lines=lines, pages=Pages(count, PAGE_ROWS, number))


def show(visit: Visit) -> Response:
    """One proposal: what would be paid if it were countersigned now, or how far it has come."""
    visit.require(Right.CLAIMS)
    with visit.engine.begin() as connection:
        aid = aid_proposals.stands(connection, visit.number("number"))
        if aid is None:
            raise not_found()
        wanted, waits = aid.proposal.wanted, aid.proposal.decision is None
        visit.note_view(connection, "aid", person=visit.token(wanted.person_id))
        outlook = propose_aid.expected(connection, aid.proposal, visit.now()) if waits else None
        earlier = _others(connection, aid)
        alert = _alert(connection, wanted.alert_id, wanted.person_id)
    return visit.page(
        "aid.html",
        aid=aid,
        proposal=aid.proposal,
        wanted=wanted,
        outlook=outlook,
        earlier=earlier,
        person=visit.token(wanted.person_id),
        alert=alert,
        alert_title=None if alert is None else title(alert),
    )


def ask(visit: Visit) -> Response:
    """The form for a proposal, about a person, and about the alert that led to it, if one did."""
    visit.require(Right.AID)
    return _form(visit, AidForm())


def propose(visit: Visit) -> Response:
    """Proposes an aid. What cannot be proposed comes back as it was typed, with the reason why."""
    visit.require(Right.AID)
    form, reason = visit.form, visit.given_reason()
    typed = AidForm(form.get("level", ""), form.get("amount", "").strip(), "emergency" in form, form.get("reason", ""))
    try:
        amount = parse_yuan(_THOUSANDS.sub("", typed.amount))
    except SaidError as error:
        return _form(visit, typed._replace(refused=Saying(*error.saying), status=422))
    if reason is None:
        return _form(visit, typed._replace(refused=NO_REASON, status=422))
    person_id, alert_id = PersonId(visit.person(visit.path_values["token"])), visit.query.get("alert") or None
    wanted = AidWanted(person_id, typed.level, amount, typed.emergency, alert_id, reason)
    try:
        with visit.engine.begin() as connection:
            number = propose_aid.propose_aid(connection, wanted, visit.user, visit.now)
    except NotDone as refused:
        return _form(visit, typed._replace(refused=refused.why, status=status_of(refused)))
    return visit.redirect(f"/aids/{number}")


def countersign(shard_count: int, visit: Visit) -> Response:
    """A second person countersigns: the aid is decided, and its event sent."""
    visit.require(Right.AID)
    number, seen = visit.number("number"), visit.form.get("expected", "")
    fen = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 18 else 0
    with said(), visit.engine.begin() as connection:
        propose_aid.countersign_aid(connection, number, visit.user, shard_count, visit.now, fen)
    return visit.redirect(f"/aids/{number}")


def reject(visit: Visit) -> Response:
    """A second person rejects; another aid can be proposed for the person."""
    visit.require(Right.AID)
    number, reason = visit.number("number"), visit.reason()
    with said(), visit.engine.begin() as connection:
        propose_aid.reject_aid(connection, number, reason, visit.user, visit.now)
    return visit.redirect(f"/aids/{number}")


def _form(visit: Visit, typed: AidForm) -> Response:
    token = visit.path_values["token"]
    person_id, alert_id = visit.person(token), visit.query.get("alert") or None
    with visit.engine.begin() as connection:
        if not claim_search.person_exists(connection, person_id):
            raise not_found()
        visit.note_view(connection, "aid", person=visit.token(person_id))
        levels = levels_on(shanghai_date(visit.now()), published_policies(connection))
        earlier = aid_proposals.of_person(connection, person_id)
        alert = _alert(connection, alert_id, person_id)
    query = "" if alert_id is None else f"?{urlencode({'alert': alert_id})}"
    return visit.page(
        "aid_form.html",
        typed.status,
        typed=typed,
        levels=levels,
        no_levels=NO_LEVELS,
        earlier=earlier,
        waits=[each for each in earlier if each.proposal.decision is None],
        person=token,
        alert=alert,
        alert_title=None if alert is None else title(alert),
        action=f"/persons/{quote(token)}/aid{query}",
    )


def _others(connection: Connection, aid: AidStands) -> list[AidStands]:
    """The other proposals for the same person."""
    number = aid.proposal.proposal_no
    found = aid_proposals.of_person(connection, aid.proposal.wanted.person_id)
    return [each for each in found if each.proposal.proposal_no != number]


def _alert(connection: Connection, alert_id: str | None, person_id: str) -> AlertRow | None:
    """The alert that leads to an aid for a person. Raises PageRefused for one that is about somebody else."""
    if alert_id is None:
        return None
    found = alert_rows.named(connection, [alert_id]).get(alert_id)
    if found is None or found.person_id != person_id:
        raise not_found()
    return found
