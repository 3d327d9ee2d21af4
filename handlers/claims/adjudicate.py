"""From claims to benefits: each scheme's measure, brackets, accumulation and limits (claims.md, section 5).

All amounts are whole fen. A sum of bracket slices is a whole number of fen / scale, scale being the common
denominator of the tier's rates, so everything up to the one rounding is exact integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from handlers.claims.decidable import CoverageView, Decidable, DecidableClaim, StayView
from handlers.claims.eligibility import covers, find_tier, is_covered
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
    ``paid_before`` is what the scheme paid before in the policy year.
    """

    scheme: Scheme
    tier: Tier | None
    reason: Reason | None
    measured: int = 0
    amount: int = 0
    year_before: int = 0
    year_after: int = 0
    paid_before: int = 0
    steps: tuple[Step, ...] = ()


class Adjudication(NamedTuple):
    """The outcome for one claim. ``policy`` and ``benefits`` are set only when it is adjudicated or not_covered.

    ``deceased``: the person's death is recorded, so that what no facility advanced goes to the estate.
    """

    claim: DecidableClaim
    status: Status
    copay: int
    out_of_catalogue: int
    policy: Policy | None = None
    benefits: tuple[Benefit, ...] = ()
    deceased: bool = False

    @property
    def personal_burden(self) -> int:
        return self.copay + self.out_of_catalogue

    @property
    def total_benefit(self) -> int:
        return sum(benefit.amount for benefit in self.benefits)


@dataclass(slots=True)
class _Year:
    """What one scheme has seen of one policy year: running sum of measured amounts, and sum paid (fen)."""

    measured: int = 0
    paid: int = 0


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


Sums = tuple[tuple[str, int, int], ...]
"""What each scheme has seen of a policy year: its id, the running sum of measured amounts, and the sum paid (fen)."""


@dataclass(slots=True)
class Years:
    """Sums per policy year and scheme id: they follow the scheme id across policy releases."""

    sums: dict[date, dict[str, _Year]] = field(default_factory=dict)

    def of(self, scheme: Scheme, year: date) -> _Year:
        by_scheme = self.sums.setdefault(year, {})
        sums = by_scheme.get(scheme.id)
        if sums is None:
            sums = by_scheme[scheme.id] = _Year()
        return sums

    def sums_of(self, year: date) -> Sums:
        """The sums of one year, to continue from; schemes in order of their ids."""
        by_scheme = self.sums.get(year, {})
        return tuple((name, by_scheme[name].measured, by_scheme[name].paid) for name in sorted(by_scheme))

    @classmethod
    def of_year(cls, year: date, sums: Sums) -> Years:
        """Years that continue from such sums."""
        return cls({year: {name: _Year(measured, paid) for name, measured, paid in sums}})


def adjudicate(
    account: Decidable, policies: Policies, claim_ids: Iterable[ClaimId] | None = None
) -> list[Adjudication]:
    """The outcome of each of a person's claims, in canonical order (``discharged_on``, then ``claim_id``).

    ``claim_ids`` narrows the work; it must hold whole policy years (`Account.claims_affected_by`).
    """
    claims = [account.claim(name) for name in (account.claim_ids() if claim_ids is None else claim_ids)]
    claims.sort(key=canonical_order)
    coverages = list(account.recorded_coverages())
    years = Years()
    return [adjudicate_claim(claim, account, coverages, policies, years) for claim in claims]


def canonical_order(claim: DecidableClaim) -> tuple[date, str]:
    """The key by which a person's claims are sorted; those without a discharge come last."""
    return (claim.discharge.discharged_on if claim.discharge else date.max, claim.claim_id)


def adjudicate_claim(
    claim: DecidableClaim, account: Decidable, coverages: Sequence[CoverageView], policies: Policies, years: Years
) -> Adjudication:
    """The outcome of the next claim in canonical order, after which ``years`` includes it."""
    copay, out_of_catalogue = claim.copay, claim.out_of_catalogue

    def pays_nothing(status: Status) -> Adjudication:
        return Adjudication(claim, status, copay, out_of_catalogue)

    discharge = claim.discharge
    if claim.voided:
        return pays_nothing(Status.VOIDED)
    if discharge is None or claim.filed_at is None:
        return pays_nothing(Status.INCOMPLETE)
    if account.death is not None and discharge.admitted_on > account.death.died_on:
        return pays_nothing(Status.AFTER_DEATH)
    policy, year = policies.on(discharge.discharged_on), policies.year(discharge.discharged_on)
    if policy is None or year is None:
        return pays_nothing(Status.NO_POLICY)
    on_the_day = [coverage for coverage in coverages if covers(coverage, discharge.discharged_on)]
    billed, left = _Left(copay, out_of_catalogue), _Left(copay, out_of_catalogue)
    benefits = tuple(
        [
            _benefit(scheme, claim, discharge, on_the_day, billed, left, years.of(scheme, year))
            for scheme in policy.schemes
        ]
    )
    # Whoever has a tier is covered; asking again is for those whom every scheme left out.
    covered = any(benefit.tier is not None for benefit in benefits) or is_covered(policy, on_the_day)
    status = Status.ADJUDICATED if covered else Status.NOT_COVERED
    return Adjudication(claim, status, copay, out_of_catalogue, policy, benefits, account.death is not None)


def _benefit(
    scheme: Scheme,
    claim: DecidableClaim,
    discharge: StayView,
    coverages: Sequence[CoverageView],
    billed: _Left,
    left: _Left,
    year: _Year,
) -> Benefit:
    tier, reason = find_tier(scheme, claim, discharge, coverages)
    if tier is None or reason is not None:
        return Benefit(scheme, tier, reason)
    measured = (billed if scheme.measured_on == "billed" else left).of(scheme.basis)
    if scheme.threshold is not None and measured <= scheme.threshold:
        return Benefit(scheme, tier, Reason.UNDER_THRESHOLD, measured)
    start = 0
    if scheme.accumulates == "person_year":
        start = year.measured
        year.measured += measured
    due, steps = _brackets(tier, start, start + measured)
    paid_before = year.paid
    amount, limits, reason = _limit(scheme, due, left.of(scheme.basis), paid_before)
    left.pay(scheme.basis, amount)
    year.paid += amount
    return Benefit(
        scheme,
        tier,
        reason,
        measured=measured,
        amount=amount,
        year_before=start,
        year_after=start + measured,
        paid_before=paid_before,
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


def _limit(scheme: Scheme, due: int, remaining: int, paid_before: int) -> tuple[int, list[Step], Reason | None]:
    """The benefit after the limits, the steps that lowered it, and the reason if nothing is left (step 5)."""
    if due == 0:
        return 0, [], Reason.NOTHING_DUE
    left_of_year = None if scheme.cap_per_year is None else max(0, scheme.cap_per_year - paid_before)
    amount, steps = due, []
    for kind, limit, reason in (
        (StepKind.LIMIT_REMAINING, remaining, Reason.NOTHING_LEFT),
        (StepKind.CAP_PER_STAY, scheme.cap_per_stay, Reason.CAP_REACHED),
        (StepKind.CAP_PER_YEAR, left_of_year, Reason.CAP_REACHED),
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
