"""Dates and instants as they are written on the wire.

Business dates are calendar dates, ``YYYY-MM-DD``. Instants are RFC 3339 with an offset; the date of an
instant is its date in Asia/Shanghai (claims.md, section 3). Intervals of dates are half-open.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from schemas.bilingual import SaidError, Saying, field_error

SHANGHAI = ZoneInfo("Asia/Shanghai")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_DATE = Saying(
    "日期应写作 YYYY-MM-DD,并且日历上有这一天", "a date is written YYYY-MM-DD and must exist in the calendar"
)
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,12}))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def shanghai_date(instant: datetime) -> date:
    """The business date of an instant: its calendar date in Asia/Shanghai."""
    return instant.astimezone(SHANGHAI).date()


def months_later(day: date, months: int) -> date | None:
    """The same day some months later, or the last of a month that is too short; earlier, if they are below zero.

    None outside the years 1 to 9999.
    """
    years, month = divmod(day.month - 1 + months, 12)
    if not date.min.year <= day.year + years <= date.max.year:
        return None
    first = date(day.year + years, month + 1, 1)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))


def parse_instant(text: str) -> datetime:
    """An RFC 3339 timestamp with offset; digits below the microsecond are dropped. Raises ValueError."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise SaidError(
            "时间应为带时区的 RFC 3339 格式,例如 2024-05-01T08:00:00+08:00",
            "an instant is RFC 3339 with an offset, such as 2024-05-01T08:00:00+08:00",
        )
    day, clock, fraction, offset = match.groups(default="")
    zone = "+00:00" if offset in "Zz" else offset
    try:
        instant = datetime.fromisoformat(f"{day}T{clock}.{fraction[:6].ljust(6, '0')}{zone}")
        shanghai_date(instant)
        instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SaidError("日历上没有这个时间", "no such instant in the calendar") from None
    return instant


def parse_date(text: str) -> date:
    """A calendar date that is written ``YYYY-MM-DD``. Raises SaidError."""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise SaidError(*_NO_DATE)


def format_instant(instant: datetime) -> str:
    """RFC 3339 in Asia/Shanghai; microseconds only when there are any."""
    return instant.astimezone(SHANGHAI).isoformat()


def _date_from_wire(value: object) -> date:
    try:
        if isinstance(value, str):
            return parse_date(value)
    except SaidError:
        pass
    raise field_error("calendar_date", *_NO_DATE)


def _instant_from_wire(value: object) -> datetime:
    if isinstance(value, datetime):  # built by the program itself; JSON has no such value
        return value
    if not isinstance(value, str):
        raise field_error(
            "instant", "时间应为字符串,写作带时区的 RFC 3339 格式", "an instant is a string, RFC 3339 with an offset"
        )
    try:
        return parse_instant(value)
    except SaidError as error:
        raise field_error("instant", *error.saying) from None


BusinessDate = Annotated[
    date,
    BeforeValidator(_date_from_wire),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{_DATE.pattern}$", "examples": ["2024-03-10"]}),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant_from_wire),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "pattern": f"^{_INSTANT.pattern}$",
            "description": "RFC 3339 with an offset; its date is the one in Asia/Shanghai",
            "examples": ["2024-03-10T15:00:00+08:00"],
        }
    ),
]
