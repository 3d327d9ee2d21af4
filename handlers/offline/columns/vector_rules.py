"""What the schemes of one policy pay for many claims at once (claims.md, section 5).

The slow twin is `handlers.claims.adjudicate`, with `handlers.claims.eligibility`. Amounts are 64-bit fen; `usual` lets
in only persons and policies for which nothing here can overflow, and sends those that `Paid.capped` names to the twin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from handlers.offline.columns.arrays import Bools, Columns, Ints, firsts, months_later, sums
from schemas.policy.model import Policy, Scheme, Tier

NO_TIER = 2**30
"""In place of the number of a tier where none applies."""

BURDEN_MAX = 10**12
"""Fen: the highest burden of a usual person, all claims together."""

SCALE_MAX = 4_000_000
"""The largest common denominator of rates of a usual tier: 2 * BURDEN_MAX * SCALE_MAX + SCALE_MAX is below 2**63."""


class Pairs(NamedTuple):
    """Claims by their places among some, each with a coverage of its person by its place in the columns."""

    claim: Ints
    coverage: Ints

    def where(self, chosen: Bools) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.claim[chosen], self.coverage[chosen])


@dataclass(frozen=True, slots=True)
class Chosen:
    """The claims that one policy decides, in canonical order.

    ``rows`` are their places in the columns, and ``first`` of each is the place, among these, of the first in the same
    person's policy year. ``valid`` pairs claims with the coverages that hold their day of discharge, ``ended`` with
    those that had ended by then.
    """

    rows: Ints
    first: Ints
    valid: Pairs
    ended: Pairs


@dataclass(frozen=True, slots=True)
class Paid:
    """What one scheme measured and pays (fen), and the number of the tier that applied, for each chosen claim."""

    scheme: Scheme
    tier: Ints
    measured: Ints
    amount: Ints
    capped: Bools
    """The claims of a person and year for which the scheme's yearly cap may matter: their amounts do not count."""


def pairs_of(columns: Columns, rows: Ints) -> Pairs:
    """The places of claims among ``rows``, with each of the coverages that hold the day, in order of their ids."""
    return _valid_and_ended(columns, rows)[0]


def _valid_and_ended(columns: Columns, rows: Ints) -> tuple[Pairs, Pairs]:
    person, day = columns.claim_person[rows], columns.discharged[rows]
    count = columns.coverage_count[person]
    claim = np.repeat(np.arange(len(rows)), count)
    nth = np.arange(len(claim)) - np.repeat(np.cumsum(count) - count, count)
    pairs = Pairs(claim, columns.coverage_first[person][claim] + nth)
    begun, lasts = columns.valid_from[pairs.coverage] <= day[claim], day[claim] < columns.valid_to[pairs.coverage]
    return pairs.where(begun & lasts), pairs.where(~lasts)


def choose(columns: Columns, rows: Ints, year: Ints) -> Chosen:
    """The claims at ``rows``, each with the first day of its policy year."""
    return Chosen(rows, firsts(columns.claim_person[rows], year), *_valid_and_ended(columns, rows))


def _counting(columns: Columns, scheme: Scheme, chosen: Chosen) -> Pairs:
    """The coverages that count for the scheme: valid ones of its programme and areas, and ended ones in its grace."""
    belongs = _belonging(columns, scheme)
    valid = chosen.valid.where(belongs[chosen.valid.coverage])
    if not scheme.grace_months:
        return valid
    if scheme.grace_reasons is not None:
        belongs &= columns.ended_reason.any_of(scheme.grace_reasons)
    ended = chosen.ended.where(belongs[chosen.ended.coverage])
    grace_to = months_later(columns.valid_to[ended.coverage], scheme.grace_months)
    ended = ended.where(columns.discharged[chosen.rows][ended.claim] < grace_to)
    return Pairs(*(np.concatenate(both) for both in zip(valid, ended, strict=True)))


def covered(columns: Columns, policy: Policy, chosen: Chosen) -> Bools:
    """Which claims have a coverage of a scheme's programme and area with a category of one of its tiers."""
    found = np.zeros(len(chosen.rows), np.bool_)
    for scheme in policy.schemes:
        listed = columns.category.any_of({name for tier in scheme.tiers for name in tier.categories})
        counting = _counting(columns, scheme, chosen)
        found[counting.claim[listed[counting.coverage]]] = True
    return found


def pay(columns: Columns, policy: Policy, chosen: Chosen) -> list[Paid]:
    """What each scheme of the policy pays, in order; an earlier one leaves less for the next."""
    copay = columns.copay[chosen.rows]
    out_of_catalogue = columns.out_of_catalogue[chosen.rows]
    billed, left = (copay, out_of_catalogue), (copay, out_of_catalogue)
    found = []
    for scheme in policy.schemes:
        paid = _pay(columns, scheme, chosen, _basis(scheme, *billed), _basis(scheme, *left))
        found.append(paid)
        left = _less(scheme, paid.amount, *left)
    return found


