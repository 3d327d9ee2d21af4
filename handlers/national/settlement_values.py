"""The values of a national settlement list: texts, codes, amounts in fen, days and instants, from JSON, CSV or Excel.

A value is a text, a whole number, a number's literal, a date, or a float from a cell of a spreadsheet. Times without
an offset are in Asia/Shanghai, as the interface writes them (``yyyy-MM-dd HH:mm:ss``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from handlers.claims.future_dates import too_far_ahead
from schemas.bilingual import Saying
from schemas.dates import SHANGHAI, parse_instant
from schemas.money import parse_yuan
from schemas.national.national_refusal import NationalCode, NationalRefusal
from schemas.number_literals import NumberLiteral
from schemas.refusals import Refusal

NationalRecord = Mapping[str, object]
"""One record by field name, in lower case. An empty text counts as absent."""

ALIASES = {
    "enddata": "enddate",
    "psn_cashpay": "psn_cash_pay",
    "cash_payamt": "psn_cash_pay",
    "dise_no": "dise_codg",
}
"""Other spellings of a field found in practice, and the one used here."""

CELL_DIGITS = 15
"""A spreadsheet's number holds 15 significant digits; a float's digits beyond them are noise."""

_DAY = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[ T][0-9:.]+(?:Z|[+-][0-9:]+)?)?")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")


class FieldTrouble(Exception):
    """A value that cannot be used."""

    def __init__(self, name: str, trouble: Saying) -> None:
        """``trouble`` continues a sentence that starts with the field's name."""
        super().__init__(trouble.en)
        self.refusal = NationalRefusal(
            code=NationalCode.FIELD_INVALID,
            fields=(name,),
            zh=f"字段 {name} {trouble.zh}。",
            en=f"The field {name} {trouble.en}.",
        )


def spelled(record: Mapping[str, object]) -> dict[str, object]:
    """The record under the field names used here, without absent values. Raises FieldTrouble for a contradiction."""
    fields: dict[str, object] = {}
    for spelling, value in record.items():
        lower = spelling.strip().lower()
        name = ALIASES.get(lower, lower)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if name in fields and fields[name] != value:
            raise FieldTrouble(name, Saying("有两个不同的值", "appears twice with different values: keep one"))
        fields[name] = value
    return fields


def text(record: NationalRecord, name: str) -> str:
    """An id. A number's cell is refused: spreadsheets round long numbers and drop leading zeros."""
    value = _required(record, name)
    if isinstance(value, str) and not isinstance(value, NumberLiteral) and value.isprintable():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise FieldTrouble(
        name,
        Saying(
            "不是文本:编号在表格里请设为文本格式,数字格式会丢位",
            "is not text: format the column as text (numbers lose digits), and in JSON put it in quotes",
        ),
    )


def code(record: NationalRecord, name: str) -> str | None:
    """A code of a code table, or None where it is absent; ``21``, ``21.0`` and ``"21"`` are one code."""
    value = record.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, NumberLiteral | bool | float) or not isinstance(value, str | int):
        raise FieldTrouble(name, Saying("不是代码", "is not a code: write the code of the national table as text"))
    return str(value).strip()


def amount(record: NationalRecord, name: str) -> int | None:
    """Fen of an amount in yuan, or None where it is absent. Exact: what is not a whole fen is refused."""
    value = record.get(name)
    if value is None:
        return None
    if isinstance(value, float):
        value = f"{Decimal(f'{value:.{CELL_DIGITS}g}'):f}"
        value = value.rstrip("0").rstrip(".") if "." in value else value
    try:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError
        return parse_yuan(str(value).strip())
    except ValueError:
        raise FieldTrouble(
            name,
            Saying(
                "不是金额:请写以元为单位、最多两位小数的数字,不带千分位",
                "is not an amount: write yuan with at most two decimals, without thousands separators",
            ),
        ) from None


def day(record: NationalRecord, name: str) -> date:
    """A calendar day; a time of day after it is ignored."""
    value = _required(record, name)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    match = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise FieldTrouble(name, Saying("不是日期:请写成 2024-03-10", "is not a day: write it as 2024-03-10")) from None


def instant(record: NationalRecord, name: str) -> datetime:
    """A moment, to the second or finer."""
    value = _required(record, name)
    try:
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=SHANGHAI)
        if not isinstance(value, str):
            raise ValueError
        written = value.strip()
        if _LOCAL.fullmatch(written):
            return parse_instant(f"{written[:10]}T{written[11:]}+08:00").astimezone(SHANGHAI)
        return parse_instant(written.replace(" ", "T", 1)).astimezone(SHANGHAI)
    except ValueError:
        raise FieldTrouble(
            name, Saying("不是时间:请写成 2024-03-10 15:00:00", "is not a time: write it as 2024-03-10 15:00:00")
        ) from None


def _required(record: NationalRecord, name: str) -> object:
    value = record.get(name)
    if value is None:
        raise FieldTrouble(name, Saying("缺失,请补上", "is missing: add it"))
    return value


def from_the_future(record: NationalRecord, sent_at: datetime) -> Refusal | None:
    """The refusal of a record, refunds too, that was settled or changed more than a day after it is sent.

    Versions are made of these instants: one in the future would leave every correction stale until then. Raises
    FieldTrouble.
    """
    for name in ("setl_time",) if "version" in record else ("setl_time", "updt_time"):
        if name in record:
            gap = instant(record, name) - sent_at
            refusal = too_far_ahead(name, gap, Saying("发送的时间", "the moment of sending"))
            if refusal is not None:
                return refusal
    return None
