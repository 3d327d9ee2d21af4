"""The claims that are held, as they may be there twice; one of them with what was proposed about its release."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

from starlette.responses import Response

from acts import release_hold
from acts.four_eyes import NotDone
from acts.release_hold import Hold, NotHeld, hold_of
from handlers.claims.twice import as_written
from handlers.words import twice_sentences
from infra.ledger import clearing_proposals, hold_rows
from infra.ledger.hold_rows import HeldClaim
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.clearing_acts import ClearingAct
from web.console.four_eyes_forms import status_of
from web.console.visit import Visit, not_found


def index(visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        held = hold_rows.all_held(connection)
        proposed = {each.subject for each in clearing_proposals.waiting(connection, ClearingAct.HOLD)}
    return visit.page(
        "holds.html",
        held=[(each, _in_short(each), address(each.claim_id), each.claim_id in proposed) for each in held],
        total=sum(each.kept for each in held),
    )


def show(shard_count: int, visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    return _page(shard_count, visit)


def propose(shard_count: int, visit: Visit) -> Response:
    """Proposes to release the claim; a second person approves. What cannot be comes back with the reason why."""
    visit.require(Right.CLEAR)
    claim_id, reason = visit.path_values["claim_id"], visit.reason()
    try:
        with visit.engine.begin() as connection:
            release_hold.propose(connection, claim_id, reason, visit.user, shard_count, visit.now)
    except NotDone as refused:
        return _page(shard_count, visit, refused.why, status_of(refused))
    return visit.redirect(address(claim_id))


def address(claim_id: str) -> str:
    """The page about a claim's hold."""
    return f"/holds/{quote(claim_id, safe='')}"


def _page(shard_count: int, visit: Visit, refused: Saying | None = None, status: int = 200) -> Response:
    claim_id, hold = visit.path_values["claim_id"], None
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        claim = hold_rows.held_claim(connection, claim_id)
        if claim is None:
            raise not_found()
        with suppress(NotHeld):
            hold = hold_of(connection, claim_id, shard_count)
        proposals = clearing_proposals.about(connection, [ClearingAct.HOLD], claim_id)
    return visit.page(
        "hold.html",
        status,
        claim=claim,
        held=hold is not None,
        why=_why(claim),
        others=_others(hold),
        open=[each for each in proposals if each.decision is None],
        decided=[each for each in proposals if each.decision is not None],
        sha256="" if hold is None else hold.digest,
        refused=refused,
        typed={"reason": visit.form.get("reason", "")},
        action=f"/release/{quote(claim_id, safe='')}",
    )


def _why(claim: HeldClaim) -> list[Saying]:
    return [twice_sentences.raised(*each) for each in as_written(claim.twice)]


def _in_short(claim: HeldClaim) -> list[Saying]:
    return [twice_sentences.briefly(*each) for each in as_written(claim.twice)]


def _others(hold: Hold | None) -> list[str]:
    return [] if hold is None else sorted({other for _, _, other in hold.found})
