"""Slices of a JSON text, byte for byte: events are forwarded exactly as they were sent."""

from __future__ import annotations

import json
import re
from json import JSONDecodeError

from handlers.words.field_hints import NESTED
from schemas.bilingual import SaidError

_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # only used to find where a value ends


def array_items(text: str) -> list[str]:
    """The text of each element of a JSON array. Raises ValueError when ``text`` is not an array."""
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
    """The text of each member of a JSON object. Raises ValueError when ``text`` is not an object or repeats a name."""
    at = _open(text, "{")
    members: dict[str, str] = {}
    if text[at : at + 1] == "}":
        _end(text, at + 1)
        return members
    while True:
        if text[at : at + 1] != '"':
            raise JSONDecodeError("a member's name must be a string", text, at)
        name, at = _scan(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ":" or name in members:
            raise JSONDecodeError("a member must be a name, a colon and a value, without repeating a name", text, at)
        members[str(name)], at = _value(text, _skip(text, at + 1))
        at, more = _next(text, at, "}")
        if not more:
            return members


def _open(text: str, bracket: str) -> int:
    at = _skip(text, 0)
    if text[at : at + 1] != bracket:
        raise JSONDecodeError(f"expected {bracket}", text, at)
    return _skip(text, at + 1)


def _value(text: str, at: int) -> tuple[str, int]:
    _, end = _scan(text, at)
    return text[at:end], _skip(text, end)


def _scan(text: str, at: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise SaidError(*NESTED) from None


def _next(text: str, at: int, bracket: str) -> tuple[int, bool]:
    """The position after a comma and True, or the closing bracket's and False."""
    if text[at : at + 1] == ",":
        return _skip(text, at + 1), True
    if text[at : at + 1] != bracket:
        raise JSONDecodeError(f"expected , or {bracket}", text, at)
    _end(text, at + 1)
    return at, False


def _end(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise JSONDecodeError("unexpected text after the end", text, at)


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
