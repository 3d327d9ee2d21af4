"""Payouts that failed: which of them can be ordered again, why each failed, and ordering one by two people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response

from acts.four_eyes import NotDone, TooLate
from acts.propose_reissue import approve_reissue, propose_reissue, reject_reissue
from acts.reissue_payout import check_reissue
from handlers.claims.payout_reports import NotReissuable
from handlers.claims.read import recall
from handlers.words.clearing_sentences import payee_words, payer_words
from infra.ledger import failed_payouts, payout_states, reissue_proposals
from schemas.access.console_rights import Right
from schemas.accounts import payee_of
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.facts import PayoutReported
from schemas.records import PayoutRecord
from web.console.four_eyes_forms import said, status_of
from web.console.timeline_sentences import told_reason
from web.console.visit import PageRefused, Pages, Visit, not_found, page_number

PAGE_ROWS = 50
NO_REASON = Saying("请写明理由(至少 4 个字)。", "Give a reason of at least 4 characters.")
CHANGED = Saying(
    "可以重新下达的金额或这笔支付的报告与您看到的不同,没有办理。请重新查看后再批准。",
    "The amount that can be ordered, or what is reported about the payout, is not what you saw, and nothing was done. "
    "Look again before you approve.",
)


def index(visit: Visit) -> Response:
    """What failed and can be ordered again, the oldest failure first."""
    visit.require(Right.BOOKS)
    number = page_number(visit)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        count, rows = failed_payouts.page(connection, PAGE_ROWS, (number - 1) * PAGE_ROWS)
    today = shanghai_date(visit.now())
    return visit.page(
        "reissues.html",
        rows=[(row, address(row.payout_id), (today - shanghai_date(row.failed_at)).days) for row in rows],
        pages=Pages(count, PAGE_ROWS, number),
    )


def show(shard_count: int, visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    return _page(shard_count, visit)


def propose(shard_count: int, visit: Visit) -> Response:
    """Proposes to order the payout again; a second person approves. What cannot be comes back with the reason why."""
    visit.require(Right.REISSUE)
    reason, payout = visit.given_reason(), _payout(visit)
    if reason is None:
        return _page(shard_count, visit, NO_REASON, 422)
    try:
        with visit.engine.begin() as connection:
            propose_reissue(connection, payout.payout_id, reason, visit.user, shard_count, visit.now)
    except NotDone as refused:
        return _page(shard_count, visit, refused.why, status_of(refused))
    except NotReissuable as refused:
        return _page(shard_count, visit, refused.why, 422)
    return visit.redirect(address(payout.payout_id))


def approve(shard_count: int, visit: Visit) -> Response:
    """A second person approves: what they saw is ordered, or nothing."""
    visit.require(Right.REISSUE)
    with _said(), visit.engine.begin() as connection:
        done = approve_reissue(connection, visit.number("number"), visit.user, shard_count, visit.now)
        ordered = payout_states.payouts(connection, payout_id=done.payout_id)[0]
        failed = payout_states.payouts(connection, payout_id=str(ordered.reissue_of))[0]
        if visit.form.get("expected") != _expected(done.amount, failed, _strays(connection, failed)):
            raise TooLate(CHANGED)
    return visit.redirect(address(done.payout_id))


def reject(visit: Visit) -> Response:
    """A second person rejects; another proposal can be made."""
    visit.require(Right.REISSUE)
    reason = visit.reason()
    with said(), visit.engine.begin() as connection:
        proposal = reject_reissue(connection, visit.number("number"), reason, visit.user, visit.now)
    return visit.redirect(address(proposal.payout_id))


def address(payout_id: str) -> str:
    """The page about ordering a payout again."""
    return f"/reissues/{quote(payout_id, safe='')}"


def _page(shard_count: int, visit: Visit, refused: Saying | None = None, status: int = 200) -> Response:
    payout = _payout(visit)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        amount, why_not = 0, None
        try:
            amount = check_reissue(connection, payout.payout_id, shard_count)
        except NotReissuable as cannot:
            why_not = cannot.why
        report = failed_payouts.report_of(connection, payout.payout_id)
        strays = _strays(connection, payout)
        proposals = reissue_proposals.about(connection, payout.payout_id)
    told = None if report is None else recall(report)
    return visit.page(
        "reissue.html",
        status,
        payout=payout,
        amount=amount,
        expected=_expected(amount, payout, strays),
        doubtful=bool(payout.contradictions or strays),
        why_not=why_not,
        why_failed=told_reason(told, clear=False) if isinstance(told, PayoutReported) else None,
        payer=payer_words(payout.payer),
        payee=payee_words(payee_of(payout.payee_id)),
        open=[each for each in proposals if each.decision is None],
        decided=[each for each in proposals if each.decision is not None],
        action=f"{address(payout.payout_id)}/propose",
        refused=refused,
        typed=visit.form.get("reason", ""),
    )


def _strays(connection: Connection, payout: PayoutRecord) -> int:
    """How many reports name the payout but another person."""
    return sum(each.reports for each in payout_states.unmatched(connection, payout_id=payout.payout_id))


def _expected(amount: int, payout: PayoutRecord, strays: int) -> str:
    """What an approver has seen: the amount in fen, and how many reports there were. One more makes it another."""
    return f"{amount}.{payout.reports}.{strays}"


def _payout(visit: Visit) -> PayoutRecord:
    """The payout of the address. Raises PageRefused."""
    with visit.engine.connect() as connection:
        found = payout_states.payouts(connection, payout_id=visit.path_values["payout_id"])
    if not found:
        raise not_found()
    return found[0]


@contextmanager
def _said() -> Iterator[None]:
    """Shows why something was not approved, also when the payout can no longer be ordered again."""
    try:
        with said():
            yield
    except NotReissuable as refused:
        raise PageRefused(422, *refused.why) from None