def _basis(scheme: Scheme, copay: Ints, out_of_catalogue: Ints) -> Ints:
    if scheme.basis == "copay":
        return copay
    return out_of_catalogue if scheme.basis == "out_of_catalogue" else copay + out_of_catalogue


def _less(scheme: Scheme, amount: Ints, copay: Ints, out_of_catalogue: Ints) -> tuple[Ints, Ints]:
    """What a payment leaves: with personal_burden it uses up copay first."""
    if scheme.basis == "copay":
        return copay - amount, out_of_catalogue
    if scheme.basis == "out_of_catalogue":
        return copay, out_of_catalogue - amount
    from_copay = np.minimum(amount, copay)
    return copay - from_copay, out_of_catalogue - (amount - from_copay)


def _pay(columns: Columns, scheme: Scheme, chosen: Chosen, billed: Ints, left: Ints) -> Paid:
    tier = _tiers(columns, scheme, chosen)
    counts = tier != NO_TIER
    if scheme.file_within_days is not None:
        counts &= columns.filed[chosen.rows] - columns.discharged[chosen.rows] <= scheme.file_within_days
    measured = np.where(counts, billed if scheme.measured_on == "billed" else left, 0)
    counted = measured
    if scheme.threshold is not None:
        counted = np.where(measured > scheme.threshold, measured, 0)
    start = np.zeros_like(counted)
    if scheme.accumulates != "stay":  # whose sums are others' too is not usual
        before = np.cumsum(counted) - counted
        start = before - before[chosen.first]
    amount = np.minimum(_due(scheme, tier, start, counted), left)
    if scheme.cap_per_stay is not None:
        amount = np.minimum(amount, scheme.cap_per_stay)
    capped = np.zeros(len(amount), np.bool_)
    for cap in (scheme.cap_per_year, scheme.cap_per_household_year):
        if cap is not None:
            capped |= sums(amount, chosen.first, len(amount))[chosen.first] > cap
    return Paid(scheme, tier, measured, np.where(amount < scheme.floor_per_stay, 0, amount), capped)


def _due(scheme: Scheme, tier: Ints, start: Ints, counted: Ints) -> Ints:
    """round(f(start + counted)) - round(f(start)), f of the tier of each claim."""
    due = np.zeros_like(counted)
    for number, each in enumerate(scheme.tiers):
        its = np.flatnonzero(tier == number)
        due[its] = _rounded(each, start[its] + counted[its]) - _rounded(each, start[its])
    return due


def _rounded(tier: Tier, amount: Ints) -> Ints:
    """f(amount) in fen, half up."""
    exact = np.zeros_like(amount)
    for over, end, rate in tier.slices:
        exact += np.maximum((amount if end is None else np.minimum(amount, end)) - over, 0) * rate
    return (2 * exact + tier.scale) // (2 * tier.scale)


def _tiers(columns: Columns, scheme: Scheme, chosen: Chosen) -> Ints:
    """The number of the tier that applies to each claim: the first one that lists a category of the person.

    All claims are for stays: a scheme for another occasion has none for them.
    """
    if scheme.trigger != "stay":
        return np.full(len(chosen.rows), NO_TIER, np.int64)
    claim, coverage = _counting(columns, scheme, chosen)
    counts = np.ones(len(claim), np.bool_)
    if scheme.waiting_days is not None:
        counts &= columns.admitted[chosen.rows][claim] - columns.valid_from[coverage] >= scheme.waiting_days
    of: dict[str, int] = {}
    for number, tier in enumerate(scheme.tiers):
        for category in tier.categories:
            of.setdefault(category, number)
    found = np.full(len(chosen.rows), NO_TIER, np.int64)
    np.minimum.at(found, claim[counts], columns.category.numbers(of, NO_TIER)[coverage[counts]])
    return np.where(_in_scope(columns, scheme)[chosen.rows], found, NO_TIER)


def _in_scope(columns: Columns, scheme: Scheme) -> Bools:
    scope = np.ones(columns.claims, np.bool_)
    if scheme.care_types is not None:
        scope &= columns.care.any_of(scheme.care_types)
    if scheme.facility_levels is not None:
        scope &= columns.level.any_of(scheme.facility_levels)
    if scheme.diagnoses_any is not None:
        listed = columns.diagnosis.where([name.startswith(scheme.diagnoses_any) for name in columns.diagnosis.names])
        diagnosed = np.zeros(columns.claims, np.bool_)
        diagnosed[columns.diagnosis_claim[listed]] = True
        scope &= diagnosed
    return scope


def _belonging(columns: Columns, scheme: Scheme) -> Bools:
    """The coverages of the scheme's programme and areas."""
    belongs = columns.programme.any_of([] if scheme.programme is None else [scheme.programme])
    return belongs if scheme.areas is None else belongs & columns.area.any_of(scheme.areas)
