"""What adjudication reads, whether facts are models, compact records or columns: persons, their claims and facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from schemas.dates import shanghai_date
from schemas.facts import AidDecided, CareType, EncounterDischarged, IncidentRecorded, SettlementPosted
from schemas.ids import ClaimId, FacilityId, PersonId, Trigger


class StayView(Protocol):
    """Of a discharge."""

    @property
    def facility_level(self) -> str: ...
    @property
    def care_type(self) -> str: ...
    @property
    def admitted_on(self) -> date: ...
    @property
    def discharged_on(self) -> date: ...
    @property
    def diagnoses(self) -> Sequence[str]: ...


class IncidentView(Protocol):
    """Of an incident (fen)."""

    @property
    def kind(self) -> str: ...
    @property
    def occurred_on(self) -> date: ...
    @property
    def degree(self) -> str | None: ...
    @property
    def verified_loss(self) -> int | None: ...
    @property
    def days(self) -> int | None: ...


class AidView(Protocol):
    """Of temporary aid (fen)."""

    @property
    def level(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def decided_on(self) -> date: ...


class AdvanceView(Protocol):
    """Of what the hospital took off a bill for one scheme (fen)."""

    @property
    def scheme_id(self) -> str: ...
    @property
    def amount(self) -> int: ...


class BillView(Protocol):
    """Of a settlement (fen). The ids matter only where there are advances."""

    @property
    def settlement_id(self) -> str: ...
    @property
    def facility_id(self) -> FacilityId: ...
    @property
    def advances(self) -> Sequence[AdvanceView]: ...
    @property
    def settled_at(self) -> datetime: ...
    @property
    def final(self) -> bool: ...
    @property
    def copay(self) -> int: ...
    @property
    def out_of_catalogue(self) -> int: ...


class CoverageView(Protocol):
    """Of a coverage: valid on the days of ``[valid_from, valid_to)``. Its id matters only where pools pay.

    Why it ended matters only where a scheme counts it for some months more.
    """

    @property
    def coverage_id(self) -> str: ...
    @property
    def pool_id(self) -> str | None: ...
    @property
    def programme(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def area(self) -> str | None: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_to(self) -> date | None: ...
    @property
    def ended_reason(self) -> str | None: ...


class MembershipView(Protocol):
    """Of a membership of a household: valid on the days of ``[valid_from, valid_to)``."""

    @property
    def membership_id(self) -> str: ...
    @property
    def household_id(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_to(self) -> date | None: ...


class Trace(NamedTuple):
    """What of a claim another one must not have: its live invoices, and the nights ``[admitted, discharged)``.

    Only a stay has nights. A claim that was voided has neither.
    """

    invoices: Collection[str]
    nights: tuple[date, date] | None


def nights_of(stay: StayView) -> tuple[date, date] | None:
    """The half-open interval of an inpatient stay that has a night."""
    if stay.care_type != CareType.INPATIENT or stay.admitted_on >= stay.discharged_on:
        return None
    return stay.admitted_on, stay.discharged_on


class DeathView(Protocol):
    """Of a death."""

    @property
    def died_on(self) -> date: ...


@dataclass(frozen=True)
class DecidableClaim:
    """What is owed for one encounter is decided from this: its discharge and its settlements, summed (fen).

    A claim for another occasion has an ``incident`` or an ``aid`` in their place; if that was voided it has neither,
    and one settlement that is not live.
    """

    claim_id: ClaimId
    person_id: PersonId
    discharge: StayView | None
    settlements: int
    live: tuple[BillView, ...]
    incident: IncidentView | None = None
    aid: AidView | None = None

    @property
    def policy_date(self) -> date | None:
        """The day whose policy, coverages and memberships count; None if it is not known."""
        if self.discharge is not None:
            return self.discharge.discharged_on
        if self.incident is not None:
            return self.incident.occurred_on
        return None if self.aid is None else self.aid.decided_on

    @property
    def began_on(self) -> date | None:
        """The day of admission; of another occasion its policy date."""
        return self.policy_date if self.discharge is None else self.discharge.admitted_on

    @property
    def trigger(self) -> Trigger:
        """What gives occasion to it, unless that was voided."""
        if self.incident is not None:
            return "incident"
        return "stay" if self.aid is None else "aid"

    @property
    def copay(self) -> int:
        return sum([settlement.copay for settlement in self.live])

    @property
    def out_of_catalogue(self) -> int:
        return sum([settlement.out_of_catalogue for settlement in self.live])

    @property
    def has_advances(self) -> bool:
        """Whether a live settlement took something off the bill for a scheme."""
        return any(settlement.advances for settlement in self.live)

    @property
    def voided(self) -> bool:
        return self.settlements > 0 and not self.live

    @property
    def filed_at(self) -> datetime | None:
        """When the first live final settlement was settled; None while there is none."""
        return min([settlement.settled_at for settlement in self.live if settlement.final], default=None)

    @property
    def filed_on(self) -> date | None:
        filed_at = self.filed_at
        return None if filed_at is None else shanghai_date(filed_at)


@dataclass(frozen=True)
class Claim(DecidableClaim):
    """A claim with its facts in full."""

    discharge: EncounterDischarged | None
    live: tuple[SettlementPosted, ...]
    incident: IncidentRecorded | None = None
    aid: AidDecided | None = None


class Decidable(Protocol):
    """A person whose claims can be adjudicated."""

    @property
    def person_id(self) -> str: ...
    @property
    def death(self) -> DeathView | None: ...

    def claim_ids(self) -> set[ClaimId]:
        """Every encounter that has a discharge or a settlement, and every other occasion."""

    def claim(self, claim_id: ClaimId) -> DecidableClaim:
        """The claim for one encounter, or another occasion."""

    def traces(self) -> Iterable[tuple[ClaimId, Trace]]:
        """Of each claim what no other one must have."""

    def recorded_memberships(self) -> Sequence[MembershipView]:
        """The memberships of households that were not voided."""

    def recorded_coverages(self) -> Iterable[CoverageView]:
        """The coverages that were not voided, in order of their ids."""
