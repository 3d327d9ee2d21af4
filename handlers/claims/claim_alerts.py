"""What is to be looked at about a claim: that it is after death, and money that a hospital advanced for nothing."""

from __future__ import annotations

from datetime import datetime

from handlers.claims.payees import UnpaidAdvance
from handlers.words import alert_sentences
from handlers.words.claim_sentences import yuan
from handlers.words.payout_sentences import ADVANCE_ALERTS, ADVANCE_SETTLED
from schemas.canonical import derived_id
from schemas.ids import ClaimId, trigger_of
from schemas.outbound import AlertCode, AlertRaised, AlertWithdrawn
from schemas.records import ClaimRow


def after_death(claim: ClaimRow, recorded_at: datetime) -> AlertRaised:
    """Somebody was admitted after the recorded day of death, or an incident or aid is dated after it."""
    stay = trigger_of(claim.claim_id) == "stay"
    said = alert_sentences.AFTER_DEATH if stay else alert_sentences.HAPPENED_AFTER_DEATH
    return AlertRaised(
        event_id=derived_id("AL", claim.claim_id, claim.revision),
        occurred_at=recorded_at,
        code=AlertCode.AFTER_DEATH,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        alert_id=derived_id("AT", AlertCode.AFTER_DEATH, claim.claim_id),
        zh=said.zh,
        en=said.en,
    )


def after_death_withdrawn(claim: ClaimRow, recorded_at: datetime) -> AlertWithdrawn:
    """The day of death or the claim was corrected, or the claim voided."""
    stay = trigger_of(claim.claim_id) == "stay"
    said = alert_sentences.NOT_AFTER_DEATH if stay else alert_sentences.HAPPENED_BEFORE_DEATH
    return AlertWithdrawn(
        event_id=derived_id("AW", AlertCode.AFTER_DEATH, claim.claim_id, claim.revision),
        occurred_at=recorded_at,
        alert_id=derived_id("AT", AlertCode.AFTER_DEATH, claim.claim_id),
        code=AlertCode.AFTER_DEATH,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        zh=said.zh,
        en=said.en,
    )


def advance_unpaid(claim: ClaimRow, scheme_id: str, unpaid: UnpaidAdvance, recorded_at: datetime) -> AlertRaised:
    """Money taken off a bill that no scheme owes, as it stands after the claim's decision."""
    said = ADVANCE_ALERTS[unpaid.code](yuan(unpaid.amount))
    return AlertRaised(
        event_id=derived_id("AL", unpaid.code, claim.claim_id, scheme_id, claim.revision),
        occurred_at=recorded_at,
        code=unpaid.code,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        alert_id=_of_advance(unpaid.code, claim.claim_id, scheme_id),
        scheme_id=scheme_id,
        amount=unpaid.amount,
        zh=said.zh,
        en=said.en,
    )


def advance_settled(claim: ClaimRow, scheme_id: str, code: AlertCode, recorded_at: datetime) -> AlertWithdrawn:
    """The alert about a claim's advances for a scheme has lost its reason with the claim's decision."""
    return AlertWithdrawn(
        event_id=derived_id("AW", code, claim.claim_id, scheme_id, claim.revision),
        occurred_at=recorded_at,
        alert_id=_of_advance(code, claim.claim_id, scheme_id),
        code=code,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        scheme_id=scheme_id,
        zh=ADVANCE_SETTLED.zh,
        en=ADVANCE_SETTLED.en,
    )


def _of_advance(code: AlertCode, claim_id: ClaimId, scheme_id: str) -> str:
    return derived_id("AT", code, claim_id, scheme_id)
