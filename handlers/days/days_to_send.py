"""Which days `huzhu day close` has to send to which shards, so that all of them come to the same day in order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from schemas.bilingual import Saying
from schemas.closed_days import ClosedDays


def days_to_send(
    day: date, today: date, closed: Mapping[int, ClosedDays], shard_count: int
) -> list[tuple[date, int]] | Saying:
    """The days that are missing up to ``day``, each with the shard that lacks it; or why the day cannot be closed.

    ``closed`` are those of the shards that have any: a timer that stood still, or was ended half-way, is made up for.
    A ledger without any begins with ``day``.
    """
    if day > today:
        return Saying(f"{day} 还没有到,上海今天是 {today}", f"{day} has not come yet: it is {today} in Shanghai")
    first = min((each.first for each in closed.values()), default=day)
    if day < first:
        return Saying(
            f"日终从 {first} 开始,不能再做更早的 {day}",
            f"{first} was the first day that was closed: {day} is before it",
        )
    missing = []
    for shard in range(shard_count):
        begins = closed[shard].last + timedelta(days=1) if shard in closed else first
        missing += [(begins + timedelta(days=n), shard) for n in range((day - begins).days + 1)]
    return sorted(missing)
