"""Whom another file of watches would find: sums that are collected over some persons and added up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from handlers.claims.households import Unit
from handlers.watches.crossings import Crossing


@dataclass(slots=True)
class FoundUnits:
    """The units that a watch finds before and after, and how many crossings there are."""

    before: set[Unit] = field(default_factory=set)
    after: set[Unit] = field(default_factory=set)
    crossings_before: int = 0
    crossings_after: int = 0

    @property
    def gained(self) -> list[str]:
        """The ids of the units that only the new file finds, sorted."""
        return _ids(self.after - self.before)

    @property
    def lost(self) -> list[str]:
        """The ids of the units that only the old file finds, sorted."""
        return _ids(self.before - self.after)

    @property
    def kept(self) -> int:
        """How many units both find."""
        return len(self.before & self.after)


@dataclass(slots=True)
class WatchComparison:
    """What two files find, by the id of the watch. Comparisons over different persons add up."""

    watches: dict[str, FoundUnits] = field(default_factory=dict)

    def take(self, before: Iterable[Crossing], after: Iterable[Crossing]) -> None:
        """Counts what the old and the new file find among some persons."""
        for crossing in before:
            found = self.watches.setdefault(crossing.watch.id, FoundUnits())
            found.before.add(crossing.unit)
            found.crossings_before += 1
        for crossing in after:
            found = self.watches.setdefault(crossing.watch.id, FoundUnits())
            found.after.add(crossing.unit)
            found.crossings_after += 1

    def merge(self, other: WatchComparison) -> None:
        """Adds what was found among other persons."""
        for name, more in other.watches.items():
            found = self.watches.setdefault(name, FoundUnits())
            found.before |= more.before
            found.after |= more.after
            found.crossings_before += more.crossings_before
            found.crossings_after += more.crossings_after


def _ids(units: Iterable[Unit]) -> list[str]:
    return sorted(person_id if household_id is None else household_id for household_id, person_id in units)
