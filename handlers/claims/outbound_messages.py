"""The bytes of outbound events: canonical JSON of the outbound models, or what is the same."""

from __future__ import annotations

from datetime import datetime

from handlers.claims.adjudicate import Adjudication
from handlers.claims.explain import advance_lines, alerts_of, explained, payee_lines
from handlers.claims.payees import UnpaidAdvance
from handlers.claims.payout_reports import REPORT_ALERTS
from handlers.claims.settle import Due
from handlers.fast.direct_messages import benefit_line, claim_decided, explanation_line, payout_instructed
from handlers.words.claim_sentences import yuan
from handlers.words.payout_sentences import ADVANCE_ALERTS, ADVANCE_SETTLED
from schemas.canonical import base64_text, canonical_json, derived_id, sha256_hex
from schemas.checkpoint import SignedCheckpoint
from schemas.facts import PayoutReported
from schemas.ids import ClaimId
from schemas.outbound import AlertCode, AlertRaised, AlertWithdrawn, AuditCheckpointed, Payee
from schemas.records import ClaimRow, Delivery
from schemas.refusals import EventRefused, Refusal


def decided(adjudication: Adjudication, row: ClaimRow, occurred_at: str) -> bytes:
    """A decision with its explanation, as ``row`` keeps it; ``occurred_at`` as messages write it."""
    policy, more = adjudication.policy, _of_some(adjudication)
    if policy is None:
        return claim_decided(row, None, [], [], occurred_at, more)
    benefits, explanation = [], []
    for benefit in adjudication.benefits:
        scheme, tier = benefit.scheme, None if benefit.tier is None else benefit.tier.name
        line = benefit_line(scheme.id, tier, scheme.basis, benefit.measured, benefit.amount, benefit.reason)
        benefits.append(line if benefit.pool_id is None else line | {"pool_id": benefit.pool_id})
        for step in benefit.steps:
            explanation.append(explanation_line(scheme.id, step.kind, step.amount, *explained(step, benefit, policy)))
    return claim_decided(row, policy.id, benefits, explanation, occurred_at, more)


def _of_some(adjudication: Adjudication) -> dict[str, object]:
    """The members of a decision that few claims have."""
    members: dict[str, object] = {}
    if alerts := alerts_of(adjudication):
        members["alerts"] = list(alerts)
    if adjudication.held:
        members["held"] = True
    advances, payees = advance_lines(adjudication), payee_lines(adjudication)
    if advances is not None and payees is not None:
        members["advances"] = [line.model_dump(mode="json") for line in advances]
        members["payees"] = [line.model_dump(mode="json", exclude_none=True) for line in payees]
    return members


def instructed(due: Due, claim: ClaimRow, deceased: bool, occurred_at: str) -> bytes:
    """The order of an amount that is due; ``occurred_at`` as messages write it."""
    payee = Payee.FACILITY if due.facility_id is not None else Payee.ESTATE if deceased else Payee.PERSON
    return payout_instructed(
        due.payout_id,
        due.kind,
        due.amount,
        due.revision,
        payee,
        due.facility_id,
        due.payer.id,
        due.payer.treaty_id,
        due.row,
        claim,
        due.reissue_of,
        due.reversal_of,
        due.set_off_of,
        due.payer.pool_id,
        occurred_at,
    )


def after_death(claim: ClaimRow, recorded_at: datetime) -> bytes:
    event = AlertRaised(
        event_id=derived_id("AL", claim.claim_id, claim.revision),
        occurred_at=recorded_at,
        code=AlertCode.AFTER_DEATH,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        zh="入院日期晚于登记的死亡日期,未予支付。请核实身份是否被冒用或死亡登记是否有误。",
        en="Admitted after the recorded day of death; nothing is paid. Check for a stolen identity or a wrong record.",
    )
    return canonical_json(event.model_dump(mode="json", exclude=_OF_OTHERS))


_OF_OTHERS = {"alert_id", "scheme_id", "amount", "pool_id"}
"""Members that only alerts about advances and pools have."""


def advance_alert(claim: ClaimRow, scheme_id: str, unpaid: UnpaidAdvance, recorded_at: datetime) -> bytes:
    """Money taken off a bill that no scheme owes, as it stands after the claim's decision."""
    said = ADVANCE_ALERTS[unpaid.code](yuan(unpaid.amount))
    event = AlertRaised(
        event_id=derived_id("AL", unpaid.code, claim.claim_id, scheme_id, claim.revision),
        occurred_at=recorded_at,
        code=unpaid.code,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        alert_id=advance_alert_id(unpaid.code, claim.claim_id, scheme_id),
        scheme_id=scheme_id,
        amount=unpaid.amount,
        zh=said.zh,
        en=said.en,
    )
    return canonical_json(event.model_dump(mode="json", exclude={"pool_id"}))


def advance_alert_withdrawn(claim: ClaimRow, scheme_id: str, code: AlertCode, recorded_at: datetime) -> bytes:
    """The alert about a claim's advances for a scheme has lost its reason with the claim's decision."""
    event = AlertWithdrawn(
        event_id=derived_id("AW", code, claim.claim_id, scheme_id, claim.revision),
        occurred_at=recorded_at,
        alert_id=advance_alert_id(code, claim.claim_id, scheme_id),
        code=code,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        scheme_id=scheme_id,
        zh=ADVANCE_SETTLED.zh,
        en=ADVANCE_SETTLED.en,
    )
    return canonical_json(event.model_dump(mode="json", exclude={"pool_id"}))


def advance_alert_id(code: AlertCode, claim_id: ClaimId, scheme_id: str) -> str:
    """The id of an alert: it follows from what it is about, never from when it was noticed."""
    return derived_id("AT", code, claim_id, scheme_id)


def about_report(
    code: AlertCode, report: PayoutReported, claim_id: ClaimId | None, mark: str, recorded_at: datetime
) -> bytes:
    """The alert that a report of content ``mark`` raises."""
    event = AlertRaised(
        event_id=derived_id("AL", report.payout_id, mark),
        occurred_at=recorded_at,
        code=code,
        claim_id=claim_id,
        person_id=report.person_id,
        payout_id=report.payout_id,
        zh=REPORT_ALERTS[code].zh,
        en=REPORT_ALERTS[code].en,
    )
    return canonical_json(event.model_dump(mode="json", exclude=_OF_OTHERS))


def refused(delivery: Delivery, refusal: Refusal, recorded_at: datetime) -> bytes:
    value = delivery.value or b""
    event = EventRefused(
        event_id=derived_id("RF", delivery.topic, delivery.partition, delivery.offset),
        occurred_at=recorded_at,
        code=refusal.code,
        pointers=refusal.pointers,
        zh=refusal.zh,
        en=refusal.en,
        topic=delivery.topic,
        partition=delivery.partition,
        offset=delivery.offset,
        key_base64=base64_text(delivery.key),
        value_base64=base64_text(delivery.value),
        value_sha256=sha256_hex(value),
    )
    return canonical_json(event.model_dump(mode="json"))


def checkpointed(signed: SignedCheckpoint) -> bytes:
    made, signature = signed.checkpoint, signed.signatures[0]
    event = AuditCheckpointed(
        event_id=f"CP-{made.shard}-{made.size}",
        occurred_at=made.made_at,
        shard=made.shard,
        size=made.size,
        root=made.root.hex(),
        key_id=signature.key_id,
        signature=base64_text(signature.value),
        note=signed.note,
    )
    return canonical_json(event.model_dump(mode="json"))
