"""What is to be looked at in memberships of households (groups.md, section 2)."""

from __future__ import annotations

from datetime import datetime

from handlers.words import household_sentences
from schemas.canonical import derived_id
from schemas.ids import PersonId, trigger_of
from schemas.outbound import AlertCode, AlertRaised, AlertWithdrawn
from schemas.records import ClaimRow

_OVERLAP, _TOO_LARGE = AlertCode.MEMBERSHIPS_OVERLAP, AlertCode.GROUP_TOO_LARGE


def overlap_raised(claim: ClaimRow, recorded_at: datetime) -> AlertRaised:
    """Several memberships hold the day of a claim; the sentences name no household."""
    stay = trigger_of(claim.claim_id) == "stay"
    said = household_sentences.MEMBERSHIPS_OVERLAP if stay else household_sentences.OVERLAP_THAT_DAY
    return AlertRaised(
        event_id=derived_id("AL", _OVERLAP, claim.claim_id, claim.revision),
        occurred_at=recorded_at,
        code=_OVERLAP,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        alert_id=derived_id("AT", _OVERLAP, claim.claim_id),
        zh=said.zh,
        en=said.en,
    )


def overlap_withdrawn(claim: ClaimRow, recorded_at: datetime) -> AlertWithdrawn:
    """At most one membership holds the day of a claim now."""
    stay = trigger_of(claim.claim_id) == "stay"
    said = household_sentences.OVERLAP_SETTLED if stay else household_sentences.SETTLED_THAT_DAY
    return AlertWithdrawn(
        event_id=derived_id("AW", _OVERLAP, claim.claim_id, claim.revision),
        occurred_at=recorded_at,
        alert_id=derived_id("AT", _OVERLAP, claim.claim_id),
        code=_OVERLAP,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        zh=said.zh,
        en=said.en,
    )


def group_too_large(person_id: PersonId, persons: int, recorded_at: datetime) -> AlertRaised:
    """A membership has linked a person to more others than anybody's household can be."""
    said = household_sentences.group_too_large(persons)
    return AlertRaised(
        event_id=derived_id("AL", _TOO_LARGE, person_id, persons),
        occurred_at=recorded_at,
        code=_TOO_LARGE,
        claim_id=None,
        person_id=person_id,
        alert_id=derived_id("AT", _TOO_LARGE, person_id),
        zh=said.zh,
        en=said.en,
    )
