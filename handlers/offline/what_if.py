"""What the same facts cost under other policies: pure sums that are collected person by person and added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from handlers.claims.adjudicate import Adjudication, adjudicate_together
from handlers.claims.decidable import CoverageView, Decidable
from handlers.claims.eligibility import covers
from handlers.offline.groups import together
from schemas.ids import ClaimId, PersonId
from schemas.policy.model import Policies, Policy, Term
from schemas.policy.succession import PoliciesConflict, unfit_successors

LARGEST = 100
"""How many of the claims that change most are kept."""

EDGES = tuple(yuan * 100 for yuan in (1, 10, 100, 1_000, 10_000, 100_000))
"""Upper edges of the classes of changes, in fen; mirrored for losses. No change is a separate class."""


def in_place_of(baseline: Policies, new: Policies) -> Policies:
    """The policies that are in force when the new ones replace the others on their own days, and only there.

    A new one that succeeds another ends that one for good, as publishing it would. What is left of a policy before or
    after keeps its schemes, so running sums and yearly caps follow their ids as between any two releases. Raises
    PoliciesConflict when a new policy cannot succeed the one that it names.
    """
    ours = {release.id for release in new.releases}
    others = [policy for policy in baseline.releases if policy.id not in ours]
    if found := unfit_successors(others, new.releases):
        raise PoliciesConflict(found)
    kept = [_alone(policy, baseline.term(policy)) for policy in baseline.releases]
    drafts = [_alone(release, new.term(release)) for release in new.releases]
    for release in new.releases:
        kept = [_ended_by(policy, release) for policy in kept]
    for draft in drafts:
        kept = [rest for policy in kept for rest in _without(policy, draft)]
    uses: Counter[str] = Counter(policy.id for policy in drafts)
    pieces = []
    for policy in kept:
        uses[policy.id] += 1
        again = uses[policy.id] > 1  # for a simulation a second policy with the same id is fine
        pieces.append(_changed(policy, id=f"{policy.id}#{uses[policy.id]}") if again else policy)
    return Policies((*pieces, *drafts))


def _alone(policy: Policy, term: Term) -> Policy:
    """The policy with the days of its term as its own, so that it stands without its neighbours."""
    if policy.succeeds is None and policy.effective_to == term.end:
        return policy
    return _changed(policy, effective_to=term.end, succeeds=None)


def _ended_by(policy: Policy, release: Policy) -> Policy:
    """A policy of the baseline, shortened if the new release succeeds it."""
    day = release.effective_from
    later = policy.effective_to is None or policy.effective_to > day
    return _changed(policy, effective_to=day) if release.succeeds == policy.id and later else policy


def _without(policy: Policy, other: Policy) -> list[Policy]:
    """What is left of a policy on the days on which another is not in force."""
    if not policy.term.meets(other.term):
        return [policy]
    rest = []
    if policy.effective_from < other.effective_from:
        rest.append(_changed(policy, effective_to=other.effective_from))
    if other.effective_to is not None and (policy.effective_to is None or other.effective_to < policy.effective_to):
        rest.append(_changed(policy, effective_from=other.effective_to))
    return rest


def _changed(policy: Policy, **fields: object) -> Policy:
    """A policy with other fields; built from scratch, as a copy would keep the old SHA-256."""
    return Policy.model_construct(**{name: getattr(policy, name) for name in Policy.model_fields} | fields)


class Pair(NamedTuple):
    """One claim decided twice. ``area`` is the village of the person on the day of discharge, where one is known."""

    before: Adjudication
    after: Adjudication
    area: str
    discharged_on: date | None

    @property
    def change(self) -> int:
        return self.after.total_benefit - self.before.total_benefit


def all_pairs(accounts: Iterable[Decidable], before: Policies, after: Policies) -> Iterator[list[Pair]]:
    """Each person's claims under both policies, in canonical order; the accounts must hold whole groups."""
    for persons in together(accounts, before, after):
        decided = adjudicate_together(persons, after)
        if all(_same(before, after, one.claim.policy_date) for one in decided if one.claim.policy_date):
            again = decided
        else:
            again = adjudicate_together(persons, before)
        coverages = {account.person_id: list(account.recorded_coverages()) for account in persons}
        found: dict[str, list[Pair]] = {account.person_id: [] for account in persons}
        for old, new in zip(again, decided, strict=True):
            day = new.claim.policy_date
            person_id = new.claim.person_id
            found[person_id].append(Pair(old, new, area_on(coverages[person_id], day), day))
        yield from found.values()


def _same(before: Policies, after: Policies, day: date) -> bool:
    one, other = before.on(day), after.on(day)
    if one is None or other is None:
        return one is other
    return one.schemes is other.schemes and one.year_starts == other.year_starts


