"""JSON with every number as it was written, where that matters: an amount is never a float."""

from __future__ import annotations

import json
from typing import Any


class NumberLiteral(str):
    """A JSON number that is not a plain integer, exactly as it was written."""


def whole_number(literal: str) -> int | NumberLiteral:
    """Whole numbers as int; an absurdly long one stays text, as int() would be slow and Python refuses it."""
    return int(literal) if len(literal) <= 20 else NumberLiteral(literal)


def parse_with_literals(value: bytes) -> dict[str, Any]:
    """The object in bytes that hold one; its last, of members of one name."""
    document: dict[str, Any] = json.loads(value, parse_float=NumberLiteral, parse_int=whole_number)
    return document
