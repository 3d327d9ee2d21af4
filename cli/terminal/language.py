"""The output language of a command: Chinese, English, or both with Chinese first."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from schemas.bilingual import Saying


class OutputLanguage(StrEnum):
    ZH = "zh"
    EN = "en"
    BOTH = "both"


LanguageOption = Annotated[OutputLanguage, typer.Option(help="zh, en, or both (Chinese first).")]


def translator(language: OutputLanguage, join: str = "\n") -> Callable[[Saying], str]:
    """Returns a function from a saying to its text. BOTH joins the two texts with ``join`` unless they are equal."""

    def say(saying: Saying) -> str:
        if language is OutputLanguage.BOTH and saying.zh != saying.en:
            return f"{saying.zh}{join}{saying.en}"
        return saying.en if language is OutputLanguage.EN else saying.zh

    return say
