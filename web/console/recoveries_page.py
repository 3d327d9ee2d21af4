"""Recoveries that are open, by age; one of them with what was proposed about it, set off or waived."""

from __future__ import annotations

from starlette.responses import Response

from acts.four_eyes import NotDone
from acts.settle_recovery import propose as propose_settlement
from handlers.claims.recoveries import NotSettleable
from handlers.words.clearing_sentences import payee_words, payer_words
from infra.ledger import clearing_proposals, payout_states, reads
from infra.ledger.set_off_rows import kept_back_for
from schemas.access.console_rights import Right
from schemas.accounts import payee_of
from schemas.bilingual import Saying
from schemas.clearing_acts import ClearingAct
from schemas.dates import shanghai_date
from schemas.outbound import InstructionKind
from schemas.records import Manner, PayoutRecord, PayoutState
from web.console.clearing_pages import ACTS
from web.console.four_eyes_forms import status_of
from web.console.payables_page import open_by_age
from web.console.visit import PageRefused, Visit, not_found

MANNERS = {Manner.SET_OFF: Saying("抵扣", "set off"), Manner.WAIVED: Saying("已核销", "waived")}
NO_REASON = Saying("请写明理由(至少 4 个字)。", "Give a reason of at least 4 characters.")


def index(visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    return visit.page("recoveries.html", **open_by_age(visit, InstructionKind.RECOVERY))


def show(visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    return _page(visit)


def propose(shard_count: int, visit: Visit) -> Response:
    """Proposes to set the recovery off, or to waive it. What cannot be proposed comes back with the reason why."""
    visit.require(Right.CLEAR)
    payout_id, reason = visit.path_values["payout_id"], visit.given_reason()
    if visit.form.get("manner") not in list(Manner):
        raise PageRefused(422, "请选择抵扣或核销。", "Choose to set off or to waive.")
    if reason is None:
        return _page(visit, NO_REASON, 422)
    manner = Manner(visit.form["manner"])
    _payout(visit)
    try:
        with visit.engine.begin() as connection:
            propose_settlement(connection, payout_id, manner, reason, visit.user, shard_count, visit.now)
    except NotDone as refused:
        return _page(visit, refused.why, status_of(refused))
    except NotSettleable as refused:
        return _page(visit, refused.why, 422)
    return visit.redirect(visit.path.removesuffix("/propose"))


def _page(visit: Visit, refused: Saying | None = None, status: int = 200) -> Response:
    payout = _payout(visit)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        settled = next(iter(reads.settled(connection, [payout.payout_id])), None)
        offs = kept_back_for(connection, payout.payout_id)
        acts = [ClearingAct.SET_OFF, ClearingAct.WAIVER]
        proposals = clearing_proposals.about(connection, acts, payout.payout_id)
    return visit.page(
        "recovery.html",
        status,
        payout=payout,
        settled=settled,
        manner=None if settled is None else MANNERS[Manner(settled.manner)],
        offs=offs,
        days=(shanghai_date(visit.now()) - shanghai_date(payout.instructed_at)).days,
        payer=payer_words(payout.payer),
        payee=payee_words(payee_of(payout.payee_id)),
        open=[each for each in proposals if each.decision is None],
        decided=[each for each in proposals if each.decision is not None],
        acts=ACTS,
        refused=refused,
        typed={"manner": visit.form.get("manner", ""), "reason": visit.form.get("reason", "")},
    )


def _payout(visit: Visit) -> PayoutRecord:
    """The recovery of the address, if it moves money. Raises PageRefused."""
    with visit.engine.connect() as connection:
        found = payout_states.payouts(connection, payout_id=visit.path_values["payout_id"])
    if not found or found[0].kind != InstructionKind.RECOVERY or found[0].state is PayoutState.BOOK:
        raise not_found()
    return found[0]
