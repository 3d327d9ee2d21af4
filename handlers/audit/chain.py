"""A shard's audit chain: each entry holds the hash of the one before, so no change goes unnoticed."""

from __future__ import annotations

from datetime import datetime

from schemas.canonical import canonical_json, sha256_hex
from schemas.dates import format_instant
from schemas.outbound import AuditKind
from schemas.records import AuditRow, ShardState


def append(
    state: ShardState,
    number: int,
    kind: AuditKind,
    actor: str,
    subject: dict[str, str],
    content_sha256: str,
    recorded_at: datetime,
) -> AuditRow:
    """The shard's next entry (the value of an ``audit.recorded`` event); moves the end of the chain forward."""
    state.audit_seq += 1
    entry: dict[str, object] = {
        "event_type": "audit.recorded",
        "event_id": f"AU-{state.shard}-{state.audit_seq}",
        "occurred_at": format_instant(recorded_at),
        "shard": state.shard,
        "seq": state.audit_seq,
        "kind": kind,
        "actor": actor,
        "subject": subject,
        "content_sha256": content_sha256,
        "prev_hash": state.audit_hash,
    }
    previous, state.audit_hash = state.audit_hash, sha256_hex(canonical_json(entry))
    value = canonical_json({**entry, "hash": state.audit_hash})
    return AuditRow(
        shard=state.shard,
        seq=state.audit_seq,
        number=number,
        kind=kind,
        actor=actor,
        prev_hash=previous,
        hash=state.audit_hash,
        value=value,
    )
