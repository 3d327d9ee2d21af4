"""The wire format of the population's events, and the outbox that collects the events of one household.

The generator uses only integers for time, so nothing depends on a clock or a time zone database: a `Day` is a proleptic
ordinal (`date.toordinal`), an `Instant` is seconds of Shanghai local time since ordinal 0. Money is integer fen.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple

Value = str | int | float | bool | list[str]
Event = dict[str, Value]
Day = int
Instant = int

MINUTE_SECONDS = 60
HOUR_SECONDS = 60 * MINUTE_SECONDS
DAY_SECONDS = 24 * HOUR_SECONDS
SHANGHAI_OFFSET_SECONDS = 8 * HOUR_SECONDS

# Odd, so multiplying by it modulo 2**32 is a bijection: ids look random and never collide in a population.
_SCRAMBLE = 2_654_435_761
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Horizon:
    """The business years of a population, from the day `opens` to the day `closes` (exclusive)."""

    first_year: int
    last_year: int

    @property
    def opens(self) -> Day:
        """The first day of the first business year."""
        return new_year(self.first_year)

    @property
    def closes(self) -> Day:
        """The day after the last business year: nothing is sent on or after it."""
        return new_year(self.last_year + 1)

    def years(self) -> Iterator[int]:
        """Every business year, ascending."""
        return iter(range(self.first_year, self.last_year + 1))


class Message(NamedTuple):
    """An event as it was sent.

    `occurred` is its instant in seconds; `held` is an extra delay in seconds, in addition to the ordinary one.
    """

    occurred: Instant
    held: int
    event: Event


class Outbox:
    """Collects the events of one household, numbered after ``last_number``; drops those after the horizon."""

    def __init__(self, household_key: str, horizon: Horizon, last_number: int = 0) -> None:
        self._household_key = household_key
        self._closes = horizon.closes * DAY_SECONDS
        self._last_number = last_number
        self.messages: list[Message] = []

    def next_event_id(self) -> str:
        """A new `event_id`, unique in the population."""
        self._last_number += 1
        return f"ev-{self._household_key}-{self._last_number:05d}"

    def send(
        self,
        event_type: str,
        occurred: Instant,
        source: str,
        fields: Event,
        *,
        held: int = 0,
        utc: bool = False,
    ) -> None:
        """Put an event in the outbox; `held` is in seconds, `utc` writes `occurred_at` in UTC."""
        if occurred >= self._closes:
            return
        event: Event = {
            "event_type": event_type,
            "event_id": self.next_event_id(),
            "occurred_at": iso_instant(occurred, utc=utc),
            "source": source,
        }
        event.update(fields)
        self.messages.append(Message(occurred, held, event))


@cache
def new_year(year: int) -> Day:
    """1 January of a year, as a day."""
    return date(year, 1, 1).toordinal()


@cache
def year_of(day: Day) -> int:
    """The calendar year of a day."""
    return date.fromordinal(day).year


@cache
def iso_day(day: Day) -> str:
    """A day as `YYYY-MM-DD`."""
    return date.fromordinal(day).isoformat()


def iso_instant(instant: Instant, *, utc: bool = False) -> str:
    """An instant as RFC 3339, with the offset `+08:00`, or in UTC with `Z`."""
    day, second = divmod(instant - SHANGHAI_OFFSET_SECONDS if utc else instant, DAY_SECONDS)
    minutes, seconds = divmod(second, MINUTE_SECONDS)
    hours, minutes = divmod(minutes, 60)
    return f"{iso_day(day)}T{hours:02d}:{minutes:02d}:{seconds:02d}{'Z' if utc else '+08:00'}"


def yuan(fen: int) -> str:
    """Fen as a decimal string in yuan with exactly two decimals, and its sign."""
    sign = "-" if fen < 0 else ""
    whole, part = divmod(abs(fen), 100)
    return f"{sign}{whole}.{part:02d}"


def encode(event: Event) -> bytes:
    """An event as one line of compact JSON in UTF-8, without a newline."""
    return _ENCODER.encode(event).encode()


def scrambled(salt: int, number: int) -> str:
    """Eight hexadecimal digits that look random; distinct for every `number` below 2**32 with the same salt."""
    return f"{(number * _SCRAMBLE + salt) % 2**32:08x}"
