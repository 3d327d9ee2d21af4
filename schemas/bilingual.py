"""Everything that people read is written twice: in Chinese and in English."""

from __future__ import annotations

from typing import NamedTuple


class Saying(NamedTuple):
    """A sentence or a name in both languages."""

    zh: str
    en: str
