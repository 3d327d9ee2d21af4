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
    why = Saying("公布以后不能改。", f"A published {what} never changes.")
    question = Saying(f"{why.zh}现在公布吗?", f"{why.en} Publish it now?")
    confirm_act(yes, question, Saying("没有公布", "Nothing was published"), why, language)


def confirm_act(yes: bool, question: Saying, undone: Saying, why: Saying, language: OutputLanguage) -> None:
    """Asks a question unless ``yes``; ends the command with what was left ``undone`` if the answer is no.

    Where nobody can answer, it says ``why`` it would have asked.
    """
    say = translator(language)
    if yes:
        return
    if not sys.stdin.isatty():
        message = Saying(
            f"{undone.zh}:{why.zh}请加 --yes 确认,或在终端里运行。",
            f"{undone.en}: {why.en[:1].lower()}{why.en[1:-1]}. Confirm with --yes, or run this in a terminal.",
        )
        fail(say(message))
    if not typer.confirm(say(question), err=True):
        fail(say(Saying(f"{undone.zh}。", f"{undone.en}.")), DECLINED)
