"""`huzhu reconcile`: compares an insurer's statement with the ledger and lists every difference."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from acts.four_eyes import NotDone
from acts.stated_payouts import stated_payouts
from cli.payouts.payouts_command import reading, require_payer, require_scheme
from cli.terminal.connect import ledger, read_settings
from cli.terminal.given_columns import given_columns
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json, print_table
from cli.terminal.output import fail, out
from handlers.claims.reconcile import differences, in_scope
from handlers.words.payout_sentences import STATES
from infra.files.csv_cells import harmless
from infra.files.headed_tables import UnusableTable
from infra.files.statement_files import HEADINGS, read_statement
from infra.ledger.payout_states import payouts_to_compare
from schemas.bilingual import Saying
from schemas.statement import Difference, DifferenceKind, Issued, Scope

EXAMPLE = "Example: huzhu reconcile march.xlsx --scheme village_mutual_aid --since 2027-03-01 --until 2027-04-01"

DIFFERENT = 3
"""Exit status when statement and ledger differ."""

KINDS = {
    DifferenceKind.MISSING_IN_LEDGER: Saying("账本缺失", "missing in the ledger"),
    DifferenceKind.MISSING_IN_STATEMENT: Saying("对账单缺失", "missing in the statement"),
    DifferenceKind.AMOUNT_DIFFERS: Saying("金额不符", "amount differs"),
    DifferenceKind.STATE_DIFFERS: Saying("状态不符", "state differs"),
    DifferenceKind.DUPLICATE_IN_STATEMENT: Saying("重复", "duplicate in the statement"),
    DifferenceKind.UNREADABLE_LINE: Saying("无法识别的行", "unreadable line"),
    DifferenceKind.OTHER_PAYER: Saying("付款方不符", "another payer"),
    DifferenceKind.OTHER_STATEMENT: Saying("不在本期", "in another statement"),
}
HEADS = (
    Saying("差异", "difference"),
    Saying("行号", "line"),
    Saying("支付编号", "payout"),
    Saying("理赔", "claim"),
    Saying("账本", "ledger"),
    Saying("对账单", "statement"),
    Saying("说明", "note"),
)


def reconcile(
    file: Annotated[Path, typer.Argument(help="The insurer's statement: CSV (UTF-8 or GB18030) or Excel.")],
    scheme: Annotated[str | None, typer.Option(help="The statement holds payouts of this scheme only.")] = None,
    payer: Annotated[str | None, typer.Option(help="The statement holds what this insurer, or `fund`, pays.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day on which payouts were instructed.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day after the last such day.")
    ] = None,
    issued: Annotated[
        str | None, typer.Option("--statement", help="Compare with this issued statement instead of with the ledger.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help=f"COLUMN=HEADING for a column that is not recognised: {', '.join(HEADINGS)}."),
    ] = None,
    write: Annotated[Path | None, typer.Option("--out", help="Write the differences to FILE.csv or .json.")] = None,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """Compare an insurer's statement with the ledger, payout by payout, and list every difference.

    Exit status 0 if the two agree, 3 if they differ, 2 if the file or an option is unusable.
    """
    if write is not None and write.suffix not in (".csv", ".json"):
        fail(f"--out {write}: 文件名须以 .csv 或 .json 结尾\n--out {write}: the name must end in .csv or .json")
    try:
        statement = read_statement(file, given_columns(column or (), HEADINGS))
    except UnusableTable as error:
        fail(str(error))
    scope = Scope(scheme, _day(since), _day(until), payer)
    if scope.since is not None and scope.until is not None and scope.until <= scope.since:
        fail("--until 须晚于 --since(不含当天)\n--until must be after --since: it is the day after the last one")
    if issued is not None and scope != Scope():
        fail(
            "--statement 已指明全部支付,不能再用 --scheme、--payer、--since 或 --until\n"
            "--statement says which payouts: it goes without --scheme, --payer, --since and --until"
        )
    with reading(ledger(read_settings())) as connection:
        require_scheme(connection, scheme)
        require_payer(connection, payer)
        if issued is not None:
            scope = scope._replace(issued=_issued(connection, issued))
        payouts = payouts_to_compare(connection, {line.payout_id for line in statement.lines}, scope)
    all_differences = differences(statement, payouts, scope)
    say = translator(language, " ")
    if write is not None:
        _write(write, all_differences)
    if as_json:
        print_json({"differences": [difference._asdict() for difference in all_differences]})
        raise typer.Exit(DIFFERENT if all_differences else 0)
    if all_differences:
        _show(all_differences, language)
    expected = sum(in_scope(payout, scope) for payout in payouts)
    lines = len(statement.lines) + len(statement.unreadable)
    out.print(
        say(
            Saying(
                f"对账单 {lines} 行,账本应有 {expected} 笔",
                f"{lines} lines in the statement, {expected} payouts in the ledger",
            )
            if issued is None
            else Saying(
                f"文件 {lines} 行,对账单 {issued} 应有 {expected} 笔",
                f"{lines} lines in the file, {expected} payouts on the statement {issued}",
            )
        )
    )
    if "state" not in statement.columns:
        out.print(
            say(Saying("对账单没有状态列,未核对状态", "the statement has no state column: states are not compared"))
        )
    counts = Counter(difference.kind for difference in all_differences)
    for kind in DifferenceKind:
        if counts[kind]:
            out.print(f"{say(KINDS[kind])}: {counts[kind]}")
    if all_differences:
        raise typer.Exit(DIFFERENT)
    out.print(say(Saying("完全一致", "statement and ledger agree")))


def _issued(connection: Connection, statement_id: str) -> Issued:
    try:
        return stated_payouts(connection, statement_id)
    except NotDone as error:
        fail(str(error))


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _show(differences: list[Difference], language: OutputLanguage) -> None:
    say = translator(language, " ")
    rows = []
    for difference in differences:
        sides = _sides(difference, language)
        line = "" if difference.line is None else str(difference.line)
        note = say(Saying(difference.zh, difference.en))
        cells = (difference.payout_id or "", difference.claim_id or "", *sides)
        rows.append((say(KINDS[difference.kind]), line, *cells, note))
    print_table([say(head) for head in HEADS], rows, right=(1, 4, 5))


def _sides(difference: Difference, language: OutputLanguage) -> tuple[str, str]:
    """What ledger and statement say: the states where these differ, and else the amounts."""
    if difference.kind is DifferenceKind.STATE_DIFFERS:
        say = translator(language, " ")
        ours, theirs = (
            "" if state is None else say(STATES[state])
            for state in (difference.ledger_state, difference.statement_state)
        )
        return ours, theirs
    return _grouped(difference.ledger_amount), _grouped(difference.statement_amount)


def _grouped(amount: str | None) -> str:
    """An amount for people, with separators: ``-5,200.00``."""
    return "" if amount is None else f"{Decimal(amount):,.2f}"


def _write(file: Path, differences: list[Difference]) -> None:
    rows = [difference._asdict() for difference in differences]
    try:
        with file.open("w", encoding="utf-8-sig" if file.suffix == ".csv" else "utf-8", newline="") as stream:
            if file.suffix == ".csv":
                writer = csv.DictWriter(stream, Difference._fields)
                writer.writeheader()
                writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
            else:
                json.dump(rows, stream, ensure_ascii=False, indent=1)
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}")


def _cell(value: object) -> str:
    return "" if value is None else harmless(str(value))
