"""Refused events: find them by code and facility, view them, correct them, and resend them with a second approval."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from acts.four_eyes import NotDone
from acts.propose_replay import approve_replay, propose_replay, reject_replay
from acts.record_operator_acts import record_operator_acts
from handlers.claims.correction import mistakes
from handlers.claims.read import Reading, read
from handlers.words.masking import mask_text, masked_event, readable
from infra.ledger import proposals, reads, refused_list
from infra.ledger.proposals import Proposal
from infra.ledger.refused_events import RefusedEvent, refused_events
from infra.ledger.refused_list import RefusedFilter
from schemas.access.console_rights import ConsoleAct, Right
from schemas.bilingual import Saying
from schemas.canonical import sha256_hex
from schemas.outbound import AuditKind
from schemas.refusals import RefusalCode, RefusedState
from schemas.topics import EVENT_BYTES_MAX
from web.console.four_eyes_forms import said, status_of
from web.console.visit import Pages, Visit, not_found, page_number

PAGE_ROWS = 50
CLEAR = "clear"
CLEAR_MAX = timedelta(minutes=30)
"""How long a reason for looking at unmasked bytes holds, for the session that gave it."""
FILTERS = {
    "unfinished": Saying("未完成", "not done"),
    "open": Saying("待处理", "open"),
    "mine": Saying("等我批准", "waiting for my approval"),
    "waiting": Saying("等待批准或接收", "waiting"),
    "done": Saying("已完成", "done"),
}
NO_REASON = ("reason", Saying("请写明理由(至少 4 个字)。", "Give a reason of at least 4 characters."))
SHOWN_CHARACTERS_MAX = 100_000


def index(visit: Visit) -> Response:
    visit.require(Right.REFUSED)
    fields = {name: visit.query.get(name, "") for name in ("code", "facility", "state")}
    chosen, number = RefusedFilter(**fields, user=visit.user), page_number(visit)
    with visit.engine.connect() as connection:
        count, lines = refused_list.page(connection, chosen, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        facilities = refused_list.facilities(connection)
    return visit.page(
        "refused.html",
        lines=lines,
        pages=Pages(count, PAGE_ROWS, number),
        codes=[refusal_code.value for refusal_code in RefusalCode],
        facilities=facilities,
        filters=FILTERS,
        chosen=chosen,
        rest="".join(f"&{urlencode({name: value})}" for name, value in fields.items() if value),
    )


def show(visit: Visit) -> Response:
    visit.require(Right.REFUSED)
    return _page(visit, None)


def reveal(visit: Visit) -> Response:
    """Leads to the same page with the unmasked bytes, which a browser can then go back to."""
    visit.require(Right.REFUSED)
    visit.require(Right.UNMASK)
    reason = visit.given_reason()
    if reason is None:
        return _page(visit, None, Typed([NO_REASON]))
    number = visit.number("number")
    pass_ = [str(number), reason, visit.now().isoformat(), sha256_hex(visit.csrf.encode())]
    return visit.redirect(f"/refused/{number}/clear/{visit.keys.token(json.dumps(pass_), CLEAR)}")


def show_clear(visit: Visit) -> Response:
    """The page with the unmasked bytes, for whom gave a reason a while ago. The audit log records every look."""
    visit.require(Right.REFUSED)
    visit.require(Right.UNMASK)
    number, reason, given_at, session = json.loads(visit.untoken(visit.path_values["token"], CLEAR))
    own = session == sha256_hex(visit.csrf.encode()) and number == visit.path_values["number"]
    if not own or visit.now() - datetime.fromisoformat(given_at) > CLEAR_MAX:
        return visit.redirect(f"/refused/{visit.number('number')}")
    return _page(visit, reason)


def propose(visit: Visit) -> Response:
    """Proposes to resend the event, corrected or unchanged. The event keeps its id.

    What cannot be proposed comes back in its field, with all that is wrong with it.
    """
    visit.require(Right.REPLAY)
    number, reason = visit.number("number"), visit.given_reason()
    text = visit.form["value"].replace("\r\n", "\n").strip() if "value" in visit.form else None
    value = None if text is None else text.encode("utf-8", "replace")
    wrong = [] if reason is not None else [NO_REASON]
    with visit.engine.connect() as connection:
        event = _event(connection, number)
    if value is not None:
        wrong = mistakes(event.value or b"", value, visit.now()) + wrong
    if wrong or reason is None:
        return _page(visit, None, Typed(wrong, text, visit.form.get("reason", "")))
    try:
        with visit.engine.begin() as connection:
            propose_replay(connection, number, value, reason, visit.user, visit.now)
    except NotDone as refused:
        return _page(visit, None, Typed([("", refused.why)], text, reason, status_of(refused)))
    return visit.redirect(f"/refused/{number}")


def approve(shard_count: int, visit: Visit) -> Response:
    """A second person approves: the event is resent and the proposal closed in one transaction."""
    visit.require(Right.REPLAY)
    with said(), visit.engine.begin() as connection:
        proposal = approve_replay(connection, visit.number("number"), visit.user, shard_count, visit.now)
    return visit.redirect(f"/refused/{proposal.event_no}")


def reject(visit: Visit) -> Response:
    """A second person rejects the proposal; another one can be made."""
    visit.require(Right.REPLAY)
    reason = visit.reason()
    with said(), visit.engine.begin() as connection:
        proposal = reject_replay(connection, visit.number("number"), reason, visit.user, visit.now)
    return visit.redirect(f"/refused/{proposal.event_no}")


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed that could not be taken. ``wrong``: a JSON pointer or field each, and what is wrong there."""

    wrong: list[tuple[str, Saying]]
    value: str | None = None
    reason: str = ""
    status: int = 422


def _page(visit: Visit, reason: str | None, typed: Typed | None = None) -> Response:
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
        answered = refused_list.answered(connection, number)
        outcomes = {
            proposal.proposal_no: _outcome(connection, event, proposal)
            for proposal in all_proposals
            if proposal.decision == "approved"
        }
    value = event.value or b""
    clear = reason is not None
    accepted = "accepted" in outcomes.values()
    state = RefusedState.DONE if answered.state is RefusedState.SENT and accepted else answered.state
    text = (readable(value) or value.decode("utf-8", "replace")) if clear else ""
    open_ = next((proposal for proposal in all_proposals if proposal.decision is None), None)
    return visit.page(
        "refused_event.html",
        200 if typed is None else typed.status,
        event=event,
        state=state,
        again_no=answered.again_no,
        typed=typed or Typed([]),
        clear=clear,
        shown=_shown(value, clear),
        sha256=sha256_hex(value),
        size=len(value),
        correctable=(clear and _decodable(value)) or (typed is not None and typed.value is not None),
        text=text if typed is None or typed.value is None else typed.value,
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
