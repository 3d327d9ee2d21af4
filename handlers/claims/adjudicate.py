"""From claims to benefits: each scheme's measure, brackets, accumulation and limits (claims.md, section 5).

All amounts are whole fen. A sum of bracket slices is a whole number of fen / scale, scale being the common
denominator of the tier's rates, so everything up to the one rounding is exact integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from handlers.claims.decidable import CoverageView, Decidable, DecidableClaim, MembershipView, StayView
from handlers.claims.eligibility import (
    Grace,
    counting,
    covers,
    find_tier,
    grace_of,
    has_ended,
    is_covered,
    pool_of,
)
from handlers.claims.households import Unit, overlap, unit_of
from handlers.claims.twice import Finding, Findings, checks_on, followed, found_twice, holding
from handlers.claims.year_sums import ByScheme, Years, YearSums
from schemas.decisions import Reason, Status, StepKind
from schemas.ids import ClaimId
from schemas.money import round_half_up
from schemas.policy.model import Policies, Policy, Scheme, Tier


class Slice(NamedTuple):
    """The part of the measured amount that lies in one bracket; ``exact`` is its benefit in fen / scale."""

    bracket: int
    start: int
    end: int
    exact: int


class Step(NamedTuple):
    """One step that changed a scheme's number by ``amount`` fen. ``limit`` is the limit that applied, in fen."""

    kind: StepKind
    amount: int
    before: int = 0
    limit: int = 0
    slice: Slice | None = None


class Benefit(NamedTuple):
    """What one scheme owes for one claim, in fen, and how that came about.

    ``year_before`` and ``year_after`` are the running sums around this claim (0 and the measured amount per stay);
    ``paid_before`` is what the scheme paid before in the policy year to the person, ``household_paid_before`` what it
    paid to the unit. ``pool_id`` is the pool that has to pay, where the scheme is funded by pools. ``grace`` is there
    where the tier applies only because a coverage counts after its end.
    """

    scheme: Scheme
    tier: Tier | None
    reason: Reason | None
    measured: int = 0
    amount: int = 0
    year_before: int = 0
    year_after: int = 0
    paid_before: int = 0
    household_paid_before: int = 0
    steps: tuple[Step, ...] = ()
    pool_id: str | None = None
    grace: Grace | None = None

    @property
    def without_pool(self) -> bool:
        """Whether a pool should pay, and the coverage names none (the alert NO_POOL)."""
        return self.scheme.funded_by is not None and self.pool_id is None and self.amount > 0


class Adjudication(NamedTuple):
    """The outcome for one claim. ``policy`` and ``benefits`` are set only when it is adjudicated or not_covered.

    ``deceased``: the person's death is recorded, so that what no facility advanced goes to the estate. ``household_id``
    is the household with whose sums the claim was counted; None for a person alone, or where no scheme counts by
    household. ``overlapping``: several memberships hold the day. ``twice`` is why the claim may be there twice, and
    ``held`` that nothing more is paid for it until somebody has looked.
    """

    claim: DecidableClaim
    status: Status
    copay: int
    out_of_catalogue: int
    policy: Policy | None = None
    benefits: tuple[Benefit, ...] = ()
    deceased: bool = False
    household_id: str | None = None
    overlapping: bool = False
    twice: tuple[Finding, ...] = ()
    held: bool = False

    @property
    def personal_burden(self) -> int:
        return self.copay + self.out_of_catalogue

    @property
    def total_benefit(self) -> int:
        return sum(benefit.amount for benefit in self.benefits)

    @property
    def patient_pays(self) -> int:
        return self.personal_burden - self.total_benefit


@dataclass(slots=True)
class _Left:
    """What earlier schemes left of a claim's two amounts (fen)."""

    copay: int
    out_of_catalogue: int

    def of(self, basis: str) -> int:
        if basis == "copay":
            return self.copay
        return self.out_of_catalogue if basis == "out_of_catalogue" else self.copay + self.out_of_catalogue

    def pay(self, basis: str, amount: int) -> None:
        """Uses up the basis; with personal_burden copay first, then out_of_catalogue."""
        from_copay = amount if basis == "copay" else 0 if basis == "out_of_catalogue" else min(amount, self.copay)
        self.copay -= from_copay
        self.out_of_catalogue -= amount - from_copay


@dataclass(frozen=True, slots=True)
class DecidingPerson:
    """One person whose claims are decided, in canonical order: what is looked up once, and the sums so far."""

    account: Decidable
    policies: Policies
    coverages: Sequence[CoverageView]
    memberships: Sequence[MembershipView]
    years: Years
    twice: Findings

    @classmethod
    def of(cls, account: Decidable, policies: Policies, years: Years, twice: Findings) -> DecidingPerson:
        """Memberships are looked at only where some scheme counts by household."""
        memberships = account.recorded_memberships() if policies.household_schemes else ()
        return cls(account, policies, list(account.recorded_coverages()), memberships, years, twice)


