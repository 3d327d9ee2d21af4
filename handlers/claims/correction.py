"""What may be sent in place of a refused event: something that reads as an event, and that is still the same one."""

from __future__ import annotations

import json
from datetime import datetime

from handlers.claims.read import read
from schemas.bilingual import Saying
from schemas.refusals import Refusal
from schemas.topics import EVENT_BYTES_MAX


def why_not_corrected(was: bytes, value: bytes, moment: datetime) -> Saying | None:
    """Why ``value`` cannot be sent at ``moment`` in place of the refused bytes ``was``; None if it can."""
    if len(value) > EVENT_BYTES_MAX:
        return Saying("更正后的事件超过 1 MiB。", "The corrected event is larger than 1 MiB.")
    reading = read(value, as_of=moment)
    if isinstance(reading, Refusal):
        return Saying(f"更正后仍会被拒收:{reading.zh}", f"It would be refused again: {reading.en}")
    event_id = _fields(was).get("event_id")
    if isinstance(event_id, str) and event_id != reading.fact.event_id:
        return Saying(
            "event_id 不能改:更正的是同一个事件。", "event_id cannot change: this is a correction of the same event."
        )
    return None


def _fields(value: bytes) -> dict[str, object]:
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
