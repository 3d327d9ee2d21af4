"""Who is covered (claims.md, section 4), and in which tier a scheme looks at a claim (section 5, step 1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from handlers.claims.decidable import CoverageView, DecidableClaim
from schemas.dates import months_later
from schemas.decisions import Reason
from schemas.policy.model import Policy, Scheme, Tier


class Grace(NamedTuple):
    """A coverage ended on ``valid_to``, and counts until ``grace_to``; both are the first day after. None: for ever."""

    valid_to: date
    grace_to: date | None


def counting(
    scheme: Scheme, on_the_day: Sequence[CoverageView], ended: Sequence[CoverageView], day: date
) -> Sequence[CoverageView]:
    """The coverages that count for a scheme: those valid on the day, and of the ``ended`` ones those in its grace."""
    if not scheme.grace_months:
        return on_the_day
    return [*on_the_day, *(each for each in ended if _in_grace(scheme, each, day))]


def is_covered(policy: Policy, on_the_day: Sequence[CoverageView], ended: Sequence[CoverageView], day: date) -> bool:
    """Whether any scheme finds a coverage of its programme and area with a category of one of its tiers.

    ``on_the_day`` are the person's on the policy date, ``ended`` those that had ended by then, of which one in the
    scheme's grace counts too. What the stay was, and how old a coverage is, play no part: they are reasons why a
    scheme pays a covered person nothing.
    """
    for scheme in policy.schemes:
        held = counting(scheme, on_the_day, ended, day)
        if _tier(scheme, {coverage.category for coverage in held if _belongs(scheme, coverage)}) is not None:
            return True
    return False


def find_tier(
    scheme: Scheme, claim: DecidableClaim, began_on: date, coverages: Sequence[CoverageView]
) -> tuple[Tier | None, Reason | None]:
    """The tier that applies, and the first reason why the scheme pays nothing, if there is one.

    ``began_on`` is the day on which a waiting period has to be over, and ``coverages`` are those that count for the
    scheme. A claim filed late has both a tier and a reason.
    """
    if not _in_scope(scheme, claim):
        return None, Reason.NOT_IN_SCOPE
    candidates = [coverage for coverage in coverages if _belongs(scheme, coverage)]
    if not candidates:
        return None, Reason.NO_COVERAGE
    if scheme.waiting_days is not None:
        waiting = scheme.waiting_days
        candidates = [c for c in candidates if (began_on - c.valid_from).days >= waiting]
        if not candidates:
            return None, Reason.WAITING_PERIOD
    tier = _tier(scheme, {coverage.category for coverage in candidates})
    if tier is None:
        return None, Reason.NO_TIER
    return tier, Reason.FILED_LATE if _filed_late(scheme, claim) else None


def pool_of(scheme: Scheme, tier: Tier, began_on: date, coverages: Sequence[CoverageView]) -> str | None:
    """The pool of a claim under a scheme that pools fund: that of the coverage that gave the tier (groups.md, 3).

    Of several that with the latest first day counts, then that with the greatest id. None if it names no pool.
    """
    gave = _giving(scheme, tier, began_on, coverages)
    return max(gave, key=lambda each: (each.valid_from, each.coverage_id)).pool_id


def grace_of(scheme: Scheme, tier: Tier, began_on: date, day: date, coverages: Sequence[CoverageView]) -> Grace | None:
    """The grace through which the tier applies on a claim's day, the longest of several.

    None where a coverage gives it that is valid then.
    """
    gave = _giving(scheme, tier, began_on, coverages)
    ends = [each.valid_to for each in gave if each.valid_to is not None and has_ended(each, day)]
    if len(ends) < len(gave):
        return None
    return Grace(max(ends), months_later(max(ends), scheme.grace_months or 0))


def _giving(scheme: Scheme, tier: Tier, began_on: date, coverages: Sequence[CoverageView]) -> list[CoverageView]:
    """The coverages that gave the tier."""
    return [
        each
        for each in coverages
        if _belongs(scheme, each)
        and each.category in tier.categories
        and (scheme.waiting_days is None or (began_on - each.valid_from).days >= scheme.waiting_days)
    ]


def covers(coverage: CoverageView, day: date) -> bool:
    """Whether the coverage's half-open interval holds the day."""
    return coverage.valid_from <= day and (coverage.valid_to is None or day < coverage.valid_to)


def _in_grace(scheme: Scheme, ended: CoverageView, day: date) -> bool:
    """Whether a coverage that ended by the day counts all the same: it ended for a reason that the scheme lists.

    Without a list every coverage does; with one, those of which no reason is told do not.
    """
    if scheme.grace_reasons is not None and ended.ended_reason not in scheme.grace_reasons:
        return False
    assert ended.valid_to is not None
    grace_to = months_later(ended.valid_to, scheme.grace_months or 0)
    return grace_to is None or day < grace_to


def has_ended(coverage: CoverageView, day: date) -> bool:
    """Whether the coverage's interval lies before the day."""
    return coverage.valid_to is not None and coverage.valid_to <= day


def _in_scope(scheme: Scheme, claim: DecidableClaim) -> bool:
    if scheme.trigger != claim.trigger:
        return False
    if claim.incident is not None:
        return scheme.incident_kinds is None or claim.incident.kind in scheme.incident_kinds
    discharge = claim.discharge
    assert discharge is not None, "a stay that is decided has ended"
    if scheme.care_types is not None and discharge.care_type not in scheme.care_types:
        return False
    if scheme.facility_levels is not None and discharge.facility_level not in scheme.facility_levels:
        return False
    return scheme.diagnoses_any is None or any(code.startswith(scheme.diagnoses_any) for code in discharge.diagnoses)


def _belongs(scheme: Scheme, coverage: CoverageView) -> bool:
    return coverage.programme == scheme.programme and (scheme.areas is None or coverage.area in scheme.areas)


def _tier(scheme: Scheme, categories: set[str]) -> Tier | None:
    for tier in scheme.tiers:
        if not categories.isdisjoint(tier.categories):
            return tier
    return None


def _filed_late(scheme: Scheme, claim: DecidableClaim) -> bool:
    if scheme.file_within_days is None or claim.discharge is None:
        return False
    filed_on = claim.filed_on
    return filed_on is not None and (filed_on - claim.discharge.discharged_on).days > scheme.file_within_days
