"""The messages that leave with almost every event, written from plain values instead of through their models.

Byte for byte what `canonical_json` makes of `ClaimDecided`, `PayoutInstructed` and `AuditRecorded`:
tests/properties/test_direct_messages.py holds the two ways together. A field that one of those models gains is missing
here until it is written here too, and the test says so.

``occurred_at`` is an instant as `format_instant` writes it, amounts are fen. What is no Unicode text (a lone surrogate)
raises UnicodeEncodeError.
"""

from __future__ import annotations

from schemas.bilingual import Saying
from schemas.canonical import canonical_json, derived_id, sha256_hex
from schemas.decisions import Reason, StepKind
from schemas.ids import FacilityId, PayoutId, PolicyId
from schemas.money import format_yuan
from schemas.outbound import AuditKind, InstructionKind, Payee
from schemas.policy.model import Basis
from schemas.records import BenefitRow, ClaimRow

Json = dict[str, object]


def claim_decided(
    row: ClaimRow,
    policy_id: PolicyId | None,
    benefits: list[Json],
    explanation: list[Json],
    occurred_at: str,
    more: Json | None = None,
) -> bytes:
    """A decision as it is published, of a claim as ``row`` keeps it, with its benefit and explanation lines.

    ``more`` holds the members that few claims have.
    """
    return canonical_json(
        {
            "benefits": benefits,
            "claim_id": row.claim_id,
            "event_id": derived_id("DE", row.claim_id, row.revision),
            "event_type": "claim.decided",
            "explanation": explanation,
            "occurred_at": occurred_at,
            "patient_pays": format_yuan(row.patient_pays),
            "person_id": row.person_id,
            "personal_burden": format_yuan(row.personal_burden),
            "policy_id": policy_id,
            "policy_sha256": row.policy_sha256,
            "revision": row.revision,
            "status": row.status,
            "total_benefit": format_yuan(row.total_benefit),
            **(more or {}),
        }
    )


def benefit_line(
    scheme_id: str, tier: str | None, basis: Basis | None, measured: int, benefit: int, reason: Reason | None
) -> Json:
    """What a scheme owes, for `claim_decided`; without a ``reason`` where it pays."""
    line: Json = {
        "basis": basis,
        "benefit": format_yuan(benefit),
        "measured": format_yuan(measured),
        "scheme_id": scheme_id,
        "tier": tier,
    }
    if reason is not None:
        line["reason"] = reason
    return line


def explanation_line(
    scheme_id: str, step: StepKind, amount: int, rule: str, inputs: dict[str, str], said: Saying
) -> Json:
    """One step of a scheme, for `claim_decided`."""
    return {
        "amount": format_yuan(amount),
        "en": said.en,
        "inputs": inputs,
        "rule": rule,
        "scheme_id": scheme_id,
        "step": step,
        "zh": said.zh,
    }


def payout_instructed(
    payout_id: PayoutId,
    kind: InstructionKind,
    amount: int,
    revision: int,
    payee: Payee,
    payee_id: FacilityId | None,
    payer: str,
    treaty_id: str | None,
    benefit: BenefitRow,
    claim: ClaimRow,
    reissue_of: str | None,
    reversal_of: str | None,
    set_off_of: str | None,
    pool_id: str | None,
    occurred_at: str,
) -> bytes:
    """An order to an insurer; a member that is None is left out, but for the benefit's tier and policy.

    What is kept back for a recovery, ``set_off_of``, is a reversal of it too for whoever knows no set-offs.
    """
    order: Json = {
        "amount": format_yuan(amount),
        "claim_id": benefit.claim_id,
        "decision_revision": claim.revision,
        "event_id": payout_id,
        "event_type": "payout.instructed",
        "kind": kind,
        "occurred_at": occurred_at,
        "payee": payee,
        "payer": payer,
        "payout_id": payout_id,
        "person_id": claim.person_id,
        "policy_id": benefit.policy_id,
        "policy_sha256": benefit.policy_sha256,
        "revision": revision,
        "scheme_id": benefit.scheme_id,
        "tier": benefit.tier,
    }
    if payee_id is not None:
        order["payee_id"] = payee_id
    if reissue_of is not None:
        order["reissue_of"] = reissue_of
    if reversal_of is not None:
        order["reversal_of"] = reversal_of
    if set_off_of is not None:
        order["reversal_of"] = order["set_off_of"] = set_off_of
    if pool_id is not None:
        order["pool_id"] = pool_id
    if treaty_id is not None:
        order["treaty_id"] = treaty_id
    return canonical_json(order)


def audit_entry(
    shard: int,
    seq: int,
    kind: AuditKind,
    actor: str,
    subject: dict[str, str],
    content_sha256: str,
    prev_hash: str,
    occurred_at: str,
) -> tuple[str, bytes]:
    """An entry's hash and its value, which is the hashed bytes with the member ``hash`` put before ``kind``.

    A quotation mark within a text is escaped, so the first of these bytes are the member ``kind`` itself.
    """
    bare = canonical_json(
        {
            "actor": actor,
            "content_sha256": content_sha256,
            "event_id": f"AU-{shard}-{seq}",
            "event_type": "audit.recorded",
            "kind": kind,
            "occurred_at": occurred_at,
            "prev_hash": prev_hash,
            "seq": seq,
            "shard": shard,
            "subject": subject,
        }
    )
    own_hash = sha256_hex(bare)
    return own_hash, bare.replace(b',"kind":', f',"hash":"{own_hash}","kind":'.encode(), 1)
