"""The slow twin of `handlers/fast/direct_messages.py`: the same messages, by way of their models and canonical JSON.

The functions look like those that they stand for, and share no line with them. They go through every check of the
models, so one that has a new field without a default does not even let them begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from handlers.audit import chain
from handlers.claims import outbound_messages
from handlers.claims.adjudicate import Adjudication
from handlers.claims.explain import decision_of
from handlers.claims.settle import Due
from schemas.canonical import canonical_json, derived_id, sha256_hex
from schemas.dates import parse_instant
from schemas.decisions import ClaimDecided, to_json
from schemas.outbound import AuditKind, AuditRecorded, Payee, PayoutInstructed
from schemas.records import ClaimRow

Made = TypeVar("Made", bytes, tuple[str, bytes])


def decided(adjudication: Adjudication, row: ClaimRow, occurred_at: str) -> bytes:
    event = ClaimDecided(
        **decision_of(adjudication).__dict__,
        event_id=derived_id("DE", row.claim_id, row.revision),
        occurred_at=parse_instant(occurred_at),
        revision=row.revision,
        policy_sha256=row.policy_sha256,
    )
    return canonical_json(to_json(event))


def instructed(due: Due, claim: ClaimRow, deceased: bool, occurred_at: str) -> bytes:
    row = due.row
    event = PayoutInstructed(
        event_id=due.payout_id,
        occurred_at=parse_instant(occurred_at),
        payout_id=due.payout_id,
        claim_id=row.claim_id,
        person_id=claim.person_id,
        scheme_id=row.scheme_id,
        tier=row.tier,
        kind=due.kind,
        amount=due.amount,
        revision=due.revision,
        payee=Payee.FACILITY if due.facility_id is not None else Payee.ESTATE if deceased else Payee.PERSON,
        payee_id=due.facility_id,
        payer=due.payer.id,
        treaty_id=due.payer.treaty_id,
        policy_id=row.policy_id,
        policy_sha256=row.policy_sha256,
        decision_revision=claim.revision,
        reissue_of=due.reissue_of,
        reversal_of=due.reversal_of if due.set_off_of is None else due.set_off_of,
        set_off_of=due.set_off_of,
        pool_id=due.payer.pool_id,
    )
    absent = {name for name in ("reissue_of", "reversal_of", "set_off_of") if getattr(event, name) is None}
    absent |= {"payee_id"} if due.facility_id is None else set()
    absent |= {name for name in ("treaty_id", "pool_id") if getattr(event, name) is None}
    return canonical_json(event.model_dump(mode="json", exclude=absent))


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
    event = AuditRecorded(
        event_id=f"AU-{shard}-{seq}",
        occurred_at=parse_instant(occurred_at),
        shard=shard,
        seq=seq,
        kind=kind,
        actor=actor,
        subject=subject,
        content_sha256=content_sha256,
        prev_hash=prev_hash,
        hash="",
    )
    own_hash = sha256_hex(canonical_json(event.model_dump(mode="json", exclude={"hash"})))
    return own_hash, canonical_json(event.model_dump(mode="json") | {"hash": own_hash})


@contextmanager
def both_ways() -> Iterator[list[bytes]]:
    """While it lasts, each message that leaves is written both ways, and must be the same; gives what was written."""
    written: list[bytes] = []

    def compared(fast: Callable[..., Made], slow: Callable[..., Made]) -> Callable[..., Made]:
        def write(*given: object) -> Made:
            made = fast(*given)
            assert slow(*given) == made
            written.append(made[1] if isinstance(made, tuple) else made)
            return made

        return write

    with pytest.MonkeyPatch.context() as patch:
        for module, name, slow in (
            (outbound_messages, "decided", decided),
            (outbound_messages, "instructed", instructed),
            (chain, "audit_entry", audit_entry),
        ):
            patch.setattr(module, name, compared(getattr(module, name), slow))
        yield written
