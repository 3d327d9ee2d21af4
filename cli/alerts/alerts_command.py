"""`huzhu alerts list | show | take | close`: what somebody should look at, who does, and what came of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from acts import deal_with_alert
from cli.payouts.payouts_command import reading
from cli.terminal.connect import ledger, read_settings
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, moment, print_json, print_table
from cli.terminal.operators import Operator, acting, signed_in
from cli.terminal.output import fail, out
from handlers.words.alert_sentences import STATES, said, title, told_lines, told_scheme
from handlers.words.claim_sentences import yuan
from infra.clock import utc_now
from infra.ledger import alert_lists
from infra.ledger.alert_lists import NOBODY, AlertFilter
from schemas.access.console_rights import Right
from schemas.alert_records import AlertRow
from schemas.bilingual import Saying
from schemas.dates import format_instant, shanghai_date
from schemas.outbound import AlertCode

app = typer.Typer(no_args_is_help=True, help="What somebody should look at (提醒): list it, take it, close it.")

LISTED_MAX = 100_000
Alert = Annotated[str, typer.Argument(help="The alert's id.")]
Alerts = Annotated[list[str], typer.Argument(help="Ids of alerts.")]


@app.command("list", epilog="Example: huzhu alerts list --code AFTER_DEATH --days 7 --language en")
def list_alerts(
    code: Annotated[AlertCode | None, typer.Option(help="Only alerts of this code.")] = None,
    area: Annotated[str | None, typer.Option(help="Only alerts of this area.")] = None,
    claim: Annotated[str | None, typer.Option(help="Only alerts about this claim.")] = None,
    taken_by: Annotated[str | None, typer.Option(help=f"Only what this operator took; `{NOBODY}`: nobody.")] = None,
    days: Annotated[int, typer.Option(min=0, max=36500, help="Only what was raised at least so many days ago.")] = 0,
    everything: Annotated[bool, typer.Option("--all", help="What was closed or withdrawn too.")] = False,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """List what somebody has to look at, the oldest first, with its age in days and who took it."""
    today = shanghai_date(utc_now())
    before = alert_lists.raised_before(today, days)
    chosen = AlertFilter(code or "", area or "", taken_by or "", claim or "", before=before, gone=everything)
    with reading(ledger(read_settings())) as connection:
        _, found = alert_lists.page(connection, chosen, LISTED_MAX)
    if as_json:
        print_json({"alerts": [_plain(each, today) for each in found]})
        return
    say = translator(language, " ")
    heads = (
        Saying("编号", "alert"),
        Saying("事由", "about"),
        Saying("理赔或资金池", "claim or pool"),
        Saying("地区", "area"),
        Saying("天数", "days"),
        Saying("状态", "state"),
        Saying("经办人", "taken by"),
    )
    print_table(
        [say(head) for head in heads],
        [
            (
                each.alert_id,
                say(title(each)),
                each.claim_id or each.pool_id or "",
                each.area or "",
                str(_age(each, today)),
                say(STATES[each.state]),
                each.taken_by or "",
            )
            for each in found
        ],
        right=(4,),
    )
    out.print(say(Saying(f"共 {len(found)} 条", f"{len(found)} in all")))


@app.command(epilog="Example: huzhu alerts show AT-0b8a1c --language en")
def show(alert: Alert, language: LanguageOption = OutputLanguage.ZH, as_json: JsonOption = False) -> None:
    """Show one alert: what it says, since when, and who did what. Exit status 2 if there is none of this id."""
    today = shanghai_date(utc_now())
    with reading(ledger(read_settings())) as connection:
        try:
            row = deal_with_alert.find(connection, alert)
        except deal_with_alert.NoSuchAlert as error:
            fail(str(error))
    if as_json:
        print_json(_plain(row, today) | {"person_id": row.person_id})
        return
    say = translator(language)
    out.print(say(title(row)), style="bold")
    out.print(say(said(row)))
    facts = [
        (Saying("编号", "Alert"), row.alert_id),
        (Saying("理赔", "Claim"), row.claim_id),
        (Saying("人员", "Person"), row.person_id),
        (Saying("支付编号", "Payout"), row.payout_id),
        (Saying("保障层", "Scheme"), told_scheme(row)),
        (Saying("资金池", "Pool"), row.pool_id),
        (Saying("地区", "Area"), row.area),
        (Saying("状态", "State"), say(STATES[row.state])),
        (Saying("提出时间", "Raised"), moment(row.raised_at)),
        (Saying("经办人", "Taken by"), row.taken_by),
        (Saying("办结人", "Closed by"), row.closed_by),
        (Saying("处理结果", "Outcome"), row.outcome),
    ]
    for name, value in facts:
        if value is not None:
            out.print(f"{say(name)}: {value}")
    for line in told_lines(row):
        out.print(f"{line.claim_id}  {line.discharged_on}  {yuan(line.amount)}")


@app.command(epilog="Example: huzhu alerts take AT-0b8a1c --operator li.na")
def take(alerts: Alerts, operator: Operator, language: LanguageOption = OutputLanguage.BOTH) -> None:
    """Take alerts: the work list then says who looks at them.

    All or none; exit status 2 if one is closed or withdrawn.
    """
    operator = signed_in(operator, Right.ALERTS)
    with acting() as (connection, shards):
        for each in dict.fromkeys(alerts):
            deal_with_alert.take(connection, each, operator, shards, utc_now)
    count = len(set(alerts))
    out.print(translator(language)(Saying(f"{operator} 已接手 {count} 条提醒。", f"{operator} took {count} alerts.")))


@app.command(epilog='Example: huzhu alerts close AT-0b8a1c --operator li.na --outcome "the record of death was wrong"')
def close(
    alert: Alert,
    operator: Operator,
    outcome: Annotated[str, typer.Option(help="What was found and done; recorded in the audit log.")],
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Close an alert with what was done. It opens again if its reason goes away and comes back.

    Exit status 2 if it is closed or withdrawn already.
    """
    if not outcome.strip():
        fail("--outcome 不能为空\n--outcome must not be empty: it says what was done")
    operator = signed_in(operator, Right.ALERTS)
    with acting() as (connection, shards):
        deal_with_alert.close(connection, alert, outcome, operator, shards, utc_now)
    out.print(translator(language)(Saying(f"{alert} 已办结。", f"{alert} is closed.")))


def _plain(each: AlertRow, today: date) -> dict[str, Any]:
    zh, en = said(each)
    return {
        "alert_id": each.alert_id,
        "code": each.code,
        "claim_id": each.claim_id,
        "payout_id": each.payout_id,
        "scheme_id": told_scheme(each),
        "pool_id": each.pool_id,
        "area": each.area,
        "state": each.state,
        "raised_at": format_instant(each.raised_at),
        "age_days": _age(each, today),
        "taken_by": each.taken_by,
        "closed_by": each.closed_by,
        "outcome": each.outcome,
        "zh": zh,
        "en": en,
    }


def _age(each: AlertRow, today: date) -> int:
    return (today - shanghai_date(each.raised_at)).days
