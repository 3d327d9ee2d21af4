"""`huzhu pools list | show | close`: pools of money (资金池), what they have, and who waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acts.close_pool_year import YearClosing, close_pool_year, preview_year
from acts.pool_account import PoolAccount, pool_account
from cli.payouts.payouts_command import reading
from cli.pools import pool_printing
from cli.pools.public_sheet import sheet_page
from cli.terminal.confirm import confirm_act
from cli.terminal.connect import ledger, read_settings
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.operators import Operator, Reason, acting, signed_in
from cli.terminal.output import fail, out
from handlers.words.claim_sentences import yuan
from infra.clock import utc_now
from infra.ledger import pool_figures
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.dates import shanghai_date

app = typer.Typer(no_args_is_help=True, help="Pools of money (资金池): what they have, who waits, closing a year.")

PoolArgument = Annotated[str, typer.Argument(help="The pool's id.")]


@app.command("list", epilog="Example: huzhu pools list --language en")
def list_pools(language: LanguageOption = OutputLanguage.ZH, as_json: JsonOption = False) -> None:
    """List all pools: what each received, released and has, and how much waits for it."""
    with reading(ledger(read_settings())) as connection:
        found = pool_figures.all_pools(connection)
    if as_json:
        print_json({"pools": [pool_printing.list_document(each) for each in found]})
    else:
        pool_printing.show_list(found, language)


@app.command(epilog="Example: huzhu pools show V1 --sheet village.html")
def show(
    pool: PoolArgument,
    sheet: Annotated[
        Path | None, typer.Option(help="Write the village's public sheet to this HTML file: sums only, nobody's name.")
    ] = None,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """Show one pool: its money, its contributions, its balance by month, who waits, and its closed years.

    Exit status 2 if nothing is known of the pool, or the sheet cannot be written.
    """
    today = shanghai_date(utc_now())
    with reading(ledger(read_settings())) as connection:
        found = pool_account(connection, pool, today)
        if found is None:
            known = ", ".join(each.pool_id for each in pool_figures.all_pools(connection)) or "-"
            fail(f"没有资金池 {pool},现有:{known}\nthere is no pool {pool}; there are: {known}")
        paid = pool_figures.paid_persons(connection, pool)
        persons = pool_figures.waiting_persons(connection, pool)
    if sheet is not None:
        try:
            sheet.write_text(sheet_page(found, paid, persons, today), "utf-8")
        except OSError as error:
            fail(f"{sheet}: cannot be written: {error.strerror}")
    _print(found, language, as_json)


@app.command(epilog='Example: huzhu pools close V1 2024 --operator li.na --reason "the year has ended"')
def close(
    pool: PoolArgument,
    year: Annotated[int, typer.Argument(min=1900, max=9999, help="The policy year, by the year in which it begins.")],
    operator: Operator,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: needed where nobody can answer.")] = False,
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Close a year of a pool that pays pro rata: its money is shared among all who wait, each the same part.

    Exit status 2, with the reason, if the year cannot be closed now; 1 if the question was answered with no.
    """
    operator = signed_in(operator, Right.CLEAR, reason=reason)
    say = translator(language)
    with acting() as (connection, _):
        found = preview_year(connection, pool, year, shanghai_date(utc_now()))
    if not yes:
        out.print(say(_closing(found)))
    why = Saying("年度结算以后不能撤销。", "The close of a year cannot be undone.")
    question = Saying(f"{why.zh}现在结算吗?", f"{why.en} Close it now?")
    confirm_act(yes, question, Saying("没有结算", "Nothing was closed"), why, language)
    with acting() as (connection, shards):
        done = close_pool_year(connection, pool, year, operator, shards, utc_now, reason)
    closed = _closing(done)
    out.print(say(Saying(f"已结算。{closed.zh}", f"Closed. {closed.en}")))


def _closing(found: YearClosing) -> Saying:
    name, year = found.pool_id, found.year
    available, due, released = map(yuan, (found.available, found.due, found.released))
    left = yuan(found.due - found.released)
    return Saying(
        f"资金池 {name},{year} 年度:可用 {available} 元,应付 {found.claims} 笔共 {due} 元,发放 {released} 元,"
        f"未发放 {left} 元。",
        f"Pool {name}, {year}: {available} yuan are there, {due} yuan are due for {found.claims} benefits, {released} "
        f"yuan are paid, {left} yuan are left unpaid.",
    )


def _print(found: PoolAccount, language: OutputLanguage, as_json: bool) -> None:
    if as_json:
        print_json(pool_printing.pool_document(found))
    else:
        pool_printing.show_pool(found, language)
