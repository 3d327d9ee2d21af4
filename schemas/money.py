"""Money: integer fen inside, a decimal string in yuan on the wire (claims.md, section 2).

A float never touches an amount. JSON numbers arrive here as the *literal* that was written
(`schemas.number_literals`), because `0.1 + 0.2` has no place in a payment.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from schemas.bilingual import SaidError, field_error

FEN_PER_YUAN: Final = 100
FEN_MAX: Final = 10**14 - 1
"""Largest amount accepted: 999,999,999,999.99 yuan. 90,000 such bills still fit in a 64-bit sum (2**63 / 10**14)."""

_CENTS: Final = tuple([f"{cents:02d}" for cents in range(FEN_PER_YUAN)])
"""Written once: formats are what mypyc does slowest."""
_YUAN = re.compile(r"(-?)([0-9]{1,40})(?:\.([0-9]{1,2}))?")


def parse_yuan(text: str) -> int:
    """Fen of a decimal amount in yuan such as ``"1234.5"`` or ``"-0.07"``.

    Raises ValueError for anything else: exponents, more than two decimals, blanks, too large an amount.
    """
    match = _YUAN.fullmatch(text)
    if match is None:
        raise SaidError(
            "金额应为十进制数(元),最多两位小数", "an amount is a decimal number of yuan with at most two decimals"
        )
    sign, whole, cents = match.groups(default="")
    fen = int(whole) * FEN_PER_YUAN + int(cents.ljust(2, "0"))
    if fen > FEN_MAX:
        raise SaidError("金额最多 999999999999.99 元", "an amount is at most 999999999999.99 yuan")
    return -fen if sign else fen


def format_yuan(fen: int) -> str:
    """Fen as a string in yuan with exactly two decimals: ``-7`` becomes ``"-0.07"``."""
    if fen < 0:
        return "-" + format_yuan(-fen)
    return f"{fen // FEN_PER_YUAN}.{_CENTS[fen % FEN_PER_YUAN]}"


def round_half_up(numerator: int, denominator: int) -> int:
    """The non-negative rational ``numerator / denominator`` rounded half-up to an integer (四舍五入)."""
    return (2 * numerator + denominator) // (2 * denominator)


def _fen_from_wire(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _fen_from_text(value)


def _fen_from_text(value: object) -> int:
    if not isinstance(value, str):  # a NumberLiteral is a str too: both are read from their literal
        raise field_error("money", "金额应为字符串或数字(元)", "an amount is a string or a number of yuan")
    try:
        return parse_yuan(str(value))
    except SaidError as error:
        raise field_error("money", *error.saying) from None


def _fen_or_text(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else _fen_from_text(value)


_yuan_out = PlainSerializer(format_yuan, return_type=str, when_used="json")

_TEXT_IN = {"type": "string", "pattern": r"^-?[0-9]{1,40}(\.[0-9]{1,2})?$", "examples": ["1234.5", "1234.56"]}
_NUMBER_IN = {"type": "number", "description": "read from its literal, which has at most two decimals and no exponent"}
_in_schema = WithJsonSchema({"anyOf": [_TEXT_IN, _NUMBER_IN], "description": "yuan"}, mode="validation")
_OUT = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)\.[0-9]{2}$", "description": "yuan, exactly two decimals"}
_out_schema = WithJsonSchema({**_OUT, "examples": ["1234.50"]}, mode="serialization")

WireYuan = Annotated[int, BeforeValidator(_fen_from_wire), _yuan_out, _in_schema, _out_schema]
"""For inbound amounts: a string or number of *yuan*, read into integer fen. May be negative: rules decide."""

Fen = Annotated[int, BeforeValidator(_fen_or_text), _yuan_out, _in_schema, _out_schema]
"""For outbound amounts: built from integer *fen*; a string of yuan on the wire and when read back."""
