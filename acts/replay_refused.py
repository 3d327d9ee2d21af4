"""Sending refused events again, as an audited act of a named operator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Engine

from handlers.claims.process import Processor, World
from infra.clock import Clock
from infra.ledger import reads
from infra.ledger.refused_events import RefusedEvent, refused_events
from infra.ledger.write import record
from infra.sharding import shard_of
from schemas.policy.model import Policies
from schemas.records import Replay
from schemas.topics import address


class NotRefused(Exception):
    """There is no refused event with that number."""


def replay(
    engine: Engine,
    numbers: Sequence[int],
    operator: str,
    reason: str,
    shard_count: int,
    now: Clock,
    corrected: bytes | None = None,
) -> int:
    """Orders refused events to be sent again, ``corrected`` or as they were; returns how many.

    The order, its audit entry and the message for the relay are one transaction. Raises NotRefused.
    """
    with engine.begin() as connection:
        found = refused_events(connection, numbers=numbers) if numbers else []
        missing = sorted(set(numbers) - {each.number for each in found})
        if missing:
            raise NotRefused(f"no refused event has the number {', '.join(map(str, missing))}")
        acts = [_act(each, corrected, operator, reason, shard_count) for each in found]
        shards = reads.lock_shards(connection, {act.shard for act in acts}, {})
        world = World(Policies(), partial(shard_of, shard_count=shard_count), shards)
        processor = Processor(world, now())
        for act in acts:
            processor.replay_refused(act)
        record(connection, processor.outcome, shards)
    return len(acts)


def _act(refused: RefusedEvent, corrected: bytes | None, operator: str, reason: str, shard_count: int) -> Replay:
    value = corrected if corrected is not None else refused.value or b""
    topic, key = address(value)
    shard = refused.partition if key is None else shard_of(key.decode(), shard_count)
    if key is None:  # still unreadable: back to where it came from
        topic, key = refused.topic, refused.key
    return Replay(
        refused_no=refused.number,
        shard=shard,
        topic=topic,
        key=key,
        value=value,
        operator=operator,
        reason=reason,
    )
