"""The question before an act that cannot be undone."""

from __future__ import annotations

import sys

import typer

from cli.terminal.language import OutputLanguage, translator
from cli.terminal.output import fail
from schemas.bilingual import Saying

DECLINED = 1
"""Exit status when the question was answered with no."""


def confirm(yes: bool, what: str, language: OutputLanguage) -> None:
    """Asks before a ``what`` ("policy", "treaty") is published for good, unless ``yes``; ends the command if not."""
    say = translator(language)
    if yes:
        return
    if not sys.stdin.isatty():
        message = Saying(
            "没有公布:公布以后不能改。请加 --yes 确认,或在终端里运行。",
            f"Nothing was published: a published {what} never changes. Confirm with --yes, or run this in a terminal.",
        )
        fail(say(message))
    question = Saying("公布以后不能改。现在公布吗?", f"A published {what} never changes. Publish it now?")
    if not typer.confirm(say(question), err=True):
        fail(say(Saying("没有公布。", "Nothing was published.")), DECLINED)
