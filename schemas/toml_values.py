"""Values that several kinds of TOML files have: each function gives one, or raises SaidError with what to write."""

from __future__ import annotations

import re
from datetime import date

from schemas.bilingual import SaidError
from schemas.money import parse_yuan
from schemas.number_literals import NumberLiteral
from schemas.policy.policy_values import NO_DAY, toml_day
from schemas.policy.remedies import AMOUNT, TEXT, one_of

STATUSES = ("sample", "enacted")
"""As those of policies."""

_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


def text(value: object) -> str:
    if not isinstance(value, str) or isinstance(value, NumberLiteral) or not _TEXT.fullmatch(value):
        raise SaidError(*TEXT)
    return value


def title(value: object) -> str:
    return "" if value == "" else text(value)


def status(value: object) -> str:
    return word(value, STATUSES)


def word(value: object, allowed: tuple[str, ...]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in allowed:
        raise SaidError(*one_of(value, allowed))
    return value


def day(value: object) -> date:
    found = toml_day(value)
    if found is None:
        raise SaidError(*NO_DAY)
    return found


def not_negative(value: object) -> int:
    """An amount in fen, 0 or more."""
    fen = amount(value)
    if fen < 0:
        raise SaidError('小于 0:金额请写 "0.00" 元或以上', 'is below 0: write an amount of "0.00" yuan or more')
    return fen


def amount(value: object) -> int:
    """An amount in fen, which may be negative."""
    try:
        return parse_yuan(as_written(value))
    except SaidError as error:
        said = error.saying
        raise SaidError(f"不是金额({said.zh}):{AMOUNT.zh}", f"is not an amount ({said.en}): {AMOUNT.en}") from None


def as_written(value: object) -> str:
    """A number as it is written, in quotes or without; nothing if it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return str(value) if isinstance(value, str) else ""
