"""From claims to benefits: each scheme's measure, brackets, accumulation and limits (claims.md, section 5).

All amounts are whole fen. A sum of bracket slices is a whole number of fen / scale, scale being the common
denominator of the tier's rates, so everything up to the one rounding is exact integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from handlers.claims.decidable import CoverageView, Decidable, DecidableClaim, MembershipView
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
from handlers.claims.steps import Slice, Step
from handlers.claims.sums_assured import Due, aid_due, sum_due
from handlers.claims.twice import Finding, Findings, checks_on, followed, found_twice, holding
from handlers.claims.year_sums import ByScheme, Lifetime, Years, YearSums
from schemas.decisions import Reason, Status, StepKind
from schemas.ids import ClaimId
from schemas.money import round_half_up
from schemas.policy.model import Basis, Policies, Policy, Scheme, Tier


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
    def of_burden(self) -> int:
        """What of it lowers what the patient pays (fen): a sum assured and an aid leave the bill as it is."""
        return self.amount if self.tier is not None and self.tier.sum_kind is None else 0

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
    verified_loss: int = 0
    twice: tuple[Finding, ...] = ()
    held: bool = False

    @property
    def personal_burden(self) -> int:
        return self.copay + self.out_of_catalogue + self.verified_loss

    @property
    def patient_pays(self) -> int:
        """What is left of the burden after the benefits that pay for it."""
        return self.personal_burden - sum(benefit.of_burden for benefit in self.benefits)

    @property
    def total_benefit(self) -> int:
        return sum(benefit.amount for benefit in self.benefits)


@dataclass(slots=True)
class _Left:
    """What earlier schemes left of a claim's amounts (fen); of a stay the last is zero, of an incident the others."""

    copay: int
    out_of_catalogue: int
    verified_loss: int

    def of(self, basis: Basis) -> int:
        if basis == "copay":
            return self.copay
        if basis == "verified_loss":
            return self.verified_loss
        return self.out_of_catalogue if basis == "out_of_catalogue" else self.copay + self.out_of_catalogue

    def pay(self, basis: Basis, amount: int) -> None:
        """Uses up the basis; with personal_burden copay first, then out_of_catalogue."""
        if basis == "verified_loss":
            self.verified_loss -= amount
            return
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
        """Looks up what all claims of a person have in common."""
        memberships, coverages = account.recorded_memberships(), list(account.recorded_coverages())
        return cls(account, policies, coverages, memberships, years, twice)


def adjudicate(
    account: Decidable,
    policies: Policies,
    claim_ids: Iterable[ClaimId] | None = None,
    twice: Findings | None = None,
) -> list[Adjudication]:
    """The outcome of each of a person's claims, in canonical order (policy date, then ``claim_id``).

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
    """The key by which a person's claims are sorted; those without a policy date come last."""
    return (claim.policy_date or date.max, claim.claim_id)


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
    verified_loss = 0 if claim.incident is None else claim.incident.verified_loss or 0

    def pays_nothing(status: Status) -> Adjudication:
        return Adjudication(claim, status, copay, out_of_catalogue, verified_loss=verified_loss)

    day, began_on, death, policies = claim.policy_date, claim.began_on, person.account.death, person.policies
    if claim.voided:
        return pays_nothing(Status.VOIDED)
    if day is None or began_on is None or (claim.discharge is not None and claim.filed_at is None):
        return pays_nothing(Status.INCOMPLETE)
    if death is not None and began_on > death.died_on:
        return pays_nothing(Status.AFTER_DEATH)
    policy, year = policies.on(day), policies.year(day)
    if policy is None or year is None:
        return pays_nothing(Status.NO_POLICY)
    on_the_day = [coverage for coverage in person.coverages if covers(coverage, day)]
    ended = [coverage for coverage in person.coverages if has_ended(coverage, day)] if policy.has_grace else []
    billed, left = (_Left(copay, out_of_catalogue, verified_loss) for _ in range(2))
    unit = unit_of(claim.person_id, person.memberships, day) if policies.household_schemes else None
    benefits = list[Benefit]()
    for scheme in policy.schemes:
        own = of_unit = person.years.of(scheme, year)
        if unit is not None and scheme.id in policies.household_schemes:
            of_unit = person.years.of_unit(scheme, year, unit)
        seen = _Seen(own, of_unit, person.years.life_of(scheme) if scheme.id in policies.life_schemes else None)
        counted = counting(scheme, on_the_day, ended, day) if ended else on_the_day
        benefits.append(_benefit(scheme, claim, began_on, day, counted, billed, left, seen))
    # Whoever has a tier is covered; asking again is for those whom every scheme left out.
    covered = claim.aid is not None or any(benefit.tier is not None for benefit in benefits)
    covered = covered or is_covered(policy, on_the_day, ended, day)
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
        len(person.memberships) > 1 and overlap(person.memberships, day),
        verified_loss,
    )


