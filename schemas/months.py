"""Months, as statements and books have them: calendar months in Asia/Shanghai.

In the program a month is the date of its first day; people and the wire write it ``2024-03``.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from schemas.bilingual import SaidError, field_error
from schemas.dates import SHANGHAI, shanghai_date

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_FIRST_YEAR, _LAST_YEAR = 1902, 9998
"""Outside of these a month has an edge that is no instant, or no month after it."""


def parse_month(text: str) -> date:
    """The first day of a month that is written like ``2024-03``. Raises SaidError for anything else."""
    match = _MONTH.fullmatch(text)
    if match is None or not _FIRST_YEAR <= int(match[1]) <= _LAST_YEAR:
        raise SaidError(
            "月份应写作 YYYY-MM,例如 2024-03", "a month is written YYYY-MM and is in the calendar, such as 2024-03"
        )
    return date(int(match[1]), int(match[2]), 1)


def format_month(month: date) -> str:
    """A month for people and on the wire: ``2024-03``."""
    return month.isoformat()[:7]


def month_of(day: date) -> date:
    """The month that a day is in."""
    return day.replace(day=1)


def month_at(instant: datetime) -> date:
    """The month that it is in Shanghai at an instant."""
    return month_of(shanghai_date(instant))


def next_month(month: date) -> date:
    """The month after a month."""
    return month_of(month + timedelta(days=31))


def last_day(month: date) -> date:
    """The last day of a month."""
    return next_month(month) - timedelta(days=1)


def months_between(month: date, later: date) -> int:
    """How many months after ``month`` another one is."""
    return (later.year - month.year) * 12 + later.month - month.month


def month_start(month: date) -> datetime:
    """The instant at which a month begins in Shanghai."""
    return datetime.combine(month, time(), SHANGHAI)


def month_end(month: date) -> datetime:
    """The first instant that is no longer in a month."""
    return month_start(next_month(month))


def _from_wire(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime) and value.day == 1:
        return value  # built by the program itself; JSON has no such value
    try:
        return parse_month(value if isinstance(value, str) else "")
    except SaidError as error:
        raise field_error("month", *error.saying) from None


Month = Annotated[
    date,
    BeforeValidator(_from_wire),
    PlainSerializer(format_month, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^{_MONTH.pattern}$", "examples": ["2024-03"]}),
]
"""A month on the wire."""