def area_on(coverages: Iterable[CoverageView], day: date | None) -> str:
    """The area of the first of the coverages, in order of their ids, that holds the day and names one; else empty."""
    if day is not None:
        for coverage in coverages:
            if coverage.area is not None and covers(coverage, day):
                return coverage.area
    return ""


@dataclass(slots=True)
class Cost:
    """Claims that were paid and fen, before and after."""

    claims_before: int = 0
    before: int = 0
    claims_after: int = 0
    after: int = 0

    def add(self, before: int, after: int) -> None:
        """Counts one claim."""
        self.claims_before += before > 0
        self.before += before
        self.claims_after += after > 0
        self.after += after

    def merge(self, other: Cost) -> None:
        self.claims_before += other.claims_before
        self.before += other.before
        self.claims_after += other.claims_after
        self.after += other.after


@dataclass(slots=True)
class Class:
    """How many changed so much, and by how much together (fen)."""

    count: int = 0
    sum: int = 0


class Changed(NamedTuple):
    """One of the claims that change most; amounts in fen."""

    claim_id: ClaimId
    person_id: PersonId
    area: str
    discharged_on: str
    burden: int
    before: int
    after: int

    @property
    def change(self) -> int:
        return self.after - self.before


def class_of(change: int) -> int:
    """Number of the class of a change: 0 is none, 1 up to and with the first edge, ... and negative for losses."""
    size = abs(change)
    rank = sum(edge < size for edge in EDGES) + 1 if size else 0
    return rank if change > 0 else -rank


def _costs() -> defaultdict[tuple[str, ...], Cost]:
    return defaultdict(Cost)


def _classes() -> defaultdict[int, Class]:
    return defaultdict(Class)


@dataclass(slots=True)
class Tally:
    """What some persons' claims cost before and after. Tallies of different persons add up."""

    persons: int = 0
    claims: int = 0
    total: Cost = field(default_factory=Cost)
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_tier: defaultdict[tuple[str, ...], Cost] = field(default_factory=_costs)
    by_area: defaultdict[tuple[str, ...], Cost] = field(default_factory=_costs)
    by_month: defaultdict[tuple[str, ...], Cost] = field(default_factory=_costs)
    claims_by_change: defaultdict[int, Class] = field(default_factory=_classes)
    persons_by_change: defaultdict[int, Class] = field(default_factory=_classes)
    largest: list[Changed] = field(default_factory=list)

    def take(self, decided: Iterable[Pair]) -> None:
        """Counts one person with all claims."""
        change = claims = 0
        for pair in decided:
            claims += 1
            change += self._claim(pair)
        if claims:
            self.persons += 1
            _count(self.persons_by_change, change)

    def _claim(self, pair: Pair) -> int:
        old, new = pair.before, pair.after
        before, after = old.total_benefit, new.total_benefit
        self.claims += 1
        self.statuses["before", old.status] += 1
        self.statuses["after", new.status] += 1
        change = after - before
        _count(self.claims_by_change, change)
        if before or after:
            self.total.add(before, after)
            self.by_area[(pair.area,)].add(before, after)
            self.by_month[(str(pair.discharged_on)[:7],)].add(before, after)
            for benefit in old.benefits:
                if benefit.tier is not None and benefit.amount:
                    self.by_tier[benefit.scheme.id, benefit.tier.name].add(benefit.amount, 0)
            for benefit in new.benefits:
                if benefit.tier is not None and benefit.amount:
                    self.by_tier[benefit.scheme.id, benefit.tier.name].add(0, benefit.amount)
        if change:
            claim, day = new.claim, str(pair.discharged_on)
            self.largest.append(
                Changed(claim.claim_id, claim.person_id, pair.area, day, new.personal_burden, before, after)
            )
            if len(self.largest) >= 50 * LARGEST:
                self._keep_largest()
        return change

    def merge(self, other: Tally) -> None:
        """Adds the tally of other persons."""
        self.persons += other.persons
        self.claims += other.claims
        self.total.merge(other.total)
        self.statuses.update(other.statuses)
        for mine, others in (
            (self.by_tier, other.by_tier),
            (self.by_area, other.by_area),
            (self.by_month, other.by_month),
        ):
            for name, cost in others.items():
                mine[name].merge(cost)
        for counted, more in (
            (self.claims_by_change, other.claims_by_change),
            (self.persons_by_change, other.persons_by_change),
        ):
            for number, change in more.items():
                counted[number].count += change.count
                counted[number].sum += change.sum
        self.largest += other.largest
        self._keep_largest()

    def _keep_largest(self) -> None:
        """The largest changes either way; equal ones in order of their claim ids, so that the split leaves no trace."""
        self.largest.sort(key=lambda claim: (-abs(claim.change), claim.claim_id))
        del self.largest[LARGEST:]


def _count(classes: defaultdict[int, Class], change: int) -> None:
    counted = classes[class_of(change)]
    counted.count += 1
    counted.sum += change
