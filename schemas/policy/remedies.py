"""Messages for the author of a policy file: what is wrong with a field, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import BaseModel

from schemas.policy.model import Bracket, Policy, Scheme, Tier

EXAMPLES = {
    "id": 'id = "village_mutual_aid"',
    "status": 'status = "sample"',
    "effective_from": "effective_from = 2024-07-01",
    "programme": 'programme = "village_mutual_aid"',
    "basis": 'basis = "copay"',
    "measured_on": 'measured_on = "billed"',
    "accumulates": 'accumulates = "stay"',
    "name": 'name = "member"',
    "categories": 'categories = ["member"]',
    "brackets": 'brackets = [{ over = "2000.00", rate = "0.30" }]',
    "over": 'over = "2000.00"',
    "rate": 'rate = "0.30"',
    "care_types": 'care_types = ["inpatient"]',
    "facility_levels": 'facility_levels = ["county", "town"]',
    "diagnoses_any": 'diagnoses_any = ["C50"]',
    "areas": 'areas = ["320206"]',
    "scheme": "a [[scheme]] table",
    "tier": "a [[scheme.tier]] table below its [[scheme]]",
}
HEADING = "heading"
DATES = ("effective_from", "effective_to")
DAY = "is not a day: write it as 2024-07-01, without quotes and without a time"

_TABLES: dict[tuple[str, ...], tuple[str, type[BaseModel]]] = {
    (): ("[policy]", Policy),
    ("scheme",): ("[[scheme]]", Scheme),
    ("scheme", "tier"): ("[[scheme.tier]]", Tier),
    ("scheme", "tier", "brackets"): ("a bracket { over, rate }", Bracket),
}

_SYNTAX = (
    ("Invalid date", "this day is not in the calendar, or not written as 2024-07-01: correct it"),
    ("Cannot overwrite a value", "this field appears twice in its table: keep one of the two"),
    ("Duplicate inline table key", "a field appears twice between these braces: keep one of the two"),
    ("Unclosed array", "a list is not closed here or above: add the missing ]"),
    ("Unclosed inline table", "a bracket is not closed here or above: add the missing }"),
    ("Unterminated string", "a string is not closed: add the missing quotation mark"),
    ("Illegal character", "a string is not closed on its line: add the missing quotation mark"),
    ("Invalid value", 'this is not a value: write strings, amounts and rates in straight quotes, such as "0.80"'),
    ("Expected '='", "a field is written as `name = value`: add what is missing, or put # before a comment"),
    ("Expected newline", "something follows the value: write one field on a line, and put # before a comment"),
    ("Expected ']", "the heading of a table is not closed: write [policy], [[scheme]] or [[scheme.tier]]"),
)


def of_syntax(message: str, field: str) -> str:
    """The remedy for an error of the TOML parser; ``field`` is the key on that line."""
    if field in DATES:
        return DAY
    if field == HEADING and message.startswith("Cannot"):
        return "this table appears twice: write [policy] once, [[scheme]] and [[scheme.tier]] with two brackets"
    for start, remedy in _SYNTAX:
        if message.startswith(start):
            return remedy
    return f"is not TOML ({message}): correct this line"


def of_field(
    kind: str, message: str, location: tuple[int | str, ...], value: object, context: Mapping[str, object]
) -> str:
    """What to do about one error of pydantic: its type, message, location, input and context."""
    field = str(location[-1]) if location else "policy"
    names = tuple(part for part in location if isinstance(part, str))
    match kind:
        case "extra_forbidden":
            return _unknown(field, names[:-1])
        case "missing":
            return f"is missing: add {EXAMPLES.get(field, field)}"
        case "too_short" if not isinstance(value, str):
            return f"is empty: list at least one, such as {EXAMPLES[field]}"
        case "literal_error" | "enum":
            return _one_of(value, re.findall(r"'([^']*)'", str(context.get("expected", ""))))
        case "money":
            return f'is not an amount ({message}): write yuan in quotes, such as "2000.00"'
        case "int_type" | "greater_than_equal" | "less_than_equal":
            return "is not a number of days: write a whole number from 0 to 100000 without quotes, such as 365"
        case (
            "string_type"
            | "too_short"
            | "too_long"
            | "string_too_short"
            | "string_too_long"
            | "string_pattern_mismatch"
        ):
            return "is not text: write 1 to 200 printable characters in quotes"
        case "tuple_type":
            return _no_list(field)
        case "model_type":
            table, _ = _TABLES.get(names, ("a table", Policy))
            return f"is not a table: write {table}"
        case _:
            return message


def suggestion(field: str, names: tuple[str, ...]) -> str | None:
    """The field of the table ``names`` that an unknown field was most likely meant to be."""
    _, model = _TABLES.get(names, _TABLES[()])
    close = get_close_matches(field.lower().replace("-", "_"), _fields(model), n=1)
    return close[0] if close else None


def _unknown(field: str, names: tuple[str, ...]) -> str:
    table, _ = _TABLES.get(names, _TABLES[()])
    close = suggestion(field, names)
    if close is not None:
        return f"is not a field of {table}: did you mean {close}? Correct it or delete it"
    for other, model in _TABLES.values():
        if field in _fields(model):
            return f"is a field of {other}, not of {table}: move it there"
    return f"is not a field of {table}: delete it, or correct its spelling; docs/policies.md lists the fields"


def _fields(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _one_of(value: object, allowed: list[str]) -> str:
    listed = ", ".join(f'"{choice}"' for choice in allowed)
    close = get_close_matches(value, allowed, n=1) if isinstance(value, str) else []
    meant = f"; did you mean {close[0]}?" if close else ""
    shown = f'"{value}"' if isinstance(value, str) else "this"
    return f"{shown} is not allowed: write one of {listed}{meant}"


def _no_list(field: str) -> str:
    if field in ("scheme", "tier"):
        heading = "[[scheme]]" if field == "scheme" else "[[scheme.tier]]"
        return f"is not a list of tables: write {heading} with two brackets, as there may be several"
    return f"is not a list: write it in square brackets, such as {EXAMPLES[field]}"
