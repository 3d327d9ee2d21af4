"""Sending refused events again, as an audited act of a named operator."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from acts.ledger_act import ledger_act
from handlers.audit.operator_acts import event_replayed
from infra.clock import Clock
from infra.ledger.refused_events import RefusedEvent, refused_events
from infra.sharding import shard_of
from schemas.records import Replay
from schemas.topics import address


class NotRefused(Exception):
    """There is no refused event with that number."""


def replay_refused(
    connection: Connection,
    numbers: Sequence[int],
    operator: str,
    reason: str,
    shard_count: int,
    now: Clock,
    corrected: bytes | None = None,
) -> int:
    """Orders refused events to be sent again, ``corrected`` or as they were; returns how many.

    Each comes in through its topic like any other event. Raises NotRefused.
    """
    events = refused_events(connection, numbers=numbers) if numbers else []
    missing = sorted(set(numbers) - {event.number for event in events})
    if missing:
        raise NotRefused(f"no refused event has the number {', '.join(map(str, missing))}")
    acts = [_act(event, corrected, operator, reason, shard_count) for event in events]
    with ledger_act(connection, {act.shard for act in acts}, now) as journal:
        for act in acts:
            event_replayed(journal, act)
    return len(acts)


def _act(event: RefusedEvent, corrected: bytes | None, operator: str, reason: str, shard_count: int) -> Replay:
    value = corrected if corrected is not None else event.value or b""
    topic, key = address(value)
    if key is None:  # unreadable still: back to where it stood
        topic, key, shard = event.topic, event.key, event.partition
    else:
        shard = shard_of(key.decode(), shard_count)
    return Replay(
        refused_no=event.number, shard=shard, topic=topic, key=key, value=value, operator=operator, reason=reason
    )
