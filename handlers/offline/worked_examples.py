"""Worked examples of a policy, decided by the same code as claims, for made-up persons and stays.

Each person belongs to the scheme's programme just long enough, in the right area, and the stay passes every filter,
so that only the amount decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from handlers.claims.account import Account
from handlers.claims.adjudicate import Adjudication, Benefit, adjudicate, adjudicate_together
from schemas.decisions import StepKind
from schemas.facts import (
    CareType,
    CoverageRecorded,
    EncounterDischarged,
    FacilityLevel,
    Fact,
    IncidentRecorded,
    MembershipRecorded,
    SettlementPosted,
    UnitKind,
)
from schemas.ids import PersonId
from schemas.money import FEN_MAX
from schemas.policy.model import Policies, Policy, Scheme, Tier

_Made = TypeVar("_Made", bound=Fact)

DAY = date(2024, 1, 1)
_SETTLED_AT = datetime(2024, 1, 1, tzinfo=UTC)
_YUAN_MAX = 10**9
_CAPS = (StepKind.CAP_PER_STAY, StepKind.CAP_PER_YEAR, StepKind.CAP_PER_HOUSEHOLD_YEAR)
_MEMBERS = ("example-1", "example-2")


def category_of(scheme: Scheme, tier: Tier) -> str | None:
    """A category that leads to the tier; None when earlier tiers list all of its categories."""
    earlier = scheme.tiers[: scheme.tiers.index(tier)]
    earlier_categories = {category for other in earlier for category in other.categories}
    return next((category for category in tier.categories if category not in earlier_categories), None)


def first_category(scheme: Scheme) -> str | None:
    """A category of the scheme's first tier; None where it has no tiers."""
    return category_of(scheme, scheme.tiers[0]) if scheme.tiers else None


def benefit_at(policy: Policy, scheme: Scheme, category: str, amount: int) -> Benefit:
    """What one scheme, by itself, owes to a person of a category whose first stay of the year left ``amount`` fen.

    Of a scheme for incidents, what it owes for one with such a verified loss.
    """
    alone = _in_force(policy, (scheme,))
    if scheme.trigger == "incident":
        account = _covered("example", [(scheme, category)])
        account.apply(_incident(scheme, amount))
        return adjudicate(account, alone)[0].benefits[0]
    inside = 0 if scheme.basis == "out_of_catalogue" else amount
    return _decide(alone, [(scheme, category)], inside, amount - inside).benefits[0]


def claim_at(policy: Policy, categories: Iterable[str | None], copay: int, out_of_catalogue: int) -> Adjudication:
    """What all schemes together owe for one stay of a person with a category in each scheme (None: in none)."""
    return _decide(_in_force(policy, policy.schemes), _holds(policy, categories), copay, out_of_catalogue)


def members_at(
    policy: Policy, categories: Iterable[str | None], copay: int, out_of_catalogue: int
) -> tuple[Adjudication, Adjudication] | None:
    """The same for two members of one household, each with such a stay, the first of the household's year.

    None where no scheme counts by household.
    """
    alone, holds = _in_force(policy, policy.schemes), _holds(policy, categories)
    if not alone.household_schemes:
        return None
    accounts = [_account(name, alone, holds, copay, out_of_catalogue) for name in _MEMBERS]
    for account in accounts:
        account.apply(_membership(account.person_id))
    first, second = adjudicate_together(accounts, alone)
    return first, second


def _holds(policy: Policy, categories: Iterable[str | None]) -> list[tuple[Scheme, str]]:
    return [(s, c) for s, c in zip(policy.schemes, categories, strict=True) if c is not None]


def telling_amounts(policy: Policy, scheme: Scheme, tier: Tier, neighbours: bool = True) -> list[int]:
    """The amounts (fen) at which a tier shows what it does: edges, threshold, caps, floor and a round one in between.

    With ``neighbours`` also one fen below and above each edge.
    """
    category = category_of(scheme, tier)
    if category is None or not tier.brackets:
        return []
    overs = [bracket.over for bracket in tier.brackets]
    edges = {over for over in overs if over} | ({scheme.threshold} if scheme.threshold else set())
    paying = (scheme, category)
    floor = _first(lambda amount: benefit_at(policy, *paying, amount).amount > 0) if scheme.floor_per_stay else None
    capped = _first(lambda amount: any(step.kind in _CAPS for step in benefit_at(policy, *paying, amount).steps))
    amounts = {_inside(over, end) for over, end in zip(overs, [*overs[1:], None], strict=True)}
    start = max(edges, default=0)
    amounts |= edges | ({_inside(start, None)} if start not in overs else set())
    if capped is not None:
        amounts.add(_inside(capped, None))
    if neighbours:
        amounts |= {edge + fen for edge in edges | set(overs) for fen in (-1, 1)}
        amounts |= {edge + fen for edge in (floor, capped) if edge is not None for fen in (-1, 0)}
    elif floor is not None:
        amounts.add(floor)
    return sorted(amount for amount in amounts if 0 < amount <= FEN_MAX)


