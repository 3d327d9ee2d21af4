"""Days as a timer closes them: the events, and the messages in the partitions of their shards."""

from __future__ import annotations

from collections import Counter
from typing import Any

from schemas.records import Delivery
from schemas.topics import DAYS
from tests.support.builders import Json, encode


def day_closed(day: str = "2025-02-28", **fields: Any) -> Json:
    stamped = {"event_type": "day.closed", "event_id": f"day-{day}", "occurred_at": f"{day}T23:59:00+08:00"}
    return {**stamped, "source": "timer", "day": day, **fields}


class DayTopic:
    """The topic of closed days: what is posted to a partition gets the next offset of it."""

    def __init__(self) -> None:
        self._ends = Counter[int]()

    def post(self, shard: int, *days: str | Json, key: bytes | None = None) -> list[Delivery]:
        """The messages of these days, or events, as they stand in a shard's partition."""
        posted = []
        for each in days:
            value = encode(day_closed(each) if isinstance(each, str) else each)
            posted.append(Delivery(DAYS.name, shard, self._ends[shard], key, value))
            self._ends[shard] += 1
        return posted
