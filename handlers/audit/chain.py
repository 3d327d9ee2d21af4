"""A shard's audit chain: each entry holds the hash of the one before, so no change goes unnoticed."""

from __future__ import annotations

from handlers.fast.direct_messages import audit_entry
from schemas.outbound import AuditKind
from schemas.records import AuditRow, ShardState


def append(
    state: ShardState,
    number: int,
    kind: AuditKind,
    actor: str,
    subject: dict[str, str],
    content_sha256: str,
    occurred_at: str,
) -> AuditRow:
    """The shard's next entry (the value of an ``audit.recorded`` event); moves the end of the chain forward.

    ``occurred_at`` is an instant as messages write it.
    """
    seq, previous = state.audit_seq + 1, state.audit_hash
    own_hash, value = audit_entry(state.shard, seq, kind, actor, subject, content_sha256, previous, occurred_at)
    state.audit_seq, state.audit_hash = seq, own_hash
    return AuditRow(
        shard=state.shard,
        seq=seq,
        number=number,
        kind=kind,
        actor=actor,
        value=value,
    )
