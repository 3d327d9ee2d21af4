"""What is told about claims that cross a step of a watch: the alert SELF_PAY_HIGH."""

from __future__ import annotations

from datetime import datetime

from handlers.watches.crossings import Crossing
from handlers.words.watch_sentences import crossing_gone, crossing_said
from schemas.canonical import derived_id
from schemas.ids import ClaimId, PersonId
from schemas.outbound import AlertCode, AlertRaised, AlertWithdrawn, CrossingLine
from schemas.records import ClaimRow

_CODE = AlertCode.SELF_PAY_HIGH


def alert_id(watch: str, claim_id: str, step: int) -> str:
    """The id of the alert about a claim that crosses a step (fen) of a watch: the same whatever its sum."""
    return derived_id("AT", _CODE, watch, claim_id, step)


def raised(claim: ClaimRow, crossing: Crossing, seq: int, recorded_at: datetime) -> AlertRaised:
    """A claim brings its unit's sum over a step; ``seq`` is that of the audit entry in the claim's shard."""
    watch, step, of_household = crossing.watch, crossing.step, crossing.unit.household_id is not None
    said = crossing_said(watch, of_household, crossing.claim.day, len(crossing.counted), step, crossing.sum)
    return AlertRaised(
        event_id=derived_id("AL", _CODE, watch.id, claim.claim_id, step, seq),
        occurred_at=recorded_at,
        code=_CODE,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        alert_id=alert_id(watch.id, claim.claim_id, step),
        watch=watch.id,
        unit=crossing.unit_id,
        step=step,
        sum=crossing.sum,
        lines=tuple(
            CrossingLine(
                claim_id=ClaimId(each.claim_id),
                person_id=PersonId(each.person_id),
                discharged_on=each.day,
                amount=each.amount,
            )
            for each in crossing.counted
        ),
        zh=said.zh,
        en=said.en,
    )


def withdrawn(claim: ClaimRow, watch: str, step: int, seq: int, recorded_at: datetime) -> AlertWithdrawn:
    """The claim does not bring the sum over the step any more."""
    said = crossing_gone(step)
    return AlertWithdrawn(
        event_id=derived_id("AW", _CODE, watch, claim.claim_id, step, seq),
        occurred_at=recorded_at,
        alert_id=alert_id(watch, claim.claim_id, step),
        code=_CODE,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        watch=watch,
        step=step,
        zh=said.zh,
        en=said.en,
    )
