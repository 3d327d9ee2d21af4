"""One planted bug."""

from __future__ import annotations

from typing import NamedTuple


class Bug(NamedTuple):
    """In ``file`` the text ``old``, which stands there once, becomes ``new``; each of the tests must fail."""

    breaks: int | str
    """The law of the contract that the bug breaks, or the part of the program that it is in."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
