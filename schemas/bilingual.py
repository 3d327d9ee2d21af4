"""Everything that people read is written twice: in Chinese and in English."""

from __future__ import annotations

from typing import NamedTuple

from pydantic_core import PydanticCustomError


class Saying(NamedTuple):
    """A sentence or a name in both languages."""

    zh: str
    en: str


class SaidError(ValueError):
    """A value that cannot be used, and why in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.saying = Saying(zh, en)


def field_error(kind: str, zh: str, en: str) -> PydanticCustomError:
    """An error of a field, for pydantic: its message is English, its context has both languages."""
    return PydanticCustomError(kind, "{en}", {"zh": zh, "en": en})
