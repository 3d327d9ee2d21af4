"""What is due without measuring a bill: sums assured (定额) and temporary aid (time.md, sections 5 and 7).

A sum assured is fixed, depends on the degree of an incident, or is paid for each day. A day of a person's stays counts
once for a scheme: for the first claim in canonical order that is counted for it, whatever limits left of that claim.
The days of an incident have no dates, so they overlap with nothing.
"""

from __future__ import annotations

from handlers.claims.decidable import AidView, DecidableClaim
from handlers.claims.steps import Assured, Step
from schemas.decisions import StepKind
from schemas.policy.model import Scheme, Tier

Due = tuple[int, list[Step]]
"""What is due before the limits (fen), and the step that says how it came about, if something is."""


def aid_due(scheme: Scheme, aid: AidView) -> Due | None:
    """The amount that was decided, at most what its level allows; None if the scheme does not know the level."""
    level = (scheme.levels or {}).get(aid.level)
    if level is None:
        return None
    return _due(StepKind.LEVEL, min(aid.amount, level), Assured(level, word=aid.level, asked=aid.amount))


def sum_due(tier: Tier, claim: DecidableClaim, counted: set[int]) -> Due:
    """What a tier without brackets owes for a claim; ``counted`` are the person's days, as ordinals, of earlier claims.

    The days for which this one is counted are added to them, if they have dates.
    """
    if tier.fixed is not None:
        return _due(StepKind.FIXED, tier.fixed, Assured(tier.fixed))
    if tier.by_degree is not None:
        degree = None if claim.incident is None else claim.incident.degree
        amount = 0 if degree is None else tier.by_degree.get(degree, 0)
        return _due(StepKind.BY_DEGREE, amount, Assured(amount, word=degree or ""))
    assert tier.per_day is not None, "a tier has one measure"
    first, days = days_of(claim)
    paying = range(first + tier.from_day - 1, first + days)
    fresh = [day for day in paying if claim.incident is not None or day not in counted]
    paid = fresh[: tier.days_max]
    if claim.incident is None:
        counted.update(paid)
    told = Assured(tier.per_day, days=days, counted_before=len(paying) - len(fresh), days_paid=len(paid))
    return _due(StepKind.PER_DAY, tier.per_day * len(paid), told)


def days_of(claim: DecidableClaim) -> tuple[int, int]:
    """The first day of a stay, or of an incident, as an ordinal, and how many days it has.

    A stay has at least one; the day of discharge counts only then.
    """
    assert claim.began_on is not None, "it has a policy date"
    first = claim.began_on.toordinal()
    if claim.discharge is not None:
        return first, max(1, claim.discharge.discharged_on.toordinal() - first)
    return first, 0 if claim.incident is None else claim.incident.days or 0


def _due(kind: StepKind, amount: int, told: Assured) -> Due:
    return amount, [Step(kind, amount, assured=told)] if amount else []
