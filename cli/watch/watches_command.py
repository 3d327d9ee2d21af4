"""`huzhu watches check`: is a file of watches usable, and what does it look for?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.terminal.given_files import load_watches
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.output import out
from cli.terminal.prose import Prose
from handlers.words.watch_sentences import watch_days, watch_rule
from schemas.bilingual import Saying

app = typer.Typer(no_args_is_help=True, help="Check files of watches: for whom a policy looks (主动发现).")


@app.callback()
def _group() -> None:
    """Keeps the name of its one command."""


@app.command(epilog="Example: huzhu watches check watches-sample.toml --language zh")
def check(
    file: Annotated[Path, typer.Argument(help="A file of watches.")],
    language: LanguageOption = OutputLanguage.BOTH,
    as_json: JsonOption = False,
) -> None:
    """Check a file of watches, and say in plain words what each of them looks for.

    Exit status 2 if it is unusable; the message names file, line, field and remedy.
    """
    watches = load_watches(file, language)
    if as_json:
        print_json({**watches.fields, "sha256": watches.sha256})
        return
    say, days = translator(language), watch_days(watches)
    name = f"{watches.title}({watches.id})" if watches.title else watches.id
    out.print(Prose(say(Saying(f"{name}:可用;{days.zh}。", f"{name}: usable; {days.en}."))))
    out.print(f"SHA-256 {watches.sha256}", style="dim")
    for watch in watches.watches:
        rule = watch_rule(watch)
        out.print(Prose(say(Saying(f"{watch.id}:{rule.zh}。", f"{watch.id}: {rule.en}."))))
