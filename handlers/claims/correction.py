"""What may be sent in place of a refused event: something that reads as an event, and that is still the same one."""

from __future__ import annotations

import json
from datetime import datetime

from handlers.claims.read import read, wrong_fields
from schemas.bilingual import Saying
from schemas.refusals import Refusal
from schemas.topics import EVENT_BYTES_MAX


def why_not_corrected(was: bytes, value: bytes, moment: datetime) -> Saying | None:
    """Why ``value`` cannot be sent at ``moment`` in place of the refused bytes ``was``; None if it can."""
    if len(value) <= EVENT_BYTES_MAX and isinstance(refusal := read(value, as_of=moment), Refusal):
        return Saying(f"更正后仍会被拒收:{refusal.zh}", f"It would be refused again: {refusal.en}")
    return next((why for _, why in mistakes(was, value, moment)), None)


def mistakes(was: bytes, value: bytes, moment: datetime) -> list[tuple[str, Saying]]:
    """The same field by field: the JSON pointer of each (empty for the whole event), and what is wrong there."""
    if len(value) > EVENT_BYTES_MAX:
        return [("", Saying("更正后的事件超过 1 MiB。", "The corrected event is larger than 1 MiB."))]
    wrong = wrong_fields(value, moment)
    event_id, now = (_fields(document).get("event_id") for document in (was, value))
    if isinstance(event_id, str) and isinstance(now, str) and event_id != now:
        kept = Saying(
            "event_id 不能改:更正的是同一个事件。", "event_id cannot change: this is a correction of the same event."
        )
        wrong.append(("/event_id", kept))
    return wrong


def _fields(value: bytes) -> dict[str, object]:
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
