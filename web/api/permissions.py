"""Who may post what: a hospital its facility's events, an insurer reports on its schemes' payouts, a registry the rest.

Ids of encounters and settlements are known to more people than may write under them, so it is not enough that an
event names the caller's facility: what stands under the id already must be the caller's too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.access.callers import ApiRole, Caller
from schemas.facts import EncounterDischarged, Fact, Kind, PayoutReported, SettlementPosted, SettlementVoided, Subject

MAY_POST: dict[ApiRole, frozenset[str]] = {
    ApiRole.HOSPITAL: frozenset({"encounter.discharged", "settlement.posted", "settlement.voided"}),
    ApiRole.INSURER: frozenset({"payout.reported"}),
    ApiRole.REGISTRY: frozenset({"coverage.recorded", "coverage.voided", "person.died"}),
}


@dataclass(slots=True)
class Owners:
    """Whose ids are: the facility of an encounter's discharge and of a settlement, the scheme of a payout."""

    known: dict[Subject, str] = field(default_factory=dict)

    def note(self, fact: Fact) -> None:
        """Takes in an accepted event; the newest says whose the id is."""
        if isinstance(fact, EncounterDischarged | SettlementPosted):
            self.known[fact.subject] = fact.facility_id

    def note_all(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.note(fact)


def refusal_of(fact: Fact, caller: Caller, owners: Owners) -> str | None:
    """Why the caller may not post this event (English, no personal data); None when they may."""
    if fact.event_type not in MAY_POST[caller.role]:
        return f"a {caller.role} key does not post {fact.event_type}"
    if isinstance(fact, EncounterDischarged | SettlementPosted) and fact.facility_id not in caller.scope:
        return "facility_id is not one of this key's facilities"
    if isinstance(fact, SettlementVoided) and fact.subject not in owners.known:
        return "no settlement of this key's facilities has that id: post it before it is voided"
    if isinstance(fact, PayoutReported) and fact.subject not in owners.known:
        return "no payout of this key's schemes has that id"
    for subject in _touched(fact):
        if owners.known.get(subject, next(iter(caller.scope), "")) not in caller.scope:
            return f"that {subject.kind} belongs to another"
    return None


def may_see_claim(facilities: Iterable[str], caller: Caller) -> bool:
    """Whether a claim of these facilities may be shown to the caller."""
    return caller.role is ApiRole.HOSPITAL and not caller.scope.isdisjoint(facilities)


def _touched(fact: Fact) -> list[Subject]:
    """The ids whose owner must be the caller, if they have one."""
    if isinstance(fact, SettlementPosted | SettlementVoided):
        return [fact.subject, Subject(Kind.ENCOUNTER, fact.encounter_id)]
    return [fact.subject] if isinstance(fact, EncounterDischarged | PayoutReported) else []
