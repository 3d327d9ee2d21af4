"""The values of a policy file: rates as exact fractions, amounts as fen, days; each refusal names its remedy."""

from __future__ import annotations

import re
from datetime import date, datetime
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError

from schemas.bilingual import Saying
from schemas.money import WireYuan

NO_DAY = Saying(
    "不是日期:请写成 2024-07-01 的样子,不带引号,不带时间",
    "is not a day: write it as 2024-07-01, without quotes and without a time",
)

_RATE = re.compile(r"(-?)([0-9]{1,9}(?:\.[0-9]{1,40})?)")


def wrong(kind: str, zh: str, en: str, **context: object) -> PydanticCustomError:
    """What pydantic is to report of a value, in both languages; ``context`` may say ``at`` which part of it."""
    return PydanticCustomError(kind, "{en}", {"en": en, "zh": zh, **context})


def _rate(value: object) -> Fraction:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    match = _RATE.fullmatch(text)
    if match is None:
        zh = '不是比例:请写 "0" 到 "1" 之间的小数,80% 写成 "0.80"'
        raise wrong("rate", zh, 'is not a rate: write a decimal from "0" to "1", such as "0.80" for 80 %')
    if match[1]:
        zh = '小于 0:比例请写 "0" 到 "1" 之间的小数,80% 写成 "0.80"'
        raise wrong("rate", zh, 'is below 0: write a rate from "0" to "1", such as "0.80" for 80 %')
    rate = Fraction(text)
    if rate > 1:
        zh = '大于 1:80% 写成 "0.80",全部写成 "1"'
        raise wrong("rate", zh, 'is above 1: 80 % is written "0.80", and all of it "1"')
    return rate


def decimal_text(value: Fraction) -> str:
    """A finite decimal fraction in its shortest form: 4/5 is ``"0.8"``."""
    return quotient_text(value.numerator, value.denominator)


def quotient_text(numerator: int, denominator: int) -> str:
    """What `decimal_text` writes for the fraction of two whole numbers, neither of them negative."""
    places = 0
    while numerator % denominator:
        numerator *= 10
        places += 1
    digits = str(numerator // denominator)
    if places == 0:
        return digits
    digits = digits.zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}"


def toml_day(value: object) -> date | None:
    """A day of a TOML file, which may stand in quotes; None if it is none."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _toml_date(value: object) -> date:
    day = toml_day(value)
    if day is None:
        raise wrong("date", *NO_DAY)
    return day


def _not_negative(value: int) -> int:
    if value < 0:
        raise wrong("amount", '小于 0:金额请写 "0.00" 元或以上', 'is below 0: write an amount of "0.00" yuan or more')
    return value


Rate = Annotated[Fraction, BeforeValidator(_rate), PlainSerializer(decimal_text, return_type=str)]
PolicyDate = Annotated[date, BeforeValidator(_toml_date)]
PolicyYuan = Annotated[WireYuan, AfterValidator(_not_negative)]
