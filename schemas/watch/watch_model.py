"""Watches: what people bear themselves is summed up over some months, and whoever crosses a step is found (time.md, 4).

Money is fen, intervals of dates are half-open. A file of watches is identified by the SHA-256 of its canonical form, as
a policy is: comments, the order of keys and of steps, and the spelling of a number do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from schemas.canonical import canonical_json, sha256_hex
from schemas.money import format_yuan
from schemas.watch.watch_conflicts import WatchesConflict, conflicts

MEASURES = ("copay", "out_of_catalogue", "personal_burden", "patient_pays")
"""What can be summed up. No claim has more of any of them than its personal burden."""

HOUSEHOLD = "household"
UNITS = ("person", HOUSEHOLD)
"""Whose claims are summed up together."""


@dataclass(frozen=True, slots=True)
class WatchRule:
    """Looks at the sum of a measure over a unit's claims of ``window_months``; ``steps`` (fen) ascend.

    With ``categories``, only claims whose person has a coverage of one of them may cross a step.
    """

    id: str
    title: str
    measure: str
    unit: str
    window_months: int
    steps: tuple[int, ...]
    categories: tuple[str, ...]

    @property
    def by_household(self) -> bool:
        """Whether it adds up what all members of a household bear."""
        return self.unit == HOUSEHOLD

    @property
    def fields(self) -> dict[str, Any]:
        """Every field that is set, as the file spells it."""
        found: dict[str, Any] = {
            "id": self.id,
            "title": self.title,
            "measure": self.measure,
            "unit": self.unit,
            "window_months": self.window_months,
            "steps": [format_yuan(step) for step in self.steps],
            "categories": list(self.categories),
        }
        return {name: value for name, value in found.items() if value not in ("", [])}


@dataclass(frozen=True, slots=True)
class Watches:
    """The watches of one file: a claim discharged on a day of ``[effective_from, effective_to)`` may cross their steps.

    Without a first day it may from ever, without an end for ever.
    """

    id: str
    title: str
    status: str
    effective_from: date | None
    effective_to: date | None
    watches: tuple[WatchRule, ...]
    sha256: str = ""

    @property
    def by_household(self) -> bool:
        """Whether one of them adds up what all members of a household bear."""
        return any(watch.by_household for watch in self.watches)

    @property
    def lowest_step(self) -> int:
        """The lowest step of all (fen): whose claims add up to no more crosses none."""
        return min(watch.steps[0] for watch in self.watches)

    @property
    def fields(self) -> dict[str, Any]:
        """Every field that is set, as the file spells it."""
        head: dict[str, Any] = {
            "id": self.id,
            "title": self.title,
            "status": self.status,
            "effective_from": None if self.effective_from is None else self.effective_from.isoformat(),
            "effective_to": None if self.effective_to is None else self.effective_to.isoformat(),
        }
        set_ones = {name: value for name, value in head.items() if value not in (None, "")}
        return {"watches": set_ones, "watch": [watch.fields for watch in self.watches]}

    @property
    def canonical(self) -> bytes:
        """The bytes that identify the file."""
        return canonical_json(self.fields)

    def holds(self, day: date) -> bool:
        """Whether a claim discharged on a day may cross a step."""
        if self.effective_from is not None and day < self.effective_from:
            return False
        return self.effective_to is None or day < self.effective_to


@dataclass(frozen=True, slots=True)
class PublishedWatches:
    """The files of watches that hold together, in the order of their publication."""

    files: tuple[Watches, ...] = ()

    @property
    def by_household(self) -> bool:
        """Whether a watch of some file adds up what all members of a household bear."""
        return any(file.by_household for file in self.files)

    @property
    def lowest_step(self) -> int:
        """The lowest step of all files (fen); there is one at least."""
        return min(file.lowest_step for file in self.files)

    def joined(self, file: Watches) -> PublishedWatches:
        """These, which never change, and one more; the same ones if it is one of them. Raises WatchesConflict."""
        if any(file.sha256 == each.sha256 for each in self.files):
            return self
        if found := conflicts(self.files, file):
            raise WatchesConflict(found)
        return PublishedWatches((*self.files, file))


NO_WATCHES = PublishedWatches()


def with_sha256(watches: Watches) -> Watches:
    """The same watches with the SHA-256 of their canonical form."""
    return replace(watches, sha256=sha256_hex(watches.canonical))
