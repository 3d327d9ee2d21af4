"""Where the sum of what a unit bears itself crosses a step of a watch (time.md, section 4). Amounts are fen."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from handlers.claims.households import Unit
from schemas.dates import months_later
from schemas.watch.watch_model import WatchRule


class WatchedClaim(NamedTuple):
    """A claim of a unit, with what it adds to the unit's sums. ``may_cross``: it is one for which the watch looks."""

    claim_id: str
    person_id: str
    day: date
    amount: int
    may_cross: bool


class Crossing(NamedTuple):
    """A claim that brings its unit's sum over a step. ``counted`` are the claims that add up to the sum, it last."""

    watch: WatchRule
    claim: WatchedClaim
    unit: Unit
    step: int
    counted: tuple[WatchedClaim, ...]

    @property
    def sum(self) -> int:
        return sum(each.amount for each in self.counted)

    @property
    def unit_id(self) -> str:
        """The household's id, or that of the person."""
        return self.unit.person_id if self.unit.household_id is None else self.unit.household_id


def crossings_of_unit(watch: WatchRule, unit: Unit, claims: Iterable[WatchedClaim]) -> Iterator[Crossing]:
    """Every crossing of a unit, whose claims come in canonical order and are all that the sums hold."""
    window: deque[WatchedClaim] = deque()
    before = total = 0
    for claim in claims:
        start = months_later(claim.day, -watch.window_months)
        while start is not None and window and window[0].day <= start:
            total -= window.popleft().amount
        window.append(claim)
        total += claim.amount
        if claim.may_cross:
            crossed = [step for step in watch.steps if before <= step < total]
            if crossed:
                counted = tuple(window)
                yield from (Crossing(watch, claim, unit, step, counted) for step in crossed)
        before = total