def _inside(over: int, end: int | None) -> int:
    """A round amount between two edges: 1, 2 or 5 times a power of ten, or the middle when none fits."""
    target = max(2 * over, 10_000_00) if end is None else (over + end) // 2
    nice: list[int] = sorted(digit * 10**power for digit in (1, 2, 5) for power in range(16))
    if end is None:
        return next(amount for amount in nice if amount >= target)
    fitting = [amount for amount in nice if over < amount < end]
    return min(fitting, key=lambda amount: abs(amount - target)) if fitting else target


def _first(holds: Callable[[int], bool]) -> int | None:
    """The smallest amount (fen) from which on something holds; None if it never does."""
    low, high = 0, _YUAN_MAX * 100
    if not holds(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


@lru_cache(maxsize=64)
def _in_force(policy: Policy, schemes: tuple[Scheme, ...]) -> Policies:
    fields = {name: getattr(policy, name) for name in Policy.model_fields}
    fields |= {"schemes": schemes, "effective_from": DAY, "effective_to": None, "succeeds": None}
    return Policies((Policy.model_construct(**fields),))


def _decide(policies: Policies, holds: list[tuple[Scheme, str]], copay: int, out_of_catalogue: int) -> Adjudication:
    account = _account("example", policies, holds, copay, out_of_catalogue)
    return adjudicate(account, policies)[0]


def _account(
    name: str, policies: Policies, holds: list[tuple[Scheme, str]], copay: int, out_of_catalogue: int
) -> Account:
    """A person who has such coverages, and one stay as the first scheme for stays wants it.

    All ids are the person's.
    """
    schemes = policies.releases[0].schemes
    first = next((scheme for scheme in schemes if scheme.trigger == "stay"), schemes[0])
    account = _covered(name, holds)
    for fact in (_discharge(name, first), _bill(name, copay, out_of_catalogue)):
        account.apply(fact)
    return account


def _covered(name: str, holds: list[tuple[Scheme, str]]) -> Account:
    account = Account(PersonId(name))
    for number, (scheme, category) in enumerate(holds):
        account.apply(_coverage(number, scheme, category))
    return account


def _made(model: type[_Made], **fields: object) -> _Made:
    """A fact with the fields that a decision looks at, and no others."""
    construct: Any = model.model_construct
    made: _Made = construct(**fields)
    return made


def _coverage(number: int, scheme: Scheme, category: str) -> CoverageRecorded:
    return _made(
        CoverageRecorded,
        coverage_id=f"example-{number}",
        version=1,
        person_id="example",
        programme=scheme.programme,
        category=category,
        area=scheme.areas[0] if scheme.areas else None,
        valid_from=DAY - timedelta(days=scheme.waiting_days or 0),
        valid_to=None,
    )


def _discharge(name: str, scheme: Scheme) -> EncounterDischarged:
    return _made(
        EncounterDischarged,
        encounter_id=name,
        version=1,
        person_id=name,
        facility_level=scheme.facility_levels[0] if scheme.facility_levels else FacilityLevel.COUNTY,
        care_type=scheme.care_types[0] if scheme.care_types else CareType.INPATIENT,
        admitted_on=DAY,
        discharged_on=DAY,
        diagnoses=list(scheme.diagnoses_any[:1]) if scheme.diagnoses_any else [],
    )


def _incident(scheme: Scheme, verified_loss: int) -> IncidentRecorded:
    return _made(
        IncidentRecorded,
        incident_id="example",
        version=1,
        person_id="example",
        kind=scheme.incident_kinds[0] if scheme.incident_kinds else "example",
        occurred_on=DAY,
        verified_loss=verified_loss,
    )


def _membership(name: str) -> MembershipRecorded:
    return _made(
        MembershipRecorded,
        membership_id=name,
        version=1,
        person_id=name,
        household_id="example",
        unit=UnitKind.HOUSEHOLD,
        valid_from=DAY,
        valid_to=None,
    )


def _bill(name: str, copay: int, out_of_catalogue: int) -> SettlementPosted:
    return _made(
        SettlementPosted,
        settlement_id=name,
        version=1,
        encounter_id=name,
        person_id=name,
        settled_at=_SETTLED_AT,
        final=True,
        copay=copay,
        out_of_catalogue=out_of_catalogue,
    )
