"""Funeral lists (殡葬名单): who is said to have died, and how each line compares with the ledger."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from schemas.bilingual import Saying
from schemas.dates import BusinessDate
from schemas.ids import PersonId


class ListedDeath(NamedTuple):
    """One line of a list; ``line`` is that of the file, from 1.

    ``number`` is what the list has for the person: the ledger's own id, or an identity number (``is_identity``).
    """

    line: int
    number: str
    is_identity: bool
    died_on: date


class UnreadableDeath(NamedTuple):
    """A line that cannot be compared: where, and why."""

    line: int
    why: Saying


class FuneralList(NamedTuple):
    """What was read of a file; ``sha256`` is that of its bytes."""

    deaths: list[ListedDeath]
    unreadable: list[UnreadableDeath]
    sha256: str

    @property
    def lines(self) -> int:
        """How many lines the list has."""
        return len(self.deaths) + len(self.unreadable)


class ListedKind(StrEnum):
    """What a line comes to. Only a candidate gets an alert."""

    CANDIDATE = "candidate"
    OTHER_DAY = "other_day"
    LISTED_TWICE = "listed_twice"
    UNREADABLE = "unreadable"
    RECORDED = "recorded"
    NO_MEMBER = "no_member"


class ComparedDeath(NamedTuple):
    """One line of a list, compared. ``recorded_on`` is the day of death that the registry has recorded."""

    line: int
    kind: ListedKind
    why: Saying
    person_id: PersonId | None = None
    died_on: date | None = None
    recorded_on: date | None = None


class DeathReport(BaseModel):
    """A funeral list says that somebody died on a day. No fact: the registry has to verify it."""

    model_config = ConfigDict(frozen=True)

    list_id: str
    died_on: BusinessDate


class MatchDeaths(NamedTuple):
    """An operator's act: the list ``list_id`` names these living members, and replaces what it said before.

    ``found`` are persons and days of death, ``YYYY-MM-DD``. ``sha256`` is that of the file, which had ``lines`` lines.
    """

    list_id: str
    sha256: str
    lines: int
    found: list[list[str]]
    operator: str
