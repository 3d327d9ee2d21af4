"""The bytes of outbound events: canonical JSON of the outbound models, or what is the same."""

from __future__ import annotations

from datetime import datetime

from handlers.claims.adjudicate import Adjudication
from handlers.claims.explain import advance_lines, alerts_of, explained, payee_lines
from handlers.claims.settle import Due
from handlers.fast.direct_messages import benefit_line, claim_decided, explanation_line, payout_instructed
from schemas.canonical import base64_text, canonical_json, derived_id, sha256_hex
from schemas.checkpoint import SignedCheckpoint
from schemas.decisions import Status
from schemas.outbound import AuditCheckpointed, Payee
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
    plain = not adjudication.twice and not adjudication.overlapping and adjudication.status is not Status.AFTER_DEATH
    if plain and not adjudication.claim.has_advances:
        return {}  # as nearly always
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
