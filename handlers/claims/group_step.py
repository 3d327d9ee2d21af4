"""The group step: the claims of persons whom households link, decided at once as a numbered event (groups.md, 1)."""

from __future__ import annotations

import json

from handlers.audit.journal import ACTOR
from handlers.claims.process import Processor
from schemas.canonical import canonical_json
from schemas.outbound import AuditKind
from schemas.records import GroupStep


def recompute_group(processor: Processor, step: GroupStep, traceparent: str | None = None) -> None:
    """Decides a group's claims as one event of the shard of its first person.

    The event's bytes name the persons, so that a replay of the ledger decides the same ones together, whoever has
    joined meanwhile (law 7). Its audit entry says only how many they are. What it sends has the ``traceparent``.
    """
    value, journal = canonical_json(step._asdict()), processor.journal
    shard = processor.world.shard_of(step.persons[0])
    number = journal.step(shard, value, traceparent)
    journal.audit(shard, number, AuditKind.GROUP_RECOMPUTED, ACTOR, {"persons": str(len(step.persons))}, value)
    processor.recompute_together(step, number)


def step_of(value: bytes) -> GroupStep:
    """The group step that an event's bytes say."""
    return GroupStep(**json.loads(value))
