"""Who can post what: hospitals their facilities' events, who pays reports on its payouts, registries the rest.

More people know the ids of encounters and settlements than are allowed to write to them. So an event must not only name
the caller's facility: whatever is already stored under the id must be the caller's too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.access.callers import ApiRole, Caller
from schemas.bilingual import Saying
from schemas.facts import (
    EncounterDischarged,
    Fact,
    Kind,
    PayoutReported,
    SettlementPosted,
    SettlementVoided,
    StatementAnswered,
    Subject,
)

MAY_POST: dict[ApiRole, frozenset[str]] = {
    ApiRole.HOSPITAL: frozenset({"encounter.discharged", "settlement.posted", "settlement.voided"}),
    ApiRole.INSURER: frozenset({"payout.reported"}),
    ApiRole.LEAD: frozenset({"payout.reported", "statement.answered"}),
    ApiRole.REGISTRY: frozenset(
        {
            *("coverage.recorded", "coverage.voided", "person.died", "membership.recorded", "membership.voided"),
            *("pool.recorded", "contribution.received", "contribution.voided"),
            *("aid.decided", "aid.voided", "incident.recorded", "incident.voided"),
        }
    ),
}


@dataclass(slots=True)
class Owners:
    """Who owns an id.

    The facility of an encounter (by its discharge) or settlement, a payout's scheme or insurer, a statement's insurer.
    """

    by_subject: dict[Subject, str] = field(default_factory=dict)

    def note(self, fact: Fact) -> None:
        """Records an accepted event; the newest one decides who owns the id."""
        if isinstance(fact, EncounterDischarged | SettlementPosted):
            self.by_subject[fact.subject] = fact.facility_id

    def note_all(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.note(fact)


def refusal_of(fact: Fact, caller: Caller, owners: Owners) -> Saying | None:
    """Why the caller is not allowed to post this event (no personal data); None when it is allowed."""
    if fact.event_type not in MAY_POST[caller.role]:
        return cannot(caller, Saying(f"报送 {fact.event_type}", f"post {fact.event_type}"))
    if isinstance(fact, EncounterDischarged | SettlementPosted) and fact.facility_id not in caller.scope:
        return Saying("facility_id 不是此密钥的机构", "facility_id is not one of this key's facilities")
    if isinstance(fact, SettlementVoided) and fact.subject not in owners.by_subject:
        return Saying(
            "此密钥的机构没有这张结算单:请先报送结算单,再作废",
            "this key's facilities have no settlement with that id: post the settlement before voiding it",
        )
    if isinstance(fact, PayoutReported) and fact.subject not in owners.by_subject:
        return Saying("没有由此密钥支付的这笔款项", "this key pays no payout with that id")
    if isinstance(fact, StatementAnswered):
        return _answer_refused(fact, caller, owners)
    for subject in _written(fact):
        if owners.by_subject.get(subject, next(iter(caller.scope), "")) not in caller.scope:
            name = {Kind.ENCOUNTER: "这次就诊", Kind.SETTLEMENT: "这张结算单"}.get(subject.kind, "这笔支付")
            return Saying(
                f"{name}属于其他机构、保障层或保险公司",
                f"that {subject.kind} belongs to another facility, scheme or insurer",
            )
    return None


def _answer_refused(fact: StatementAnswered, caller: Caller, owners: Owners) -> Saying | None:
    if fact.person_id not in caller.scope:
        return Saying("insurer_id 不是此密钥的保险公司", "insurer_id is not one of this key's insurers")
    if owners.by_subject.get(fact.subject) != fact.person_id:
        return Saying("没有发给这家保险公司的这份对账单", "this insurer has no statement with that id")
    return None


def cannot(caller: Caller, what: Saying) -> Saying:
    """That keys of the caller's role are not for something."""
    return Saying(f"{_ROLES[caller.role]}的密钥不能{what.zh}", f"a {caller.role} key cannot {what.en}")


_ROLES = {
    ApiRole.HOSPITAL: "医院",
    ApiRole.INSURER: "保险公司",
    ApiRole.LEAD: "主承保公司",
    ApiRole.REGISTRY: "登记部门",
}


def may_see_claim(facilities: Iterable[str], caller: Caller) -> bool:
    """Whether the caller is allowed to see a claim of these facilities."""
    return caller.role is ApiRole.HOSPITAL and not caller.scope.isdisjoint(facilities)


def _written(fact: Fact) -> list[Subject]:
    """The ids the event writes to: if they have an owner, it must be the caller."""
    if isinstance(fact, SettlementPosted | SettlementVoided):
        return [fact.subject, Subject(Kind.ENCOUNTER, fact.encounter_id)]
    return [fact.subject] if isinstance(fact, EncounterDischarged | PayoutReported) else []