def adjudicate(
    account: Decidable,
    policies: Policies,
    claim_ids: Iterable[ClaimId] | None = None,
    twice: Findings | None = None,
) -> list[Adjudication]:
    """The outcome of each of a person's claims, in canonical order (``discharged_on``, then ``claim_id``).

    ``claim_ids`` narrows the work; it must hold whole policy years (`Account.claims_affected_by`). ``twice`` is what
    was found twice among all claims, if somebody has looked. A person whom memberships or invoices link to others is
    decided with them (`adjudicate_together`).
    """
    claims = [account.claim(name) for name in (account.claim_ids() if claim_ids is None else claim_ids)]
    claims.sort(key=canonical_order)
    deciding = DecidingPerson.of(account, policies, Years(), found_twice([account]) if twice is None else twice)
    return [adjudicate_claim(claim, deciding) for claim in claims]


def adjudicate_together(accounts: Iterable[Decidable], policies: Policies) -> list[Adjudication]:
    """The outcome of each claim of several persons, all in one canonical order, with the sums of their units.

    They must be all whom memberships of households, or invoices, link (`handlers.claims.households.linked`).
    """
    accounts = list(accounts)
    twice = found_twice(accounts)
    units: dict[tuple[date, Unit], ByScheme] = {}
    claims = list[tuple[DecidableClaim, DecidingPerson]]()
    for account in accounts:
        deciding = DecidingPerson.of(account, policies, Years(units=units), twice)
        claims += [(account.claim(name), deciding) for name in account.claim_ids()]
    claims.sort(key=lambda each: canonical_order(each[0]))
    return [adjudicate_claim(claim, deciding) for claim, deciding in claims]


def canonical_order(claim: DecidableClaim) -> tuple[date, str]:
    """The key by which a person's claims are sorted; those without a discharge come last."""
    return (claim.discharge.discharged_on if claim.discharge else date.max, claim.claim_id)


def adjudicate_claim(claim: DecidableClaim, person: DecidingPerson) -> Adjudication:
    """The outcome of the next claim in canonical order, after which the person's sums include it."""
    outcome = _outcome(claim, person)
    found = person.twice.get(claim.claim_id)
    if found is None:  # as nearly always
        return outcome
    checks = checks_on(claim, person.policies)
    return outcome._replace(twice=followed(found, checks), held=holding(found, checks))


def _outcome(claim: DecidableClaim, person: DecidingPerson) -> Adjudication:
    copay, out_of_catalogue = claim.copay, claim.out_of_catalogue

    def pays_nothing(status: Status) -> Adjudication:
        return Adjudication(claim, status, copay, out_of_catalogue)

    discharge, death, policies = claim.discharge, person.account.death, person.policies
    if claim.voided:
        return pays_nothing(Status.VOIDED)
    if discharge is None or claim.filed_at is None:
        return pays_nothing(Status.INCOMPLETE)
    if death is not None and discharge.admitted_on > death.died_on:
        return pays_nothing(Status.AFTER_DEATH)
    day = discharge.discharged_on
    policy, year = policies.on(day), policies.year(day)
    if policy is None or year is None:
        return pays_nothing(Status.NO_POLICY)
    on_the_day = [coverage for coverage in person.coverages if covers(coverage, day)]
    ended = [coverage for coverage in person.coverages if has_ended(coverage, day)] if policy.has_grace else []
    billed, left = _Left(copay, out_of_catalogue), _Left(copay, out_of_catalogue)
    unit = unit_of(claim.person_id, person.memberships, day) if policies.household_schemes else None
    benefits = list[Benefit]()
    for scheme in policy.schemes:
        own = of_unit = person.years.of(scheme, year)
        if unit is not None and scheme.id in policies.household_schemes:
            of_unit = person.years.of_unit(scheme, year, unit)
        held = counting(scheme, on_the_day, ended, day) if ended else on_the_day
        benefits.append(_benefit(scheme, claim, discharge, held, billed, left, own, of_unit))
    # Whoever has a tier is covered; asking again is for those whom every scheme left out.
    covered = any(benefit.tier is not None for benefit in benefits) or is_covered(policy, on_the_day, ended, day)
    status = Status.ADJUDICATED if covered else Status.NOT_COVERED
    return Adjudication(
        claim,
        status,
        copay,
        out_of_catalogue,
        policy,
        tuple(benefits),
        death is not None,
        None if unit is None else unit.household_id,
        unit is not None and overlap(person.memberships, day),
    )


