"""A checkpoint as it goes out, signed with a key of the tests."""

from __future__ import annotations

from handlers.claims.outbound_messages import checkpointed
from infra.keys.audit_signing import SigningKey
from schemas.checkpoint import Checkpoint
from tests.support.builders import RECORDED_AT


def checkpoint_message() -> bytes:
    """The value of an `audit.checkpointed` event."""
    key = SigningKey("wuxi.example/huzhu", b"\x01" * 32)
    return checkpointed(key.sign(Checkpoint(key.verifier.name, 1, 240, b"\x02" * 32, RECORDED_AT)))
