"""From bytes to a JSON object, or to the refusal of bytes that are none (claims.md, section 3).

Stricter than the standard library: no name comes twice in an object, no constants, no half surrogate pairs, no nesting
deeper than DEPTH_MAX. A number that is no plain integer stays the literal that was written.
"""

from __future__ import annotations

import json
import re
from typing import Any

from handlers.words.field_hints import NESTED, json_hint
from schemas.bilingual import SaidError, Saying
from schemas.number_literals import NumberLiteral, whole_number
from schemas.refusals import Refusal, RefusalCode, refuse

DEPTH_MAX = 64
"""Deepest nesting accepted. Far below any stack limit, so that the answer does not depend on the caller."""


def parse_event(value: bytes) -> dict[str, Any] | Refusal:
    """The object in the bytes of an event, or why there is none."""
    try:
        document = json.loads(
            value.decode("utf-8"),
            parse_float=NumberLiteral,
            parse_int=whole_number,
            parse_constant=_no_constant,
            object_pairs_hook=_no_repeats_nor_surrogates if _SURROGATE.search(value) else _no_repeats,
        )
    except (ValueError, RecursionError) as error:  # decoding and JSON errors are ValueErrors
        return refuse(RefusalCode.MALFORMED_JSON, NESTED if _opens_too_deep(value) else json_hint(error))
    if value.count(b"[") + value.count(b"{") > DEPTH_MAX and _too_deep(document):
        return refuse(RefusalCode.MALFORMED_JSON, NESTED)
    if not isinstance(document, dict):
        return refuse(RefusalCode.SCHEMA_INVALID, Saying("报文应为 JSON 对象", "an event is a JSON object"), ("",))
    return document


def _too_deep(document: Any) -> bool:
    """Whether lists and objects are nested more than DEPTH_MAX deep."""
    level = [document]
    for _ in range(DEPTH_MAX + 1):
        level = [part for part in level if isinstance(part, dict | list)]
        if not level:
            return False
        level = [part for outer in level for part in (outer.values() if isinstance(outer, dict) else outer)]
    return True


_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _opens_too_deep(value: bytes) -> bool:
    """The same of bytes that are not JSON. Whether the parser meets their fault or runs out of stack before depends on
    the caller, and the refusal must not."""
    depth = 0
    for bracket in re.findall(rb"[\[\]{}]", _STRING.sub(b"", value)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH_MAX:
            return True
    return False


def _no_constant(name: str) -> object:
    raise SaidError(f"{name} 不是 JSON", f"{name} is not JSON")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """With a duplicate member, two readers could see two amounts."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise SaidError("同一对象中有重名的字段", "an object names a member twice")
    return members


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""The only way to put half a surrogate pair into decodable UTF-8."""


def _no_repeats_nor_surrogates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Half a surrogate pair cannot be written as UTF-8, so it can be neither hashed nor sent on."""
    members = _no_repeats(pairs)
    for name, value in pairs:
        if not name.isascii():
            name.encode("utf-8")
        if isinstance(value, str) and not value.isascii():
            value.encode("utf-8")
        elif isinstance(value, list):
            _encodable(value)
    return members


def _encodable(values: list[Any]) -> None:
    for value in values:
        if isinstance(value, str):
            value.encode("utf-8")
        elif isinstance(value, list):
            _encodable(value)