def _benefit(
    scheme: Scheme,
    claim: DecidableClaim,
    discharge: StayView,
    coverages: Sequence[CoverageView],
    billed: _Left,
    left: _Left,
    own: YearSums,
    of_unit: YearSums,
) -> Benefit:
    """``own`` are the person's sums of the scheme and ``of_unit`` the unit's: the same where none counts by unit."""
    tier, reason = find_tier(scheme, claim, discharge, coverages)
    if tier is None or reason is not None:
        return Benefit(scheme, tier, reason)
    pool_id = None if scheme.funded_by is None else pool_of(scheme, tier, discharge, coverages)
    measured = (billed if scheme.measured_on == "billed" else left).of(scheme.basis)
    if scheme.threshold is not None and measured <= scheme.threshold:
        return Benefit(scheme, tier, Reason.UNDER_THRESHOLD, measured, pool_id=pool_id)
    start = 0
    if scheme.accumulates != "stay":
        running = own if scheme.accumulates == "person_year" else of_unit
        start = running.measured
        running.measured += measured
    due, steps = _brackets(tier, start, start + measured)
    paid_before, household_paid_before = own.paid, of_unit.paid
    amount, limits, reason = _limit(scheme, due, left.of(scheme.basis), paid_before, household_paid_before)
    left.pay(scheme.basis, amount)
    own.paid += amount
    if of_unit is not own:
        of_unit.paid += amount
    return Benefit(
        scheme,
        tier,
        reason,
        measured=measured,
        amount=amount,
        year_before=start,
        year_after=start + measured,
        paid_before=paid_before,
        household_paid_before=household_paid_before,
        steps=(*steps, *limits),
        pool_id=pool_id,
        grace=grace_of(scheme, tier, discharge, coverages) if scheme.grace_months else None,
    )


def exact_benefit(tier: Tier, amount: int) -> int:
    """f(amount) in fen / ``tier.scale``: each slice of ``amount`` fen at the rate of its bracket."""
    return sum(
        (min(amount, end) - over if end is not None else amount - over) * rate
        for over, end, rate in tier.slices
        if amount > over
    )


def _brackets(tier: Tier, start: int, end: int) -> tuple[int, list[Step]]:
    """round(f(end)) - round(f(start)) fen, as one step for each bracket touched and one for what rounding changed."""
    due = round_half_up(exact_benefit(tier, end), tier.scale) - round_half_up(exact_benefit(tier, start), tier.scale)
    steps = []
    shown = 0
    for index, (over, upper, rate) in enumerate(tier.slices):
        low = max(start, over)
        high = end if upper is None else min(end, upper)
        if low < high and rate:
            exact = (high - low) * rate
            amount = round_half_up(exact, tier.scale)
            steps.append(Step(StepKind.BRACKET, amount, slice=Slice(index, low, high, exact)))
            shown += amount
    if shown != due:
        steps.append(Step(StepKind.ROUNDING, due - shown, before=shown))
    return due, steps


def _limit(
    scheme: Scheme, due: int, remaining: int, paid_before: int, household_paid_before: int
) -> tuple[int, list[Step], Reason | None]:
    """The benefit after the limits, the steps that lowered it, and the reason if nothing is left (step 5)."""
    if due == 0:
        return 0, [], Reason.NOTHING_DUE
    left_of_year = _left_of(scheme.cap_per_year, paid_before)
    left_of_household = _left_of(scheme.cap_per_household_year, household_paid_before)
    amount, steps = due, []
    for kind, limit, reason in (
        (StepKind.LIMIT_REMAINING, remaining, Reason.NOTHING_LEFT),
        (StepKind.CAP_PER_STAY, scheme.cap_per_stay, Reason.CAP_REACHED),
        (StepKind.CAP_PER_YEAR, left_of_year, Reason.CAP_REACHED),
        (StepKind.CAP_PER_HOUSEHOLD_YEAR, left_of_household, Reason.CAP_REACHED),
    ):
        if limit is not None and amount > limit:
            steps.append(Step(kind, limit - amount, before=amount, limit=limit))
            amount = limit
            if amount == 0:
                return 0, steps, reason
    if amount < scheme.floor_per_stay:
        steps.append(Step(StepKind.FLOOR_PER_STAY, -amount, before=amount, limit=scheme.floor_per_stay))
        return 0, steps, Reason.BELOW_FLOOR
    return amount, steps, None


def _left_of(cap: int | None, paid: int) -> int | None:
    return None if cap is None else max(0, cap - paid)
