"""`huzhu books balance | journal | close | export | check`: the books, double-entry (复式账)."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from acts.book_balances import balance_of, open_month
from acts.close_month import check_closing, close_month
from acts.export_books import NothingPosted, export_books
from acts.rebuild_books import rebuild_books
from cli.books import book_tables
from cli.payouts.payouts_command import reading
from cli.terminal.confirm import confirm_act
from cli.terminal.connect import ledger, read_settings
from cli.terminal.given_month import MonthArgument, given_month
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.operators import Operator, acting, signed_in
from cli.terminal.output import SOME_REFUSED, fail, out, progress
from handlers.words.claim_sentences import yuan
from infra.clock import utc_now
from infra.ledger import book_rows
from infra.ledger.book_rows import EntryFilter
from infra.ledger.schema import LedgerMismatch, bound_shards
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.months import format_month, next_month
from stream.deadline import INFRASTRUCTURE_GONE

app = typer.Typer(no_args_is_help=True, help="The books: trial balance, journal, closing a month, export to Beancount.")

GivenMonth = Annotated[
    str | None, typer.Argument(metavar="MONTH", help="Such as 2024-03. Default: the first month that is not closed.")
]
_NOTHING = Saying("账上还没有任何分录。", "Nothing has been posted yet.")


@app.command(epilog="Example: huzhu books balance 2024-03 --language en")
def balance(
    month: GivenMonth = None,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """Show the trial balance of a month: what each account opened with, debits, credits, and what it closes with.

    Exit status 2 while nothing was posted.
    """
    given = None if month is None else given_month(month)
    with reading(ledger(read_settings())) as connection:
        chosen = given or _open_month(connection)
        closed = book_rows.closed_months(connection).get(chosen)
        found = balance_of(connection, chosen)
    if as_json:
        print_json(book_tables.as_document(found, closed))
    else:
        book_tables.show_balance(found, closed, language)


@app.command(epilog="Example: huzhu books journal 2024-03 --account payable:fund:person")
def journal(
    month: GivenMonth = None,
    account: Annotated[str | None, typer.Option(help="Only entries with this account, as `balance` names it.")] = None,
    payout: Annotated[
        str | None, typer.Option(help="Only entries of this payout; of all months, unless one is given.")
    ] = None,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, an entry a line; amounts as text in yuan.")
    ] = False,
) -> None:
    """Show the entries of a month in the order in which they were booked.

    Exit status 2 while nothing was posted, or for an account that nothing was ever booked to.
    """
    given = None if month is None else given_month(month)
    with reading(ledger(read_settings())) as connection:
        if given is None and payout is None:
            given = _open_month(connection)
        if account is not None and account not in (known := book_rows.accounts(connection)):
            names = ", ".join(known) or "-"
            fail(f"没有科目 {account},已记账的有:{names}\nnothing was booked to {account}; there are: {names}")
        before = None if given is None else next_month(given)
        found = book_rows.entries(connection, EntryFilter(given, before, account, payout))
        if as_json:
            for each in found:
                sys.stdout.write(json.dumps(book_tables.entry_document(each), ensure_ascii=False) + "\n")
        else:
            book_tables.show_journal(found, language)


@app.command(epilog="Example: huzhu books close 2024-03 --operator li.na")
def close(
    month: MonthArgument,
    operator: Operator,
    yes: Annotated[bool, typer.Option("--yes", help="Close without asking; needed where nobody can answer.")] = False,
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Close a month for good: its trial balance is kept, and nothing is booked in it any more.

    Months are closed in order, each after its end. Exit status 1 if the answer is no; 2 if the month cannot be closed
    now, or if there is nobody to ask and no --yes.
    """
    chosen, name = given_month(month), month
    operator = signed_in(operator, Right.CLEAR)
    say = translator(language)
    with acting() as (connection, _):
        found = check_closing(connection, chosen, utc_now())
    if not yes:
        book_tables.show_balance(found, None, language)
    why = Saying("结账以后,这个月不再入账。", "A closed month is never booked in again.")
    question = Saying(f"{why.zh}现在结 {name} 吗?", f"{why.en} Close {name} now?")
    confirm_act(yes, question, Saying("没有结账", "Nothing was closed"), why, language)
    with acting() as (connection, shards):
        done = close_month(connection, chosen, operator, shards, utc_now)
    amount = yuan(done.balance.debit)
    out.print(
        say(
            Saying(
                f"已结 {name}:本月借方、贷方各 {amount} 元,余额表 SHA-256 {done.sha256}",
                f"closed {name}: {amount} yuan to the debit and to the credit; trial balance SHA-256 {done.sha256}",
            )
        )
    )


@app.command(epilog="Example: huzhu books export --out books.beancount --until 2024-12")
def export(
    file: Annotated[Path, typer.Option("--out", help="The file for Beancount.")],
    until: Annotated[
        str | None, typer.Option(metavar="MONTH", help="The last month, such as 2024-12. Default: all.")
    ] = None,
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Write the books to a file for Beancount, with what each account closes each month with. No person is in it.

    Exit status 2 if nothing was posted, or the file cannot be written.
    """
    last = None if until is None else given_month(until)
    say, engine = translator(language), ledger(read_settings())
    try:
        done = export_books(engine, file, last)
    except NothingPosted:
        fail(say(_NOTHING))
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}")
    finally:
        engine.dispose()
    out.print(
        say(
            Saying(
                f"{file}:{done.entries} 笔分录,{done.accounts} 个科目,到 {format_month(done.until)} 为止",
                f"{file}: {done.entries} entries, {done.accounts} accounts, up to {format_month(done.until)}",
            )
        )
    )


@app.command(epilog="Example: huzhu books check")
def check(language: LanguageOption = OutputLanguage.BOTH, as_json: JsonOption = False) -> None:
    """Make the books again from the ledger's events, in memory, and compare each posting; changes nothing.

    Takes as long as deciding everything once more, and some kilobytes of memory a person. Exit status 3 if a posting
    differs, is missing or is too much: the first one is shown.
    """
    say, engine = translator(language), ledger(read_settings())
    with progress() as bar:
        task = bar.add_task("repeating events", total=None)
        try:
            found = rebuild_books(engine, bound_shards(engine), lambda count: bar.advance(task, count))
        except LedgerMismatch as error:
            fail(str(error))
        except DBAPIError as error:
            fail(f"the ledger cannot be read: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
        finally:
            engine.dispose()
    if as_json:
        print_json(book_tables.rebuilt_document(found))
    elif found.good:
        good = Saying(
            f"账簿与账本的事件一致:{found.same} 条记账。", f"The books are what the events give: {found.same} postings."
        )
        out.print(say(good))
    else:
        (expected, kept), none = (book_tables.leg_text(each) for each in (found.expected, found.kept)), "-"
        bad = Saying(
            f"账簿与事件不一致。按事件应为:{expected or none};账上是:{kept or none}",
            f"The books are not what the events give. By the events: {expected or none}; in the books: {kept or none}",
        )
        out.print(say(bad))
    raise typer.Exit(0 if found.good else SOME_REFUSED)


def _open_month(connection: Connection) -> date:
    found = open_month(connection)
    return fail(f"{_NOTHING.zh}\n{_NOTHING.en}") if found is None else found
