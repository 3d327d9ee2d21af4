"""What is to be looked at in claims that may be there twice (time.md, section 2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from handlers.claims.twice import Finding
from handlers.words import twice_sentences
from schemas.canonical import derived_id
from schemas.outbound import AlertRaised, AlertWithdrawn
from schemas.records import ClaimRow


def changed(
    claim: ClaimRow, before: Iterable[Finding], after: Iterable[Finding], recorded_at: datetime
) -> list[AlertRaised | AlertWithdrawn]:
    """What a decision raises and withdraws: an alert for each code and invoice, again where other claims are named."""
    was = {(each.code, each.about): each for each in before}
    now = {(each.code, each.about): each for each in after}
    messages: list[AlertRaised | AlertWithdrawn] = [
        _withdrawn(claim, was[place], recorded_at) for place in sorted(was.keys() - now.keys())
    ]
    return messages + [
        _raised(claim, each, recorded_at) for place, each in sorted(now.items()) if each != was.get(place)
    ]


def alert_id(claim: ClaimRow, finding: Finding) -> str:
    """The id of the alert about a finding: the same whichever other claims it names."""
    return derived_id("AT", finding.code, claim.claim_id, finding.about)


def _raised(claim: ClaimRow, finding: Finding, recorded_at: datetime) -> AlertRaised:
    said = twice_sentences.raised(finding.code, finding.about, finding.others)
    return AlertRaised(
        event_id=derived_id("AL", finding.code, claim.claim_id, finding.about, claim.revision),
        occurred_at=recorded_at,
        code=finding.code,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        alert_id=alert_id(claim, finding),
        invoice_no=finding.about or None,
        other_claims=finding.others,
        zh=said.zh,
        en=said.en,
    )


def _withdrawn(claim: ClaimRow, finding: Finding, recorded_at: datetime) -> AlertWithdrawn:
    said = twice_sentences.WITHDRAWN[finding.code]
    return AlertWithdrawn(
        event_id=derived_id("AW", finding.code, claim.claim_id, finding.about, claim.revision),
        occurred_at=recorded_at,
        alert_id=alert_id(claim, finding),
        code=finding.code,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        zh=said.zh,
        en=said.en,
    )
