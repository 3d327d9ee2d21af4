"""From decided claims to what watches find among them: which claims count, for whom, and with how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from operator import attrgetter
from typing import NamedTuple

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


class CountedStay(NamedTuple):
    """A stay that watches sum up, as it was decided: each of their measures is one of its amounts (fen)."""

    day: date
    claim_id: str
    person_id: str
    copay: int
    out_of_catalogue: int
    patient_pays: int

    @property
    def personal_burden(self) -> int:
        return self.copay + self.out_of_catalogue


def found_among(persons: Sequence[Decidable], policies: Policies, *files: Watches) -> list[list[Crossing]]:
    """What the watches of each file find among persons.

    They must be whole groups where a watch or a scheme counts by household. Nobody is decided where all bills together
    are not over the lowest step.
    """
    if _all_bills(persons) <= min(watches.lowest_step for watches in files):
        return [[] for _ in files]
    stays = [stay for each in adjudicate_together(persons, policies) if (stay := _counted(each)) is not None]
    return [crossings_among(stays, persons, watches) for watches in files]


def crossings_among(stays: Sequence[CountedStay], persons: Sequence[Decidable], watches: Watches) -> list[Crossing]:
    """What the watches find among all stays of persons that count, in canonical order."""
    looked_up = {each.person_id: _Facts(each) for each in persons}
    return [
        crossing
        for watch in watches.watches
        for unit, claims in _by_unit(watch, watches, stays, looked_up).items()
        for crossing in crossings_of_unit(watch, unit, claims)
    ]


def _counted(decided: Adjudication) -> CountedStay | None:
    """A claim that counts; None for another one."""
    claim = decided.claim
    if decided.status not in COUNTED or claim.discharge is None:
        return None
    amounts = decided.copay, decided.out_of_catalogue, decided.patient_pays
    return CountedStay(claim.discharge.discharged_on, claim.claim_id, claim.person_id, *amounts)


class _Facts:
    """What a watch looks up of a person."""

    def __init__(self, person: Decidable) -> None:
        self.coverages: Sequence[CoverageView] = list(person.recorded_coverages())
        self.memberships: Sequence[MembershipView] = person.recorded_memberships()

    def has_one_of(self, categories: Sequence[str], day: date) -> bool:
        """Whether a coverage of one of the categories, of any programme, holds the day."""
        return any(each.category in categories and covers(each, day) for each in self.coverages)


def _by_unit(
    watch: WatchRule, watches: Watches, stays: Sequence[CountedStay], looked_up: dict[str, _Facts]
) -> dict[Unit, list[WatchedClaim]]:
    measured = attrgetter(watch.measure)
    units: dict[Unit, list[WatchedClaim]] = {}
    for stay in stays:
        day, person_id, facts = stay.day, stay.person_id, looked_up[stay.person_id]
        unit = unit_of(person_id, facts.memberships, day) if watch.by_household else Unit(None, person_id)
        meant = not watch.categories or facts.has_one_of(watch.categories, day)
        counted = WatchedClaim(stay.claim_id, person_id, day, measured(stay), meant and watches.holds(day))
        units.setdefault(unit, []).append(counted)
    return units


def _all_bills(persons: Sequence[Decidable]) -> int:
    """What all bills of some persons leave to them (fen): no sum of a measure is higher."""
    claims: Iterator[int] = (
        claim.copay + claim.out_of_catalogue for person in persons for claim in map(person.claim, person.claim_ids())
    )
    return sum(claims)
