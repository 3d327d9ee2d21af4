"""Cutting a JSON text into its parts without changing a byte of them: what is forwarded is what was sent."""

from __future__ import annotations

import json
import re

_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # only where they end is asked


def array_items(text: str) -> list[str]:
    """The texts of the elements of the array that ``text`` is. Raises ValueError when it is none."""
    at = _open(text, "[")
    items: list[str] = []
    if text[at : at + 1] == "]":
        _end(text, at + 1)
        return items
    while True:
        item, at = _value(text, at)
        items.append(item)
        at, more = _next(text, at, "]")
        if not more:
            return items


def object_members(text: str) -> dict[str, str]:
    """The texts of the members of the object that ``text`` is. Raises ValueError when it is none or repeats a name."""
    at = _open(text, "{")
    members: dict[str, str] = {}
    if text[at : at + 1] == "}":
        _end(text, at + 1)
        return members
    while True:
        if text[at : at + 1] != '"':
            raise ValueError("a member's name is a string")
        name, at = _scan(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ":" or name in members:
            raise ValueError("a member is a name, a colon and a value, and stands once")
        members[str(name)], at = _value(text, _skip(text, at + 1))
        at, more = _next(text, at, "}")
        if not more:
            return members


def _open(text: str, bracket: str) -> int:
    at = _skip(text, 0)
    if text[at : at + 1] != bracket:
        raise ValueError(f"expected {bracket}")
    return _skip(text, at + 1)


def _value(text: str, at: int) -> tuple[str, int]:
    _, end = _scan(text, at)
    return text[at:end], _skip(text, end)


def _scan(text: str, at: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _next(text: str, at: int, bracket: str) -> tuple[int, bool]:
    """Behind a comma, or at the end behind the bracket."""
    if text[at : at + 1] == ",":
        return _skip(text, at + 1), True
    if text[at : at + 1] != bracket:
        raise ValueError(f"expected , or {bracket}")
    _end(text, at + 1)
    return at, False


def _end(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise ValueError("something follows the end")


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
