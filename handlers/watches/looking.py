"""From decided claims to what watches find among them: which claims count, for whom, and with how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from handlers.claims.adjudicate import Adjudication, adjudicate_together
from handlers.claims.decidable import CoverageView, Decidable, MembershipView
from handlers.claims.eligibility import covers
from handlers.claims.households import Unit, unit_of
from handlers.watches.crossings import Crossing, WatchedClaim, crossings_of_unit
from schemas.decisions import Status
from schemas.policy.model import Policies
from schemas.watch.watch_model import Watches, WatchRule

COUNTED = (Status.ADJUDICATED, Status.NOT_COVERED)
"""The statuses of claims that a watch sums up."""

_MEASURED: dict[str, Callable[[Adjudication], int]] = {
    "copay": lambda claim: claim.copay,
    "out_of_catalogue": lambda claim: claim.out_of_catalogue,
    "personal_burden": lambda claim: claim.personal_burden,
    "patient_pays": lambda claim: claim.patient_pays,
}


def found_among(persons: Sequence[Decidable], policies: Policies, *files: Watches) -> list[list[Crossing]]:
    """What the watches of each file find among persons.

    They must be whole groups where a watch or a scheme counts by household. Nobody is decided where all bills together
    are not over the lowest step.
    """
    if _all_bills(persons) <= min(watches.lowest_step for watches in files):
        return [[] for _ in files]
    decided = adjudicate_together(persons, policies)
    return [crossings_among(decided, persons, watches) for watches in files]


def crossings_among(decided: Sequence[Adjudication], persons: Sequence[Decidable], watches: Watches) -> list[Crossing]:
    """What the watches find among all claims of persons, which are decided already and in canonical order."""
    stays = [each for each in decided if each.status in COUNTED and each.claim.discharge is not None]
    looked_up = {each.person_id: _Facts(each) for each in persons}
    return [
        crossing
        for watch in watches.watches
        for unit, claims in _by_unit(watch, watches, stays, looked_up).items()
        for crossing in crossings_of_unit(watch, unit, claims)
    ]


class _Facts:
    """What a watch looks up of a person."""

    def __init__(self, person: Decidable) -> None:
        self.coverages: Sequence[CoverageView] = list(person.recorded_coverages())
        self.memberships: Sequence[MembershipView] = person.recorded_memberships()

    def has_one_of(self, categories: Sequence[str], day: date) -> bool:
        """Whether a coverage of one of the categories, of any programme, holds the day."""
        return any(each.category in categories and covers(each, day) for each in self.coverages)


def _by_unit(
    watch: WatchRule, watches: Watches, stays: Sequence[Adjudication], looked_up: dict[str, _Facts]
) -> dict[Unit, list[WatchedClaim]]:
    measured = _MEASURED[watch.measure]
    units: dict[Unit, list[WatchedClaim]] = {}
    for stay in stays:
        claim = stay.claim
        assert claim.discharge is not None, "only stays are looked at"
        day, facts = claim.discharge.discharged_on, looked_up[claim.person_id]
        unit = unit_of(claim.person_id, facts.memberships, day) if watch.by_household else Unit(None, claim.person_id)
        meant = not watch.categories or facts.has_one_of(watch.categories, day)
        counted = WatchedClaim(claim.claim_id, claim.person_id, day, measured(stay), meant and watches.holds(day))
        units.setdefault(unit, []).append(counted)
    return units


def _all_bills(persons: Sequence[Decidable]) -> int:
    """What all bills of some persons leave to them (fen): no sum of a measure is higher."""
    claims: Iterator[int] = (
        claim.copay + claim.out_of_catalogue for person in persons for claim in map(person.claim, person.claim_ids())
    )
    return sum(claims)
