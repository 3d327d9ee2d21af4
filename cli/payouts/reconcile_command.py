"""`huzhu reconcile`: compares an insurer's statement with the ledger and lists every difference."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.payouts.payouts_command import LanguageOption, reading
from cli.terminal.connect import ledger, read_settings
from cli.terminal.language import OutputLanguage, translator
from cli.terminal.output import UNUSABLE, fail, out
from handlers.claims.reconcile import differences, in_scope
from handlers.words.payout_sentences import STATES
from infra.files.statement_files import HEADINGS, UnusableStatement, read_statement
from infra.ledger.payout_states import payouts_to_compare
from schemas.bilingual import Saying
from schemas.statement import Difference, DifferenceKind, Scope

EXAMPLE = "Example: huzhu reconcile march.xlsx --scheme village_mutual_aid --since 2027-03-01 --until 2027-04-01"

DIFFERENT = 3
"""Exit status when statement and ledger differ."""

KINDS = {
    DifferenceKind.MISSING_IN_LEDGER: Saying("账本中没有", "missing in the ledger"),
    DifferenceKind.MISSING_IN_STATEMENT: Saying("对账单中没有", "missing in the statement"),
    DifferenceKind.AMOUNT_DIFFERS: Saying("金额不符", "amount differs"),
    DifferenceKind.STATE_DIFFERS: Saying("状态不符", "state differs"),
    DifferenceKind.DUPLICATE_IN_STATEMENT: Saying("对账单中重复", "duplicate in the statement"),
    DifferenceKind.UNREADABLE_LINE: Saying("无法识别的行", "unreadable line"),
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
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day on which payouts were instructed.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day after the last such day.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help=f"COLUMN=HEADING for a column that is not recognised: {', '.join(HEADINGS)}."),
    ] = None,
    write: Annotated[Path | None, typer.Option("--out", help="Write the differences to FILE.csv or .json.")] = None,
    language: LanguageOption = OutputLanguage.ZH,
) -> None:
    """Compare an insurer's statement with the ledger, payout by payout, and list every difference.

    Exit status 0 if the two agree, 3 if they differ, 2 if the file or an option is unusable.
    """
    if write is not None and write.suffix not in (".csv", ".json"):
        fail(f"--out {write}: 文件名须以 .csv 或 .json 结尾\n--out {write}: the name must end in .csv or .json")
    try:
        statement = read_statement(file, dict(_column(text) for text in column or ()))
    except UnusableStatement as error:
        fail(str(error))
    scope = Scope(scheme, _day(since), _day(until))
    with reading(ledger(read_settings())) as connection:
        payouts = payouts_to_compare(connection, {line.payout_id for line in statement.lines}, scope)
    all_differences = differences(statement, payouts, scope)
    say = translator(language, " ")
    if write is not None:
        _write(write, all_differences)
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


def _column(text: str) -> tuple[str, str]:
    name, _, heading = text.partition("=")
    if name not in HEADINGS or not heading:
        fail(f"--column {text}: 应为 列=标题,列是 {', '.join(HEADINGS)} 之一\nexpected COLUMN=HEADING", UNUSABLE)
    return name, heading


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _show(differences: list[Difference], language: OutputLanguage) -> None:
    say = translator(language, " ")
    table = Table(*(say(head) for head in HEADS))
    for place in (1, 4, 5):
        table.columns[place].justify = "right"
    table.columns[2].overflow = "fold"
    for difference in differences:
        cells = (
            difference.payout_id,
            difference.claim_id,
            _state_in_words(difference.in_ledger, language),
            _state_in_words(difference.in_statement, language),
        )
        line = "" if difference.line is None else str(difference.line)
        note = say(Saying(difference.zh, difference.en))
        table.add_row(say(KINDS[difference.kind]), line, *(cell or "" for cell in cells), note)
    out.print(table)


def _state_in_words(value: str | None, language: OutputLanguage) -> str | None:
    """A state in words; an amount stays as it is."""
    names = {str(state): name for state, name in STATES.items()}
    return translator(language, " ")(names[value]) if value in names else value


def _write(file: Path, differences: list[Difference]) -> None:
    rows = [difference._asdict() for difference in differences]
    try:
        with file.open("w", encoding="utf-8-sig" if file.suffix == ".csv" else "utf-8", newline="") as stream:
            if file.suffix == ".csv":
                writer = csv.DictWriter(stream, Difference._fields)
                writer.writeheader()
                writer.writerows(rows)
            else:
                json.dump(rows, stream, ensure_ascii=False, indent=1)
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}")
