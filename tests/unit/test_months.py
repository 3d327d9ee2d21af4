"""Months: how they are written, and which instants are in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.bilingual import SaidError
from schemas.months import (
    Month,
    format_month,
    last_day,
    month_at,
    month_end,
    month_of,
    month_start,
    months_between,
    next_month,
    parse_month,
)
from tests.support.builders import unhurried

on_the_wire = TypeAdapter[date](Month)


@pytest.mark.parametrize("text", ["2024-03", "2024-12", "1902-01", "9998-12"])
def test_a_month_is_read_and_written_the_same(text: str) -> None:
    """It is its first day in the program; the wire writes it as people do."""
    month = parse_month(text)
    assert (1, text) == (month.day, format_month(month))
    assert month == on_the_wire.validate_python(text)
    assert f'"{text}"' == on_the_wire.dump_json(month).decode()


@pytest.mark.parametrize(
    "text",
    [
        *("", "2024", "2024-3", "202403", "2024-00", "2024-13", "2024-03-01", "2024/03", " 2024-03", "2024-03\n"),
        *("0001-01", "1901-12", "9999-12", "24-03", "2024-0\uff13", "\uff12024-03", "-2024-03", "2024-03Z", "3.2024"),
    ],
)
def test_what_is_no_month_is_refused(text: str) -> None:
    """In both languages, with an example."""
    with pytest.raises(SaidError) as refused:
        parse_month(text)
    assert all("2024-03" in each for each in refused.value.saying)
    with pytest.raises(ValidationError):
        on_the_wire.validate_python(text)


@pytest.mark.parametrize("wrong", [None, 202403, 2024.03, True, date(2024, 3, 2), datetime(2024, 3, 1, tzinfo=UTC)])
def test_what_is_no_text_is_no_month_on_the_wire(wrong: object) -> None:
    """Nor is a day within a month, or an instant."""
    with pytest.raises(ValidationError):
        on_the_wire.validate_python(wrong)


def test_a_month_has_all_instants_from_its_first_midnight_in_shanghai_to_the_next() -> None:
    """March of 2024 begins at 16:00 of 29 February in UTC, and ends before 16:00 of 31 March."""
    march = date(2024, 3, 1)
    assert (datetime(2024, 2, 29, 16, tzinfo=UTC), datetime(2024, 3, 31, 16, tzinfo=UTC)) == (
        month_start(march),
        month_end(march),
    )
    tick = timedelta(microseconds=1)
    assert [date(2024, 2, 1), march, march, date(2024, 4, 1)] == [
        month_at(month_start(march) - tick),
        month_at(month_start(march)),
        month_at(month_end(march) - tick),
        month_at(month_end(march)),
    ]
    assert date(2024, 3, 31) == last_day(march)
    assert date(2024, 2, 29) == last_day(date(2024, 2, 1))


@unhurried
@given(st.dates(date(1902, 1, 1), date(9998, 12, 31)))
def test_every_day_is_in_one_month(day: date) -> None:
    """And the first day after a month is in the next one."""
    month = month_of(day)
    assert month <= day <= last_day(month) < next_month(month)
    assert month == month_of(last_day(month)) == parse_month(format_month(month))
    assert month_end(month) == month_start(next_month(month))
    assert next_month(month) == month_of(last_day(month) + timedelta(days=1))
    assert (0, 1, -1) == (
        months_between(month, month),
        months_between(month, next_month(month)),
        months_between(next_month(month), month),
    )
