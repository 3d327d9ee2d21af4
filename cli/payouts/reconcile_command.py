"""`huzhu reconcile`: an insurer's statement beside the ledger, and every difference between the two."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.payouts.payouts_command import STATES, Spoken, reading
from cli.servers.operate import ledger, settings
from cli.terminal.language import Language, said_in
from cli.terminal.output import UNUSABLE, fail, out
from handlers.claims.reconcile import differences, in_scope
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
    DifferenceKind.DUPLICATE_IN_STATEMENT: Saying("对账单中重复", "twice in the statement"),
    DifferenceKind.UNREADABLE_LINE: Saying("读不懂的行", "unreadable line"),
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
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of instruction.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day after the last one.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help=f"COLUMN=HEADING where it is not found by itself: {', '.join(HEADINGS)}.")
    ] = None,
    write: Annotated[Path | None, typer.Option("--out", help="Write the differences to FILE.csv or .json.")] = None,
    language: Spoken = Language.ZH,
) -> None:
    """Compare an insurer's statement with the ledger, payout by payout, and list every difference.

    Exit status 0 when the two agree, 3 when they differ, 2 when the file or the call is unusable.
    """
    if write is not None and write.suffix not in (".csv", ".json"):
        fail(f"--out {write}: 文件名须以 .csv 或 .json 结尾\n--out {write}: the name must end in .csv or .json")
    try:
        statement = read_statement(file, dict(_column(each) for each in column or ()))
    except UnusableStatement as error:
        fail(str(error))
    scope = Scope(scheme, _day(since), _day(until))
    with reading(ledger(settings())) as connection:
        payouts = payouts_to_compare(connection, {line.payout_id for line in statement.lines}, scope)
    found = differences(statement, payouts, scope)
    say = said_in(language, " ")
    if write is not None:
        _write(write, found)
    if found:
        _show(found, language)
    expected = sum(in_scope(payout, scope) for payout in payouts)
    lines = len(statement.lines) + len(statement.unreadable)
    out.print(
        say(Saying(f"对账单 {lines} 行,账本应有 {expected} 笔", f"{lines} lines, {expected} payouts in the ledger"))
    )
    if "state" not in statement.columns:
        out.print(say(Saying("对账单没有状态列,未核对状态", "no column of states: states are not compared")))
    counts = Counter(each.kind for each in found)
    for kind in DifferenceKind:
        if counts[kind]:
            out.print(f"{say(KINDS[kind])}: {counts[kind]}")
    if found:
        raise typer.Exit(DIFFERENT)
    out.print(say(Saying("完全一致", "they agree")))


def _column(text: str) -> tuple[str, str]:
    name, _, heading = text.partition("=")
    if name not in HEADINGS or not heading:
        fail(f"--column {text}: 应为 列=标题,列是 {', '.join(HEADINGS)} 之一\nCOLUMN=HEADING is expected", UNUSABLE)
    return name, heading


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _show(found: list[Difference], language: Language) -> None:
    say = said_in(language, " ")
    table = Table(*(say(head) for head in HEADS))
    for place in (1, 4, 5):
        table.columns[place].justify = "right"
    table.columns[2].overflow = "fold"
    for each in found:
        cells = (each.payout_id, each.claim_id, _spoken(each.in_ledger, language), _spoken(each.in_statement, language))
        line = "" if each.line is None else str(each.line)
        table.add_row(say(KINDS[each.kind]), line, *(cell or "" for cell in cells), say(Saying(each.zh, each.en)))
    out.print(table)


def _spoken(value: str | None, language: Language) -> str | None:
    """A state in words; an amount stays as it is."""
    known = {str(state): said for state, said in STATES.items()}
    return said_in(language, " ")(known[value]) if value in known else value


def _write(file: Path, found: list[Difference]) -> None:
    rows = [each._asdict() for each in found]
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
