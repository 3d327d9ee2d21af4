"""One person's facts, newest versions only, and the claims they make (claims.md, section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from handlers.claims.decidable import Claim, Trace, nights_of
from handlers.claims.twice import NOTHING, Findings, found_twice, may_be_twice
from schemas.facts import (
    AidDecided,
    AidVoided,
    CoverageRecorded,
    CoverageVoided,
    EncounterDischarged,
    Fact,
    IncidentRecorded,
    IncidentVoided,
    MembershipRecorded,
    MembershipVoided,
    PersonDied,
    SettlementPosted,
    SettlementVoided,
    UnitKind,
)
from schemas.ids import ClaimId, PersonId, claim_of
from schemas.policy.model import Policies

if TYPE_CHECKING:
    from handlers.claims.long_years import LongYears

Settlement = SettlementPosted | SettlementVoided
Coverage = CoverageRecorded | CoverageVoided
Membership = MembershipRecorded | MembershipVoided
Occasion = AidDecided | AidVoided | IncidentRecorded | IncidentVoided
"""Temporary aid or an incident: what makes a claim without a stay in hospital."""
_Versioned = TypeVar("_Versioned", Settlement, Coverage, Membership, EncounterDischarged, Occasion)
_Id = TypeVar("_Id", bound=str)


@dataclass(slots=True)
class Account:
    """The newest version of each of a person's facts. Facts may come in any order."""

    person_id: PersonId
    discharges: dict[ClaimId, EncounterDischarged] = field(default_factory=dict)
    settlements: dict[ClaimId, dict[str, Settlement]] = field(default_factory=dict)
    coverages: dict[str, Coverage] = field(default_factory=dict)
    memberships: dict[str, Membership] = field(default_factory=dict)
    occasions: dict[ClaimId, Occasion] = field(default_factory=dict)
    death: PersonDied | None = None
    long_years: LongYears | None = field(default=None, compare=False, repr=False)
    """What `handlers.claims.long_years` remembers of decisions; good until a fact is applied."""
    _twice: Findings | None = field(default=None, compare=False, repr=False)
    _traces: dict[ClaimId, Trace] = field(default_factory=dict, compare=False, repr=False)

    def apply(self, fact: Fact) -> None:
        """Applies an accepted fact; a version older than the one held changes nothing."""
        self.long_years = None
        if type(fact) is EncounterDischarged:
            self._touched(claim_of(fact.encounter_id))
            _keep_newest(self.discharges, claim_of(fact.encounter_id), fact)
        elif type(fact) is SettlementPosted or type(fact) is SettlementVoided:
            self._touched(claim_of(fact.encounter_id))
            bills = self.settlements.setdefault(claim_of(fact.encounter_id), {})
            _keep_newest(bills, fact.settlement_id, fact)
        elif type(fact) is CoverageRecorded or type(fact) is CoverageVoided:
            _keep_newest(self.coverages, fact.coverage_id, fact)
        elif type(fact) is MembershipRecorded or type(fact) is MembershipVoided:
            _keep_newest(self.memberships, fact.membership_id, fact)
        elif isinstance(fact, AidDecided | AidVoided | IncidentRecorded | IncidentVoided):
            _keep_newest(self.occasions, fact.claim_id, fact)
        elif type(fact) is PersonDied and (self.death is None or self.death.version < fact.version):
            self.death = fact

    def claim_ids(self) -> set[ClaimId]:
        """Every encounter that has a discharge or a settlement, and every other occasion."""
        return self.discharges.keys() | self.settlements.keys() | self.occasions.keys()

    def knows(self, claim_id: ClaimId) -> bool:
        """Whether an encounter has a discharge or a settlement, or the occasion is there."""
        return claim_id in self.discharges or claim_id in self.settlements or claim_id in self.occasions

    def claim(self, claim_id: ClaimId) -> Claim:
        occasion = self.occasions.get(claim_id)
        if occasion is not None:
            incident = occasion if type(occasion) is IncidentRecorded else None
            aid = occasion if type(occasion) is AidDecided else None
            voided = incident is None and aid is None
            return Claim(claim_id, self.person_id, None, int(voided), (), incident, aid)
        bills = self.settlements.get(claim_id, {})
        live = tuple(bill for bill in bills.values() if type(bill) is SettlementPosted)
        return Claim(claim_id, self.person_id, self.discharges.get(claim_id), len(bills), live)

    def traces(self) -> Iterable[tuple[ClaimId, Trace]]:
        """Of each claim what no other one must have."""
        self._trace_all()
        return self._traces.items()

    def trace(self, claim_id: ClaimId) -> Trace:
        """What of a claim no other one must have."""
        bills = self.settlements.get(claim_id)
        invoices, voided = list[str](), False
        if bills is not None:
            live = [bill for bill in bills.values() if type(bill) is SettlementPosted]
            invoices, voided = [bill.invoice_no for bill in live if bill.invoice_no is not None], not live
        stay = self.discharges.get(claim_id)
        return Trace(invoices, None if stay is None or voided else nights_of(stay))

    def twice(self) -> Findings:
        """What is found twice among the person's own claims; remembered until a bill or a discharge is applied."""
        if self._twice is None:
            self._trace_all()
            self._twice = found_twice([self]) if may_be_twice(self._traces.values()) else NOTHING
        return self._twice

    def _trace_all(self) -> None:
        for names in (self.discharges, self.settlements, self.occasions):
            for name in names:
                if name not in self._traces:
                    self._traces[name] = self.trace(name)

    def _touched(self, claim_id: ClaimId) -> None:
        self._twice = None
        self._traces.pop(claim_id, None)

    @property
    def area(self) -> str | None:
        """The area of the coverage with the latest first day, then the greatest id, of those that name one."""
        of = [(each.valid_from, each.coverage_id, each.area) for each in self.recorded_coverages() if each.area]
        return max(of)[2] if of else None

    def recorded_coverages(self) -> Iterable[CoverageRecorded]:
        """The coverages that were not voided, in order of their ids."""
        for name in sorted(self.coverages):
            coverage = self.coverages[name]
            if type(coverage) is CoverageRecorded:
                yield coverage

    def recorded_memberships(self) -> list[MembershipRecorded]:
        """The memberships of households that were not voided."""
        return [each for each in self.memberships.values() if type(each) is MembershipRecorded]

    def households(self) -> set[str]:
        """The households to which a membership that was not voided links the person, on whatever days."""
        return {each.household_id for each in self.recorded_memberships() if each.unit is UnitKind.HOUSEHOLD}

    def claims_affected_by(self, fact: Fact, policies: Policies) -> set[ClaimId]:
        """The claims whose decision can depend on a fact, given the account as it is now.

        A bill, a discharge or another occasion reaches the claims of its own policy year, as these share running sums
        and yearly caps; a coverage, a membership or a death reaches them all, and so does everything where a scheme
        looks at other years. Ask before and after `apply`: a corrected discharge can move a claim from one year to
        another.
        """
        claim_id = claim_told_of(fact)
        if claim_id is not None:
            return self._sharing_with(claim_id, policies)
        return self.claim_ids() if type(fact) in _REACH_ALL_CLAIMS else set()

    def _sharing_with(self, claim_id: ClaimId, policies: Policies) -> set[ClaimId]:
        """The claim itself, if it is known, and all that share its sums and caps.

        So do those that may be the same claim, with all that share theirs.
        """
        if not self.knows(claim_id):
            return set()
        day = self.counting_day(claim_id)
        if day is not None and policies.life_schemes:
            return self.claim_ids()
        affected = self._year_of(claim_id, policies)
        for finding in self.twice().get(claim_id, ()):
            affected = affected.union(*(self._year_of(other, policies) for other in finding.others))
        return affected

    def _year_of(self, claim_id: ClaimId, policies: Policies) -> set[ClaimId]:
        day = self.counting_day(claim_id)
        year = None if day is None else policies.year(day)
        return {claim_id} if year is None else {claim_id} | self.claims_of_year(year, policies)

    def claims_of_year(self, year: date, policies: Policies) -> set[ClaimId]:
        """The claims that share the sums and caps of the policy year that begins on a day."""
        found = {
            name
            for name, discharge in self.discharges.items()
            if policies.year(discharge.discharged_on) == year and not self.is_idle(name)
        }
        for name in self.occasions:
            day = self.counting_day(name)
            if day is not None and policies.year(day) == year:
                found.add(name)
        return found

    def counting_day(self, claim_id: ClaimId) -> date | None:
        """The policy date of a claim; None if it adds to no sum and depends on none, being voided or incomplete."""
        occasion = self.occasions.get(claim_id)
        if occasion is None:
            return None if self.is_idle(claim_id) else self.discharges[claim_id].discharged_on
        if type(occasion) is IncidentRecorded:
            return occasion.occurred_on
        return occasion.decided_on if type(occasion) is AidDecided else None

    def is_idle(self, claim_id: ClaimId) -> bool:
        """Whether the claim for an encounter is voided or incomplete, so that it adds to no sum and depends on none."""
        if claim_id not in self.discharges:
            return True
        bills = self.settlements.get(claim_id, {}).values()
        return not any(type(bill) is SettlementPosted and bill.final for bill in bills)


def claim_told_of(fact: Fact) -> ClaimId | None:
    """The claim of which a fact tells; None for what tells of a person."""
    if type(fact) is SettlementPosted or type(fact) is SettlementVoided or type(fact) is EncounterDischarged:
        return claim_of(fact.encounter_id)
    if isinstance(fact, AidDecided | AidVoided | IncidentRecorded | IncidentVoided):
        return fact.claim_id
    return None


_REACH_ALL_CLAIMS = frozenset((CoverageRecorded, CoverageVoided, MembershipRecorded, MembershipVoided, PersonDied))


def _keep_newest(held: dict[_Id, _Versioned], name: _Id, fact: _Versioned) -> None:
    before = held.get(name)
    if before is None or before.version < fact.version:
        held[name] = fact