class _Seen(NamedTuple):
    """What a scheme has seen before a claim: of the person and of the unit in the year (the same where none counts by
    unit), and of the person in all years, where it looks at them.
    """

    own: YearSums
    of_unit: YearSums
    life: Lifetime | None

    def paid_before(self, scheme: Scheme) -> bool:
        """Whether it has paid already what it pays once."""
        if scheme.once_per == "life":
            return self.life is not None and self.life.paid
        return scheme.once_per == "year" and self.own.paid > 0


def _benefit(
    scheme: Scheme,
    claim: DecidableClaim,
    began_on: date,
    day: date,
    coverages: Sequence[CoverageView],
    billed: _Left,
    left: _Left,
    seen: _Seen,
) -> Benefit:
    if claim.aid is not None:
        due = aid_due(scheme, claim.aid) if scheme.trigger == "aid" else None
        empty = Benefit(scheme, None, Reason.NOT_IN_SCOPE)
        return empty if due is None else _limited(empty, due, None, seen)
    tier, reason = find_tier(scheme, claim, began_on, coverages)
    if tier is None or reason is not None:
        return Benefit(scheme, tier, reason)
    pool_id = None if scheme.funded_by is None else pool_of(scheme, tier, began_on, coverages)
    grace = grace_of(scheme, tier, began_on, day, coverages) if scheme.grace_months else None
    if tier.sum_kind is not None:
        due = sum_due(tier, claim, set() if seen.life is None else seen.life.days)
        return _limited(Benefit(scheme, tier, None, pool_id=pool_id, grace=grace), due, None, seen)
    basis = scheme.basis
    assert basis is not None, "brackets have a basis"
    measured = (billed if scheme.measured_on == "billed" else left).of(basis)
    if scheme.threshold is not None and measured <= scheme.threshold:
        return Benefit(scheme, tier, Reason.UNDER_THRESHOLD, measured, pool_id=pool_id)
    start = 0
    if scheme.accumulates != "stay":
        running = seen.own if scheme.accumulates == "person_year" else seen.of_unit
        start = running.measured
        running.measured += measured
    after = start + measured
    measure = Benefit(scheme, tier, None, measured, 0, start, after, pool_id=pool_id, grace=grace)
    benefit = _limited(measure, _brackets(tier, start, start + measured), left.of(basis), seen)
    left.pay(basis, benefit.amount)
    return benefit


def _limited(benefit: Benefit, due: Due, remaining: int | None, seen: _Seen) -> Benefit:
    """The benefit with what the limits leave of what is due; the scheme has seen it then."""
    scheme, (own, of_unit, life), (amount, steps) = benefit.scheme, seen, due
    paid_before, household_paid_before = own.paid, of_unit.paid
    limits, reason = list[Step](), None
    if amount and seen.paid_before(scheme):
        amount, steps, reason = 0, [], Reason.ALREADY_PAID
    else:
        amount, limits, reason = _limit(scheme, amount, remaining, paid_before, household_paid_before)
    own.paid += amount
    if of_unit is not own:
        of_unit.paid += amount
    if life is not None and amount:
        life.paid = True
    return benefit._replace(
        reason=reason,
        amount=amount,
        paid_before=paid_before,
        household_paid_before=household_paid_before,
        steps=(*steps, *limits),
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
    scheme: Scheme, due: int, remaining: int | None, paid_before: int, household_paid_before: int
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
