"""The oracle of grace: a coverage that ended and still counts for some calendar months (time.md, section 6)."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date

Ymd = tuple[int, int, int]
"""Year, month and day; unlike a `date` it may lie after the year 9999, or before the year 1."""


def months_after(day: date, months: int) -> Ymd:
    """The same day so many calendar months later (or, below zero, earlier), or the last of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return year, month + 1, min(day.day, monthrange(year % 400 + 400, month + 1)[1])


def is_in_grace(
    day: date, valid_to: date | None, ended_reason: str | None, months: int | None, reasons: Sequence[str] | None
) -> bool:
    """Whether a coverage that ended on `valid_to`, for that reason, counts on the day by a scheme's grace alone.

    `months` is None for a scheme without grace, `reasons` for one that lists none: then all do, and none at all.
    """
    if months is None or valid_to is None or day < valid_to:
        return False
    if reasons is not None and ended_reason not in reasons:
        return False
    return (day.year, day.month, day.day) < months_after(valid_to, months)
