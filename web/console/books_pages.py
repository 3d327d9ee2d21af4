"""The books: the trial balance of a month, its closing, and the lines under each account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from acts.book_balances import balance_of, open_month
from acts.four_eyes import NotDone
from acts.propose_closing import propose_closing
from handlers.books.trial_balance import BalanceLine, TrialBalance, read_trial_balance, trial_balance_bytes
from handlers.words.book_sentences import account_title, in_listed_order, movement
from infra.ledger import account_lines, book_rows, clearing_proposals
from infra.ledger.account_lines import LinePosition
from schemas.access.console_rights import Right
from schemas.accounts import read_account
from schemas.bilingual import SaidError, Saying
from schemas.books import ClosedMonth
from schemas.canonical import sha256_hex
from schemas.clearing_acts import ClearingAct
from schemas.dates import shanghai_date
from schemas.months import format_month, month_end, month_of, parse_month
from web.console.four_eyes_forms import status_of
from web.console.visit import Visit, not_found

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class AccountShown:
    """An account in a month, and where its lines are."""

    line: BalanceLine
    title: Saying
    link: str


def index(visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    return _page(visit)


def propose(visit: Visit) -> Response:
    """Proposes to close a month; a second person approves."""
    visit.require(Right.CLEAR)
    month = _month(visit.form.get("month", ""))
    try:
        with visit.engine.begin() as connection:
            propose_closing(connection, month, visit.reason(), visit.user, visit.now)
    except NotDone as refused:
        return _page(visit, month, refused)
    return visit.redirect(f"/books?month={format_month(month)}")


def journal(visit: Visit) -> Response:
    """What was booked to an account in a month: the lines under a figure of the trial balance."""
    visit.require(Right.BOOKS)
    month, account = _month(visit.query.get("month", "")), visit.query.get("account", "")
    try:
        read_account(account)
        fields = [int(each) for each in visit.query["after"].split(".")] if "after" in visit.query else None
        after = None if fields is None else LinePosition(*fields)
    except (ValueError, TypeError):
        raise not_found() from None
    if after is not None and not (after.event_no < 2**63 and after.entry < 2**31 and after.leg < 2**15):
        raise not_found()
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        balance, closed = _balance(connection, month)
        lines = account_lines.lines_of(connection, account, month, after, PAGE_ROWS + 1)
    line = next((each for each in balance.lines if each.account == account), None)
    if line is None:
        raise not_found()
    shown = lines[:PAGE_ROWS]
    following = None
    if len(lines) > PAGE_ROWS:
        following = _address(account, month) + "&" + urlencode({"after": ".".join(map(str, shown[-1].position))})
    return visit.page(
        "account_lines.html",
        line=line,
        title=account_title(account),
        month=format_month(month),
        closed=closed,
        lines=[(each, movement(each.entry), _concerns(each.entry.concerns)) for each in shown],
        first=_address(account, month),
        next=following,
        later=after is not None,
    )


def _page(visit: Visit, asked: date | None = None, refused: NotDone | None = None) -> Response:
    today = shanghai_date(visit.now())
    if asked is None and "month" in visit.query:
        asked = _month(visit.query["month"])
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        following = open_month(connection)
        months = _months(connection, following, month_of(today))
        month = asked or (following if following in months else months[0] if months else month_of(today))
        balance, closed = _balance(connection, month)
        proposals = clearing_proposals.waiting(connection, ClearingAct.CLOSING)
    ended = visit.now() >= month_end(month)
    return visit.page(
        "books.html",
        200 if refused is None else status_of(refused),
        months=[format_month(each) for each in months],
        month=format_month(month),
        balance=balance,
        accounts=[
            AccountShown(line, account_title(line.account), _address(line.account, month))
            for line in sorted(balance.lines, key=lambda line: in_listed_order(line.account))
        ],
        closed=closed,
        sha256=sha256_hex(trial_balance_bytes(balance)) if closed is None else closed.sha256,
        closable=closed is None and month == following and ended,
        following=None if following is None else format_month(following),
        proposal=next((each for each in proposals if each.month == month), None),
        refused=refused,
        typed=visit.form.get("reason", ""),
    )


def _months(connection: Connection, following: date | None, last: date) -> list[date]:
    """The months of the books, newest first: those that were closed, and those since, up to this month."""
    if following is None:
        return []
    months = [last]
    while months[-1] > following:
        months.append(month_of(months[-1] - timedelta(days=1)))
    return months + [each for each in reversed(book_rows.closed_months(connection)) if each < months[-1]]


def _balance(connection: Connection, month: date) -> tuple[TrialBalance, ClosedMonth | None]:
    """The trial balance that was kept when a month was closed; that of an open one is added up from its postings."""
    closed = book_rows.closed_months(connection).get(month)
    if closed is not None:
        return read_trial_balance(closed.trial_balance), closed
    return balance_of(connection, month), None


def _month(text: str) -> date:
    try:
        return parse_month(text)
    except SaidError:
        raise not_found() from None


def _address(account: str, month: date) -> str:
    return f"/books/journal?{urlencode({'account': account, 'month': format_month(month)})}"


def _concerns(month: date | None) -> str:
    return "" if month is None else format_month(month)
