"""`huzhu deaths match`: compares a funeral list with the living members."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from acts.four_eyes import NotDone
from acts.match_deaths import TakenList, compare_list, match_deaths
from cli.payouts.payouts_command import reading
from cli.terminal.connect import keyring, ledger, read_settings
from cli.terminal.given_columns import given_columns
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json, print_table
from cli.terminal.operators import acting, signed_in
from cli.terminal.output import fail, out
from handlers.claims.death_alerts import alert_id
from handlers.words.death_sentences import KINDS
from infra.clock import utc_now
from infra.files.funeral_files import HEADINGS, read_funeral_list
from infra.files.headed_tables import UnusableTable
from infra.keys.personal_data import Keyring, NotReadable
from infra.ledger.schema import LedgerMismatch, bound_shards
from infra.settings import Settings
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.funeral_lists import ComparedDeath, FuneralList, ListedKind

app = typer.Typer(no_args_is_help=True, help="Funeral lists (殡葬名单): compare one with the living members.")

FOUND = 3
"""Exit status when a list names living members."""

_SHOWN = (ListedKind.CANDIDATE, ListedKind.OTHER_DAY, ListedKind.LISTED_TWICE, ListedKind.UNREADABLE)
_HEADS = (
    Saying("行号", "line"),
    Saying("结果", "result"),
    Saying("名单死亡日期", "day in the list"),
    Saying("登记死亡日期", "recorded day"),
    Saying("提醒", "alert"),
    Saying("说明", "note"),
)


@app.callback()
def _group() -> None:
    """With one command only, its name would not be needed."""


@app.command(epilog="Example: huzhu deaths match march.xlsx --list 2027-03 --operator li.na")
def match(
    file: Annotated[Path, typer.Argument(help="The funeral list: CSV (UTF-8 or GB18030) or Excel.")],
    list_id: Annotated[
        str | None,
        typer.Option("--list", help="What the list is called; it replaces what a list of this name said before."),
    ] = None,
    operator: Annotated[
        str | None, typer.Option(help="Raise alerts, in whose name; recorded in the audit log. Without: only compare.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help=f"COLUMN=HEADING for a column that is not recognised: {', '.join(HEADINGS)}."),
    ] = None,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """Compare a funeral list with the living members; with --operator and --list, raise alerts about those it names.

    No death is recorded by this: the registry does that, which withdraws the alert. Exit status 3 if the list names
    living members, 0 if not, 2 if the file or an option is unusable.
    """
    if (operator is None) != (list_id is None):
        fail("--operator 与 --list 须一起使用\n--operator and --list go together: who takes in which list")
    try:
        given = read_funeral_list(file, given_columns(column or (), HEADINGS), shanghai_date(utc_now()))
    except UnusableTable as error:
        fail(str(error))
    settings = read_settings()
    keys = None if settings.console_key_file is None else keyring(settings)
    try:
        if operator is None or list_id is None:
            taken = TakenList(_compared(given, settings, keys), 0, 0)
        else:
            operator = signed_in(operator, Right.ALERTS)
            with acting() as (connection, shards):
                taken = match_deaths(connection, given, list_id, operator, shards, utc_now, keys)
    except NotReadable as error:
        fail(f"{error}; put the missing key back into the file")
    except NotDone as error:
        fail(str(error))
    if as_json:
        found = [_plain(each, acted=operator is not None) for each in taken.compared]
        counts = {"lines": given.lines, "raised": taken.raised, "withdrawn": taken.withdrawn}
        print_json({"found": found, **counts})
    else:
        _show(given, taken, language, acted=operator is not None)
    if any(each.kind is ListedKind.CANDIDATE for each in taken.compared):
        raise typer.Exit(FOUND)


def _compared(given: FuneralList, settings: Settings, keys: Keyring | None) -> list[ComparedDeath]:
    engine = ledger(settings)
    try:
        shards = bound_shards(engine)
    except LedgerMismatch as error:
        fail(str(error))
    with reading(engine) as connection:
        return compare_list(connection, given, shards, keys)


def _show(given: FuneralList, taken: TakenList, language: OutputLanguage, *, acted: bool) -> None:
    say = translator(language, " ")
    shown = [each for each in taken.compared if each.kind in _SHOWN]
    if shown:
        rows = [
            (
                str(each.line),
                say(KINDS[each.kind]),
                str(each.died_on or ""),
                str(each.recorded_on or ""),
                _alert(each, acted=acted) or "",
                say(each.why),
            )
            for each in shown
        ]
        print_table([say(head) for head in _HEADS], rows, right=(0,))
    out.print(say(Saying(f"名单 {given.lines} 行", f"{given.lines} lines in the list")))
    counts = Counter(each.kind for each in taken.compared)
    for kind in ListedKind:
        if counts[kind]:
            out.print(f"{say(KINDS[kind])}: {counts[kind]}")
    if acted:
        zh = f"提出或更新提醒 {taken.raised} 条,撤回 {taken.withdrawn} 条"
        en = f"{taken.raised} alerts raised or told again, {taken.withdrawn} withdrawn"
    else:
        zh = "只作比对,未提出提醒;提出提醒须加 --list 和 --operator"
        en = "only compared; with --list and --operator alerts are raised"
    out.print(say(Saying(zh, en)))


def _alert(each: ComparedDeath, *, acted: bool) -> str | None:
    """The id of the alert about a candidate, if alerts were raised."""
    if not acted or each.kind is not ListedKind.CANDIDATE or each.person_id is None:
        return None
    return alert_id(each.person_id)


def _plain(each: ComparedDeath, *, acted: bool) -> dict[str, Any]:
    return {
        "line": each.line,
        "kind": each.kind,
        "died_on": None if each.died_on is None else each.died_on.isoformat(),
        "recorded_on": None if each.recorded_on is None else each.recorded_on.isoformat(),
        "alert_id": _alert(each, acted=acted),
        "zh": each.why.zh,
        "en": each.why.en,
    }
