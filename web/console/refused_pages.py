"""Refused events: find them by code and facility, view them, correct them, and resend them with a second approval."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from acts.four_eyes import NoProposal, NotDone, OwnProposal, TooLate, Unusable
from acts.propose_replay import approve_replay, propose_replay, reject_replay
from acts.record_operator_acts import record_operator_acts
from handlers.claims.read import Reading, read
from handlers.words.masking import mask_text, masked_event, readable
from infra.ledger import proposals, reads
from infra.ledger.proposals import Proposal
from infra.ledger.refused_events import RefusedEvent, refused_events
from schemas.access.console_rights import ConsoleAct, Right
from schemas.canonical import sha256_hex
from schemas.outbound import AuditKind
from schemas.refusals import RefusalCode
from schemas.topics import EVENT_BYTES_MAX
from web.console.visit import PageRefused, Pages, Visit, not_found, page_number

PAGE_ROWS = 50
SHOWN_CHARACTERS_MAX = 100_000


def index(visit: Visit) -> Response:
    visit.require(Right.REFUSED)
    code, facility = visit.query.get("code", ""), visit.query.get("facility", "")
    waiting = visit.query.get("waiting", "") == "1"
    number = page_number(visit)
    with visit.engine.connect() as connection:
        count, lines = proposals.page(connection, code, facility, waiting, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        facilities = proposals.facilities(connection)
    chosen = {"code": code, "facility": facility, "waiting": "1" if waiting else ""}
    return visit.page(
        "refused.html",
        lines=lines,
        pages=Pages(count, PAGE_ROWS, number),
        codes=[refusal_code.value for refusal_code in RefusalCode],
        facilities=facilities,
        chosen=chosen,
        rest="".join(f"&{urlencode({name: value})}" for name, value in chosen.items() if value),
    )


def show(visit: Visit) -> Response:
    visit.require(Right.REFUSED)
    return _page(visit, None)


def reveal(visit: Visit) -> Response:
    """The same page with the unmasked bytes, for correction. The audit log records who looked, at what, and why."""
    visit.require(Right.REFUSED)
    visit.require(Right.UNMASK)
    return _page(visit, visit.reason())


def propose(visit: Visit) -> Response:
    """Proposes to resend the event, corrected or unchanged. The event keeps its id."""
    visit.require(Right.REPLAY)
    number, reason = visit.number("number"), visit.reason()
    value = None
    if "value" in visit.form:
        value = visit.form["value"].replace("\r\n", "\n").strip().encode("utf-8", "replace")
    with _said(), visit.engine.begin() as connection:
        propose_replay(connection, number, value, reason, visit.user, visit.now)
    return visit.redirect(f"/refused/{number}")


def approve(shard_count: int, visit: Visit) -> Response:
    """A second person approves: the event is resent and the proposal closed in one transaction."""
    visit.require(Right.REPLAY)
    with _said(), visit.engine.begin() as connection:
        proposal = approve_replay(connection, visit.number("number"), visit.user, shard_count, visit.now)
    return visit.redirect(f"/refused/{proposal.event_no}")


def reject(visit: Visit) -> Response:
    """A second person rejects the proposal; another one can be made."""
    visit.require(Right.REPLAY)
    reason = visit.reason()
    with _said(), visit.engine.begin() as connection:
        proposal = reject_replay(connection, visit.number("number"), reason, visit.user, visit.now)
    return visit.redirect(f"/refused/{proposal.event_no}")


STATUSES = {Unusable: 422, NoProposal: 404, TooLate: 409, OwnProposal: 403}


@contextmanager
def _said() -> Iterator[None]:
    """Shows the reason why something was not proposed, approved or rejected."""
    try:
        yield
    except NotDone as refused:
        raise PageRefused(STATUSES[type(refused)], *refused.why) from None


def _page(visit: Visit, reason: str | None) -> Response:
    number = visit.number("number")
    with visit.engine.begin() as connection:
        event = _event(connection, number)
        if reason is None:
            visit.note_view(connection, "refused", refused_no=str(number))
        else:
            subject = {"page": "refused", "refused_no": str(number)}
            act = ConsoleAct(AuditKind.PERSONAL_UNMASKED.value, visit.user, subject | {"reason": mask_text(reason)})
            record_operator_acts(connection, visit.now, [act])
        all_proposals = proposals.of_event(connection, number)
        outcomes = {
            proposal.proposal_no: _outcome(connection, event, proposal)
            for proposal in all_proposals
            if proposal.decision == "approved"
        }
    value = event.value or b""
    clear = reason is not None
    open_ = next((proposal for proposal in all_proposals if proposal.decision is None), None)
    return visit.page(
        "refused_event.html",
        event=event,
        clear=clear,
        shown=_shown(value, clear),
        sha256=sha256_hex(value),
        size=len(value),
        text=(readable(value) or value.decode("utf-8", "replace")) if clear else "",
        decodable=_decodable(value),
        proposals=all_proposals,
        open=open_,
        changed=_changed(value, open_, clear) if open_ is not None else [],
        outcomes=outcomes,
    )


def _event(connection: Connection, number: int) -> RefusedEvent:
    events = refused_events(connection, numbers=[number])
    if not events:
        raise not_found()
    return events[0]._replace(value=None if events[0].value is None else bytes(events[0].value))


def _outcome(connection: Connection, event: RefusedEvent, proposal: Proposal) -> str:
    """Whether the ledger has accepted the resent event yet."""
    value = proposal.value if proposal.value is not None else event.value or b""
    reading = read(value)
    if not isinstance(reading, Reading):
        return "sent"
    _, versions = reads.lines(connection, [reading.fact.subject])
    accepted = any(version.content_sha256 == reading.content_sha256 for version in versions)
    return "accepted" if accepted else "sent"


def _shown(value: bytes, clear: bool) -> str | None:
    """The event as text, masked unless ``clear``; None if it cannot be masked."""
    if not clear:
        covered = masked_event(value[:EVENT_BYTES_MAX])
        return None if covered is None else covered[:SHOWN_CHARACTERS_MAX]
    return (readable(value) or value.decode("utf-8", "backslashreplace"))[:SHOWN_CHARACTERS_MAX]


def _changed(value: bytes, proposal: Proposal, clear: bool) -> list[tuple[str, str, str]]:
    """Each field that the proposal changes: name, before, after; masked unless ``clear``."""
    if proposal.value is None:
        return []
    before, after = _lines(readable(value)), _lines(readable(proposal.value))
    covered = [_lines(masked_event(each)) for each in (value, proposal.value)]
    shown = (before, after) if clear else (covered[0], covered[1])
    return [
        (name, shown[0].get(name, "–"), shown[1].get(name, "–"))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _lines(text: str | None) -> dict[str, str]:
    """The members of an indented JSON object, values as they are written; empty if there is no object."""
    members: dict[str, str] = {}
    for part in re.split(r",?\n  (?=\")", (text or "").removesuffix("\n}"))[1:]:
        name, _, value = part.partition(": ")
        members[json.loads(name)] = value
    return members


def _decodable(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
