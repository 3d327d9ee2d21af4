"""Alerts: the list of what somebody has to look at, and one of them, which can be taken and closed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from urllib.parse import quote, urlencode

from starlette.responses import Response

from acts import deal_with_alert
from acts.deal_with_alert import NoSuchAlert
from acts.four_eyes import NotDone
from handlers.words.alert_sentences import STATES, TITLES, said, title, told_lines, told_scheme
from infra.ledger import aid_proposals, alert_lists
from infra.ledger.alert_lists import NOBODY, AlertFilter
from schemas.access.console_rights import Right
from schemas.alert_records import LIVE, AlertRow
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.outbound import AlertCode
from web.console.visit import Pages, Visit, not_found, page_number

PAGE_ROWS = 50
OF_ONE_MAX = 200
"""So many alerts of one claim or person are shown."""
AGES = (0, 7, 30, 90)
"""The list can be narrowed to what was raised at least so many days ago."""
NO_OUTCOME = Saying("请写明处理结果(至少 4 个字)。", "Say what was done, in at least 4 characters.")


class AlertShown(NamedTuple):
    """An alert as a line of a list."""

    row: AlertRow
    title: Saying
    said: Saying
    state: Saying
    days: int
    link: str


def index(visit: Visit) -> Response:
    """The work list: what is open or being looked at, the oldest first; with everything that was, on demand."""
    visit.require(Right.CLAIMS)
    fields = {name: visit.query.get(name, "") for name in ("code", "area", "taken", "days", "gone")}
    number, today = page_number(visit), shanghai_date(visit.now())
    days = int(fields["days"]) if fields["days"] in map(str, AGES) else 0
    before = alert_lists.raised_before(today, days)
    chosen = AlertFilter(fields["code"], fields["area"], fields["taken"], before=before, gone=bool(fields["gone"]))
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        count, rows = alert_lists.page(connection, chosen, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        areas, takers = alert_lists.areas(connection), alert_lists.takers(connection)
    return visit.page(
        "alerts.html",
        lines=shown(rows, today),
        pages=Pages(count, PAGE_ROWS, number),
        codes=TITLES,
        areas=areas,
        takers=takers,
        nobody=NOBODY,
        ages=AGES,
        chosen=fields,
        rest="".join(f"&{urlencode({name: value})}" for name, value in fields.items() if value),
    )


def show(visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    return _page(visit)


def take(shard_count: int, visit: Visit) -> Response:
    """The user takes the alert."""
    visit.require(Right.ALERTS)
    alert_id = visit.path_values["alert_id"]
    try:
        with visit.engine.begin() as connection:
            deal_with_alert.take(connection, alert_id, visit.user, shard_count, visit.now)
    except NotDone as refused:
        return _page(visit, refused.why, 409)
    return visit.redirect(f"/alerts/{quote(alert_id)}")


def close(shard_count: int, visit: Visit) -> Response:
    """The user closes the alert. Without a word about what was done it stays as it is."""
    visit.require(Right.ALERTS)
    alert_id, outcome = visit.path_values["alert_id"], visit.given_reason()
    if outcome is None:
        return _page(visit, NO_OUTCOME, 422)
    try:
        with visit.engine.begin() as connection:
            deal_with_alert.close(connection, alert_id, outcome, visit.user, shard_count, visit.now)
    except NotDone as refused:
        return _page(visit, refused.why, 409)
    return visit.redirect("/alerts")


def shown(rows: Iterable[AlertRow], today: date) -> list[AlertShown]:
    """Alerts as lines of a list, with their age on a day."""
    return [
        AlertShown(
            row,
            title(row),
            said(row),
            STATES[row.state],
            (today - shanghai_date(row.raised_at)).days,
            f"/alerts/{quote(row.alert_id)}",
        )
        for row in rows
    ]


def _page(visit: Visit, refused: Saying | None = None, status: int = 200) -> Response:
    with visit.engine.connect() as connection:
        try:
            row = deal_with_alert.find(connection, visit.path_values["alert_id"])
        except NoSuchAlert:
            raise not_found() from None
        aids = aid_proposals.of_alert(connection, row.alert_id)
    (line,) = shown([row], shanghai_date(visit.now()))
    return visit.page(
        "alert.html",
        status,
        line=line,
        alert=row,
        scheme=told_scheme(row),
        lines=told_lines(row),
        person=None if row.person_id is None else visit.token(row.person_id),
        aids=aids,
        live=row.state in LIVE,
        contradicts=row.code == AlertCode.REPORT_CONTRADICTS,
        refused=refused,
        typed=visit.form.get("reason", ""),
    )
