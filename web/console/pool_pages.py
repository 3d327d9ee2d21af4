"""Pools of money: what each has and who waits for it; one of them by month, and the closing of its years."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from acts.close_pool_year import NotClosableYear, YearClosing, preview_year
from acts.four_eyes import NotDone
from acts.pool_account import PoolAccount, pool_account
from acts.propose_pool_year import digest_of, propose_pool_year
from handlers.claims.restrictions import schemes_of
from handlers.words import pool_sentences
from infra.ledger import clearing_proposals, pool_figures
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.clearing_acts import ClearingAct
from schemas.dates import shanghai_date
from schemas.facts import ContributionKind, OnShortage
from schemas.months import format_month
from schemas.outbound import AlertCode
from web.console import charts
from web.console.four_eyes_forms import status_of
from web.console.visit import PageRefused, Visit, not_found

CHART_MONTHS = 24
"""The chart shows so many of the newest months."""


def index(visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        pools = pool_figures.all_pools(connection)
    return visit.page(
        "pools.html",
        pools=[(each, _address(each.pool_id)) for each in pools],
        title_of=pool_sentences.title_words,
        rule_of=pool_sentences.rule_words,
        alert_of=_alert_words,
    )


def show(visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    return _page(visit)


def propose(visit: Visit) -> Response:
    """Proposes to close the pool's year; a second person approves. What cannot be comes back with the reason why."""
    visit.require(Right.CLEAR)
    pool_id, text = visit.path_values["pool_id"], visit.form.get("year", "")
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise PageRefused(422, "请填写四位数的年度。", "Give the year as four digits.")
    try:
        with visit.engine.begin() as connection:
            propose_pool_year(connection, pool_id, int(text), visit.reason(), visit.user, visit.now)
    except NotDone as refused:
        return _page(visit, refused.why, status_of(refused))
    return visit.redirect(_address(pool_id))


def _page(visit: Visit, refused: Saying | None = None, status: int = 200) -> Response:
    pool_id, today = visit.path_values["pool_id"], shanghai_date(visit.now())
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        account = pool_account(connection, pool_id, today)
        if account is None:
            raise not_found()
        proposals = clearing_proposals.about(connection, [ClearingAct.POOL_YEAR], pool_id)
        proposal = next((each for each in proposals if each.decision is None), None)
        year = None if proposal is None or proposal.month is None else proposal.month.year
        closing = None if year is None else _closing(connection, pool_id, year, today)
    row = account.figures.row
    return visit.page(
        "pool.html",
        status,
        account=account,
        figures=account.figures,
        title=pool_sentences.title_words(row),
        rule=None if row is None else pool_sentences.RULES[OnShortage(row.on_shortage)],
        rule_name=pool_sentences.rule_words(row),
        alerts=[_alert_words(code) for code in account.figures.alerts],
        cover=pool_sentences.cover_words(account.cover),
        kinds=[
            (pool_sentences.CONTRIBUTION_KINDS[kind], account.by_kind[kind])
            for kind in ContributionKind
            if kind in account.by_kind
        ],
        kind_names={kind.value: name for kind, name in pool_sentences.CONTRIBUTION_KINDS.items()},
        sums=[(pool_sentences.restriction_words(schemes_of(each.restriction)), each) for each in account.sums],
        restricted=pool_sentences.restriction_words,
        months=[(format_month(each.month), each) for each in account.months],
        chart=_chart(visit, account),
        waiting=[(pool_sentences.position_words(each), each) for each in account.waiting],
        yearly=row is not None and row.on_shortage == OnShortage.PRO_RATA,
        proposal=proposal,
        proposed_year=year,
        closing=closing if isinstance(closing, YearClosing) else None,
        not_closable=closing if isinstance(closing, Saying) else None,
        sha256=digest_of(closing) if isinstance(closing, YearClosing) else "",
        refused=refused,
        typed={"year": visit.form.get("year", str(today.year - 1)), "reason": visit.form.get("reason", "")},
        action=f"/close-year/{quote(pool_id, safe='')}",
    )


def _closing(connection: Connection, pool_id: str, year: int, today: date) -> YearClosing | Saying:
    """What the proposed closing would do now, or why it cannot be done any more."""
    try:
        return preview_year(connection, pool_id, year, today)
    except NotClosableYear as refused:
        return refused.why


def _chart(visit: Visit, account: PoolAccount) -> Markup | None:
    months = account.months[-CHART_MONTHS:]
    rows = [(format_month(each.month), each.balance) for each in months]
    return charts.balances(visit.text, rows) if rows else None


def _alert_words(code: str) -> Saying:
    return pool_sentences.ALERTS[AlertCode(code)]


def _address(pool_id: str) -> str:
    return f"/pools/{quote(pool_id, safe='')}"
