"""In which languages a command speaks: Chinese, English, or both, Chinese first."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from schemas.bilingual import Saying


class Language(StrEnum):
    ZH = "zh"
    EN = "en"
    BOTH = "both"


def said_in(language: Language, join: str = "\n") -> Callable[[Saying], str]:
    """What turns a saying into text of a language; both are joined by ``join``, once if they are equal."""

    def say(saying: Saying) -> str:
        if language is Language.BOTH and saying.zh != saying.en:
            return f"{saying.zh}{join}{saying.en}"
        return saying.en if language is Language.EN else saying.zh

    return say
