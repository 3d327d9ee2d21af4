"""What waits for the user: proposals, failed payouts, disputed statements, refused events and alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response

from acts.answered_statements import given_answers
from acts.issued_statements import issued_statement
from handlers.words import alert_sentences, payout_sentences
from infra.ledger import alert_lists, failed_payouts, refused_list, waiting_proposals
from infra.ledger.waiting_proposals import ProposalKind, WaitingProposal
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.facts import AnswerVerdict
from schemas.months import format_month
from web.console import clearing_pages, reissue_pages
from web.console.visit import Visit

ROWS = 10
"""So many lines of a group are shown; the rest is on the page that lists them all."""
DECIDES = {
    ProposalKind.REPLAY: Right.REPLAY,
    ProposalKind.REISSUE: Right.REISSUE,
    ProposalKind.AID: Right.AID,
    ProposalKind.CLEARING: Right.CLEAR,
}
"""The right that whoever proposes and whoever decides has."""
TITLES = {
    ProposalKind.REPLAY: Saying("拒收事件重发,等待您批准", "Refused events to send again, for your approval"),
    ProposalKind.REISSUE: Saying("支付重新下达,等待您批准", "Failed payouts to order again, for your approval"),
    ProposalKind.AID: Saying("临时救助,等待您批准", "Temporary aid, for your approval"),
    ProposalKind.CLEARING: Saying(
        "对账单、账簿、资金池、收回款项、暂缓支付,等待您批准",
        "Statements, books, pools, recoveries and held claims, for your approval",
    ),
}
ALL = {
    ProposalKind.REPLAY: "/refused?state=mine",
    ProposalKind.REISSUE: "/reissues",
    ProposalKind.AID: "/aids",
    ProposalKind.CLEARING: "/clearing",
}
REPLAY = Saying("重发拒收事件", "send a refused event again")
REISSUE = Saying("重新下达支付", "order a failed payout again")
GRANT = Saying("临时救助", "temporary aid")
DISPUTED = Saying("对账单有异议", "statement disputed")


class WorkLine(NamedTuple):
    """Something to do: ``about`` what, ``by`` whom it is (who proposed, took or answered; empty: nobody), how many fen,
    and where it is done."""

    what: Saying
    about: str
    by: str
    amount: int | None
    since: datetime
    link: str


class WorkGroup(NamedTuple):
    """Lines of one kind, the oldest first. There are ``total`` of them, listed on the page ``all``, if one has them."""

    title: Saying
    total: int
    lines: list[WorkLine]
    all: str | None


def show(visit: Visit) -> Response:
    visit.require(Right.WORK)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        groups = [group for group in _groups(visit, connection) if group.total]
        own = _own(visit, connection)
    return visit.page("work.html", groups=groups, own=own, today=shanghai_date(visit.now()), day_of=shanghai_date)


def _groups(visit: Visit, connection: Connection) -> Iterator[WorkGroup]:
    """What the user may act on, also the kinds of which there is nothing."""
    for kind, title in TITLES.items():
        if visit.may(DECIDES[kind]):
            count, proposals = waiting_proposals.for_user(connection, kind, visit.user, ROWS)
            yield WorkGroup(title, count, [_line(each) for each in proposals], ALL[kind])
    if visit.may(Right.REISSUE):
        yield _failed(connection)
    if visit.may(Right.CLEAR):
        yield _disputed(connection)
    if visit.may(Right.REPLAY):
        yield _refused(connection)
    if visit.may(Right.ALERTS):
        yield _alerts(visit, connection)


def _own(visit: Visit, connection: Connection) -> WorkGroup:
    """What the user proposed: somebody else has to decide."""
    kinds = [kind for kind, right in DECIDES.items() if visit.may(right)]
    count, proposals = waiting_proposals.of_user(connection, kinds, visit.user, ROWS)
    title = Saying("您提出的,等待另一个人批准", "What you proposed, for somebody else to approve")
    return WorkGroup(title, count, [_line(each) for each in proposals], None)


def _line(each: WaitingProposal) -> WorkLine:
    if each.kind is ProposalKind.REPLAY:
        what, about, link = REPLAY, f"#{each.subject}", f"/refused/{each.subject}"
    elif each.kind is ProposalKind.REISSUE:
        what, about, link = REISSUE, each.subject, reissue_pages.address(each.subject)
    elif each.kind is ProposalKind.AID:
        what, about, link = GRANT, each.subject, f"/aids/{each.proposal_no}"
    else:
        assert each.act is not None, "a proposal of the clearing has an act"
        what = clearing_pages.ACTS[each.act]
        about, link = clearing_pages.about_and_page(each.act, each.subject, each.month)
    return WorkLine(what, about, each.proposed_by, each.amount, each.proposed_at, link)


def _failed(connection: Connection) -> WorkGroup:
    count, rows = failed_payouts.page(connection, ROWS, proposed=False)
    lines = [
        WorkLine(
            payout_sentences.STATES[row.state],
            f"{row.claim_id} · {row.scheme_id}",
            "",
            row.amount,
            row.failed_at,
            reissue_pages.address(row.payout_id),
        )
        for row in rows
    ]
    return WorkGroup(Saying("未到账、待重新下达的支付", "Failed payouts to order again"), count, lines, "/reissues")


def _disputed(connection: Connection) -> WorkGroup:
    """Statements whose newest answer disputes them; the amount is what the insurer bears by them."""
    disputed = [
        each
        for each in given_answers(connection)
        if each.matched and not each.replaced and each.fact.verdict is AnswerVerdict.DISPUTED
    ]
    lines = []
    for each in disputed[:ROWS]:
        statement = issued_statement(connection, each.kept.statement_id)
        about = f"{statement.treaty_id} {format_month(statement.month)}"
        amount, link = statement.part + statement.part_of_cession, f"/statements/{quote(statement.statement_id)}"
        lines.append(WorkLine(DISPUTED, about, statement.insurer, amount, each.kept.recorded_at, link))
    return WorkGroup(Saying("有异议的对账单", "Disputed statements"), len(disputed), lines, "/statements")


def _refused(connection: Connection) -> WorkGroup:
    count, rows = refused_list.to_correct(connection, ROWS)
    lines = [
        WorkLine(
            Saying(row.code, row.code),
            f"{row.event_type} #{row.event_no}".strip(),
            row.facility_id,
            None,
            row.recorded_at,
            f"/refused/{row.event_no}",
        )
        for row in rows
    ]
    return WorkGroup(Saying("待更正的拒收事件", "Refused events to correct"), count, lines, "/refused?state=open")


def _alerts(visit: Visit, connection: Connection) -> WorkGroup:
    """What nobody has taken, and what the user has."""
    count, rows = alert_lists.to_do(connection, visit.user, ROWS)
    lines = [
        WorkLine(
            alert_sentences.title(row),
            row.claim_id or row.pool_id or "–",
            row.taken_by or "",
            None,
            row.raised_at,
            f"/alerts/{quote(row.alert_id)}",
        )
        for row in rows
    ]
    return WorkGroup(
        Saying("提醒,无人接手或由您处理中", "Alerts that nobody took, or you did"), count, lines, "/alerts"
    )
