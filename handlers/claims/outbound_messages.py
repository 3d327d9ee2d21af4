"""The bytes of outbound events: canonical JSON of the outbound models."""

from __future__ import annotations

from datetime import datetime

from handlers.claims.payout_reports import REPORT_ALERTS
from handlers.claims.settle import Due
from schemas.canonical import base64_text, canonical_json, derived_id, sha256_hex
from schemas.checkpoint import SignedCheckpoint
from schemas.decisions import ClaimDecided, ClaimDecision, to_json
from schemas.facts import PayoutReported
from schemas.ids import ClaimId
from schemas.outbound import AlertCode, AlertRaised, AuditCheckpointed, Payee, PayoutInstructed
from schemas.records import ClaimRow, Delivery
from schemas.refusals import EventRefused, Refusal


def decided(decision: ClaimDecision, row: ClaimRow, recorded_at: datetime) -> bytes:
    event = ClaimDecided.model_construct(
        **decision.__dict__,
        event_id=derived_id("DE", row.claim_id, row.revision),
        occurred_at=recorded_at,
        revision=row.revision,
        policy_sha256=row.policy_sha256,
    )
    return canonical_json(to_json(event))


def instructed(due: Due, claim: ClaimRow, deceased: bool, recorded_at: datetime) -> bytes:
    row = due.row
    event = PayoutInstructed(
        event_id=due.payout_id,
        occurred_at=recorded_at,
        payout_id=due.payout_id,
        claim_id=row.claim_id,
        person_id=claim.person_id,
        scheme_id=row.scheme_id,
        tier=row.tier,
        kind=due.kind,
        amount=due.amount,
        revision=row.instruction_revision,
        payee=Payee.ESTATE if deceased else Payee.PERSON,
        policy_id=row.policy_id,
        policy_sha256=row.policy_sha256,
        decision_revision=claim.revision,
        reissue_of=due.reissue_of,
        reversal_of=due.reversal_of,
    )
    absent = {name for name in ("reissue_of", "reversal_of") if getattr(due, name) is None}
    return canonical_json(event.model_dump(mode="json", exclude=absent))


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
    return canonical_json(event.model_dump(mode="json"))


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
    return canonical_json(event.model_dump(mode="json"))


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
