"""What waits for a second person: statements, months and pools' years, recoveries, and claims that are held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response

from acts import release_hold
from acts.four_eyes import TooLate
from acts.propose_closing import approve_closing, reject_closing
from acts.propose_pool_year import approve_pool_year, digest_of, reject_pool_year
from acts.propose_statement import approve_statement, reject_statement
from acts.settle_recovery import approve as approve_recovery
from acts.settle_recovery import reject as reject_recovery
from handlers.claims.recoveries import NotSettleable
from infra.ledger import clearing_proposals
from infra.ledger.clearing_proposals import ClearingProposal
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.clearing_acts import ClearingAct
from schemas.months import format_month
from web.console import holds_page
from web.console.four_eyes_forms import said
from web.console.visit import PageRefused, Visit, not_found

ACTS = {
    ClearingAct.STATEMENT: Saying("签发对账单", "issue statements"),
    ClearingAct.CLOSING: Saying("结账", "close a month"),
    ClearingAct.POOL_YEAR: Saying("资金池年度结算", "close a pool's year"),
    ClearingAct.SET_OFF: Saying("抵扣", "set off a recovery"),
    ClearingAct.WAIVER: Saying("核销", "waive a recovery"),
    ClearingAct.HOLD: Saying("解除暂缓", "release a held claim"),
}


def index(visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    with visit.engine.connect() as connection:
        waiting = clearing_proposals.waiting(connection)
    listed = [(each, ACTS[each.act], *about_and_page(each.act, each.subject, each.month)) for each in waiting]
    return visit.page("clearing.html", proposals=listed)


def approve(shard_count: int, visit: Visit) -> Response:
    """A second person approves: what was proposed is done, and the proposal closed, in one transaction."""
    visit.require(Right.CLEAR)
    with _said(), visit.engine.begin() as connection:
        proposal = _proposal(connection, visit)
        place = (connection, proposal.proposal_no, visit.user, shard_count, visit.now)
        if proposal.act is ClearingAct.CLOSING:
            closed = approve_closing(*place)
            if visit.form.get("sha256") != closed.sha256:
                raise TooLate(_CHANGED)
        elif proposal.act is ClearingAct.STATEMENT:
            made = approve_statement(*place)
            if visit.form.get("sha256") != made[0].lines_sha256:
                raise TooLate(_CHANGED)
        elif proposal.act is ClearingAct.POOL_YEAR:
            if visit.form.get("sha256") != digest_of(approve_pool_year(*place)):
                raise TooLate(_CHANGED)
        elif proposal.act is ClearingAct.HOLD:
            release_hold.approve(*place, visit.form.get("sha256", ""))
        else:
            approve_recovery(*place)
    return visit.redirect(_page_of(proposal))


def reject(visit: Visit) -> Response:
    """A second person rejects the proposal; another one can be made."""
    visit.require(Right.CLEAR)
    reason = visit.reason()
    with said(), visit.engine.begin() as connection:
        proposal = _proposal(connection, visit)
        place = (connection, proposal.proposal_no, reason, visit.user, visit.now)
        if proposal.act is ClearingAct.CLOSING:
            reject_closing(*place)
        elif proposal.act is ClearingAct.STATEMENT:
            reject_statement(*place)
        elif proposal.act is ClearingAct.POOL_YEAR:
            reject_pool_year(*place)
        elif proposal.act is ClearingAct.HOLD:
            release_hold.reject(*place)
        else:
            reject_recovery(*place)
    return visit.redirect(_page_of(proposal))


def about_and_page(act: ClearingAct, subject: str, month: date | None) -> tuple[str, str]:
    """What a proposal is about, and the page on which it is decided."""
    when = "" if month is None else format_month(month)
    if act is ClearingAct.CLOSING:
        return when, f"/books?month={when}"
    name = quote(subject, safe="")
    if act is ClearingAct.STATEMENT:
        return f"{subject} {when}", f"/statements/of/{name}"
    if act is ClearingAct.POOL_YEAR:
        return f"{subject} {when[:4]}", f"/pools/{name}"
    return subject, holds_page.address(subject) if act is ClearingAct.HOLD else f"/recoveries/{name}"


def _page_of(proposal: ClearingProposal) -> str:
    return about_and_page(proposal.act, proposal.subject, proposal.month)[1]


def _proposal(connection: Connection, visit: Visit) -> ClearingProposal:
    proposal = clearing_proposals.find(connection, visit.number("number"))
    if proposal is None:
        raise not_found()
    return proposal


@contextmanager
def _said() -> Iterator[None]:
    """Shows why something was not approved, also when a recovery can no longer be settled."""
    try:
        with said():
            yield
    except NotSettleable as refused:
        raise PageRefused(422, *refused.why) from None


_CHANGED = Saying(
    "余额表、明细或金额与您看到的不同,没有办理。请重新查看后再批准。",
    "The balance, the lines or the amounts are not those that you saw, and nothing was done. Look again before you "
    "approve.",
)
