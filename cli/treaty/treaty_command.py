"""`huzhu treaty check | diff | publish | show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from acts.published_treaties import published_treaties
from cli.terminal.connect import kafka_address, ledger, read_settings
from cli.terminal.given_files import load_treaties
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.operators import Operator, signed_in
from cli.terminal.output import out
from cli.treaty import treaty_publish, treaty_table
from handlers.words.treaty_sentences import TreatyChange, treaty_changes
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.treaty.treaty_model import Treaties, Treaty

app = typer.Typer(no_args_is_help=True, help="Check, compare, publish and show treaties: which insurers bear what.")

DIFFERENT = 1
"""Exit status of `huzhu treaty diff` when the treaties differ, as with diff(1)."""


@app.command(epilog="Example: huzhu treaty check treaty-self-pay-sample.toml treaty-village-sample.toml --language zh")
def check(
    files: Annotated[list[Path], typer.Argument(help="Treaty files that will be in force together.")],
    language: LanguageOption = OutputLanguage.BOTH,
    as_json: JsonOption = False,
) -> None:
    """Check treaty files, each by itself and whether they can be in force together.

    Exit status 2 if one is unusable, or two cover a scheme on one day; the message names file, line, field and remedy.
    """
    treaties = load_treaties(files, language)
    if as_json:
        print_json(listed(treaties))
        return
    for treaty in treaties.releases:
        treaty_table.summary(treaty, language, out)


@app.command(epilog="Example: huzhu treaty diff self-pay-2024.toml self-pay-2025.toml")
def diff(
    before: Annotated[Path, typer.Argument(help="The old treaty file.")],
    after: Annotated[Path, typer.Argument(help="The new treaty file.")],
    language: LanguageOption = OutputLanguage.BOTH,
    as_json: JsonOption = False,
) -> None:
    """Show what changed between two treaties.

    Exit status 0 if they are the same, 1 if they differ, 2 if one is unusable.
    """
    old, new = (load_treaties([file], language).releases[0] for file in (before, after))
    if as_json:
        print_json(_difference(old, new))
    else:
        treaty_table.show_changes(old, new, language, out)
    if old.sha256 != new.sha256:
        raise typer.Exit(DIFFERENT)


@app.command(epilog="Example: huzhu treaty publish treaty-self-pay-sample.toml --operator li.na")
def publish(
    file: Annotated[Path, typer.Argument(help="The treaty file.")],
    operator: Operator,
    yes: Annotated[bool, typer.Option("--yes", help="Publish without asking; needed where nobody can answer.")] = False,
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Publish a treaty for good: from now on its lead pays what is instructed for its schemes and days.

    Creates the topics of its insurers first. Moves no money: what was instructed before stays as it is. Exit status 1
    if the answer is no; 2 if the treaty cannot be published, or if there is nobody to ask and no --yes; 75 without
    Kafka.
    """
    operator = signed_in(operator, Right.CLEAR)
    settings = read_settings()
    treaty_publish.publish(ledger(settings), kafka_address(settings), settings, file, operator, yes, language)


@app.command(epilog="Example: huzhu treaty show treaty-self-pay-sample.toml")
def show(
    file: Annotated[Path | None, typer.Argument(help="A treaty file. Default: the published treaties.")] = None,
    language: LanguageOption = OutputLanguage.BOTH,
    as_json: JsonOption = False,
) -> None:
    """Show treaties as tables: their schemes and days, who pays, and who bears what.

    Exit status 2 if the file is unusable.
    """
    treaties = load_treaties([file], language) if file else _published()
    if as_json:
        print_json(listed(treaties))
        return
    for treaty in treaties.releases:
        treaty_table.show(treaty, language, out)
    if not treaties.releases:
        out.print(translator(language)(Saying("还没有公布承保协议。", "No treaties are published.")))


def _published() -> Treaties:
    with ledger(read_settings()).connect() as connection:
        return published_treaties(connection)


def listed(treaties: Treaties) -> dict[str, Any]:
    """Treaties as JSON: the fields of the files, and what identifies them."""
    return {
        "treaties": [
            {
                **_named(treaty),
                "first_day": treaty.effective_from.isoformat(),
                "last_day": None if treaty.last_day is None else treaty.last_day.isoformat(),
                "insurers": list(treaty.insurers),
                "treaty": treaty.fields,
            }
            for treaty in treaties.releases
        ]
    }


def _difference(old: Treaty, new: Treaty) -> dict[str, Any]:
    """Every field that differs with its values as the files spell them, null where not set."""
    return {
        "same": old.sha256 == new.sha256,
        "before": _named(old),
        "after": _named(new),
        "changes": [
            {"field": change.field, "before": _spelled(change, old), "after": _spelled(change, new)}
            for change in treaty_changes(old, new)
        ],
    }


def _named(treaty: Treaty) -> dict[str, str]:
    return {"treaty_id": treaty.id, "title": treaty.title, "sha256": treaty.sha256}


def _spelled(change: TreatyChange, treaty: Treaty) -> Any:
    """What one of the treaties says about a changed field."""
    shares = {each["insurer"]: each["share"] for each in treaty.fields["share"]}
    if change.field == "order":
        return list(shares)
    insurer = change.field.partition(".")[2]
    return shares.get(insurer) if insurer else treaty.fields.get(change.field)
