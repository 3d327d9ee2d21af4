"""Dates and instants: RFC 3339 with an offset, and the calendar date in Asia/Shanghai."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.dates import BusinessDate, format_instant, parse_instant, shanghai_date
from tests.support.builders import unhurried

business_date = TypeAdapter[date](BusinessDate)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-05-01T08:00:00+08:00", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-01T00:00:00Z", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-01t00:00:00z", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-01T00:00:00-00:00", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-04-30T14:30:00-09:30", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-01T00:00:00.5Z", datetime(2024, 5, 1, microsecond=500_000, tzinfo=UTC)),
        ("2024-05-01T00:00:00.123456789Z", datetime(2024, 5, 1, microsecond=123_456, tzinfo=UTC)),
        ("2024-02-29T23:59:59+08:00", datetime(2024, 2, 29, 15, 59, 59, tzinfo=UTC)),
    ],
)
def test_rfc_3339_with_an_offset_is_read(text: str, utc: datetime) -> None:
    """Any offset, either case of T and Z, any number of decimals of a second (below the microsecond dropped)."""
    assert utc == parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-05-01",
        "2024-05-01T08:00:00",
        "2024-05-01 08:00:00+08:00",
        "2024-05-01T08:00+08:00",
        "2024-05-01T08:00:00+0800",
        "2024-05-01T08:00:00+08",
        "2024-05-01T08:00:00.+08:00",
        "2024-05-01T08:00:00,5+08:00",
        "20240501T080000Z",
        "2024-5-1T08:00:00Z",
        "2024-02-30T08:00:00Z",
        "2023-02-29T08:00:00Z",
        "2024-13-01T08:00:00Z",
        "2024-05-01T24:00:00Z",
        "2024-05-01T08:60:00Z",
        "2024-05-01T08:00:61Z",
        "2024-05-01T08:00:00+24:00",
        "2024-05-01T08:00:00Z ",
        "2024-05-01T08:00:00Z\n",
        "\uff12024-05-01T08:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+08:00",  # before year 1 in UTC
        "9999-12-31T23:59:59Z",  # after year 9999 in Shanghai
        "1714521600",
    ],
)
def test_what_is_not_an_instant_is_refused(text: str) -> None:
    """No offset, another separator, a day that does not exist, or an instant outside the calendar."""
    with pytest.raises(ValueError, match="instant"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2023-12-31T15:59:59Z", date(2023, 12, 31)),
        ("2023-12-31T15:59:59.999999Z", date(2023, 12, 31)),
        ("2023-12-31T16:00:00Z", date(2024, 1, 1)),
        ("2023-12-31T23:59:59+08:00", date(2023, 12, 31)),
        ("2024-01-01T00:00:00+08:00", date(2024, 1, 1)),
        ("2023-12-31T23:30:00-05:00", date(2024, 1, 1)),
        ("2024-02-28T16:00:00Z", date(2024, 2, 29)),
        ("2023-02-28T16:00:00Z", date(2023, 3, 1)),
        ("2024-02-29T16:00:00Z", date(2024, 3, 1)),
        ("1988-07-01T15:30:00Z", date(1988, 7, 2)),  # summer time was kept in China then: UTC+9
    ],
)
def test_the_date_of_an_instant_is_its_date_in_shanghai(text: str, day: date) -> None:
    """Eight hours ahead of UTC: New Year begins at 16:00 of the old year, and a leap day is a day."""
    assert day == shanghai_date(parse_instant(text))


@unhurried
@given(st.datetimes(datetime(1902, 1, 1), datetime(9999, 12, 29)), st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_an_instant_is_read_back_from_what_is_written(moment: datetime, minutes: int) -> None:
    """Writing and reading again gives the same instant to the microsecond, whatever its offset was."""
    instant = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert instant == parse_instant(format_instant(instant))


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2023, 12, 31, 16, tzinfo=UTC), "2024-01-01T00:00:00+08:00"),
        (datetime(2024, 5, 1, 0, 0, 0, 1, tzinfo=UTC), "2024-05-01T08:00:00.000001+08:00"),
    ],
)
def test_an_instant_is_written_in_shanghai(instant: datetime, text: str) -> None:
    """With the offset +08:00, and microseconds only where there are any."""
    assert text == format_instant(instant)


@pytest.mark.parametrize("text", ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"])
def test_a_calendar_date_is_read(text: str) -> None:
    """YYYY-MM-DD, leap days in leap years."""
    assert text == business_date.validate_python(text).isoformat()


@pytest.mark.parametrize(
    "wrong",
    [
        *("2023-02-29", "1900-02-29", "2024-2-9", "20240229", "2024-02-29T00:00:00Z", "2024-W09-4", "", " 2024-02-29"),
        *(0, None, 20240229, True, 1.5, date(2024, 2, 29), ["2024-02-29"]),
    ],
)
def test_what_is_not_a_calendar_date_is_refused(wrong: object) -> None:
    """A day that does not exist, another spelling of ISO 8601, or no string."""
    with pytest.raises(ValidationError):
        business_date.validate_python(wrong)
