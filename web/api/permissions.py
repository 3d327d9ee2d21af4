"""Who can post what: hospitals their facilities' events, insurers reports on their payouts, registries the rest.

More people know the ids of encounters and settlements than are allowed to write to them. So an event must not only name
the caller's facility: whatever is already stored under the id must be the caller's too.
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
    """Who owns an id: the facility of an encounter (by its discharge) or settlement, the scheme of a payout."""

    by_subject: dict[Subject, str] = field(default_factory=dict)

    def note(self, fact: Fact) -> None:
        """Records an accepted event; the newest one decides who owns the id."""
        if isinstance(fact, EncounterDischarged | SettlementPosted):
            self.by_subject[fact.subject] = fact.facility_id

    def note_all(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.note(fact)


def refusal_of(fact: Fact, caller: Caller, owners: Owners) -> str | None:
    """Why the caller is not allowed to post this event (English, no personal data); None when it is allowed."""
    if fact.event_type not in MAY_POST[caller.role]:
        return f"a {caller.role} key cannot post {fact.event_type}"
    if isinstance(fact, EncounterDischarged | SettlementPosted) and fact.facility_id not in caller.scope:
        return "facility_id is not one of this key's facilities"
    if isinstance(fact, SettlementVoided) and fact.subject not in owners.by_subject:
        return "this key's facilities have no settlement with that id: post the settlement before voiding it"
    if isinstance(fact, PayoutReported) and fact.subject not in owners.by_subject:
        return "this key's schemes have no payout with that id"
    for subject in _written(fact):
        if owners.by_subject.get(subject, next(iter(caller.scope), "")) not in caller.scope:
            return f"that {subject.kind} belongs to another facility or scheme"
    return None


def may_see_claim(facilities: Iterable[str], caller: Caller) -> bool:
    """Whether the caller is allowed to see a claim of these facilities."""
    return caller.role is ApiRole.HOSPITAL and not caller.scope.isdisjoint(facilities)


def _written(fact: Fact) -> list[Subject]:
    """The ids the event writes to: if they have an owner, it must be the caller."""
    if isinstance(fact, SettlementPosted | SettlementVoided):
        return [fact.subject, Subject(Kind.ENCOUNTER, fact.encounter_id)]
    return [fact.subject] if isinstance(fact, EncounterDischarged | PayoutReported) else []
