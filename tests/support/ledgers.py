"""Batches into a real ledger, and what it holds afterwards."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine, select, text

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from infra.ledger import reads, tables
from infra.sharding import shard_of
from schemas.records import Delivery, Range
from stream.retry import Retry
from tests.support.builders import RECORDED_AT, SHARDS, Json, delivery

Clock = Callable[[], datetime]


def ticking(start: datetime = RECORDED_AT) -> Clock:
    """A clock that moves by a little more than a second whenever it is asked."""
    ticks = count()
    return lambda: start + next(ticks) * timedelta(seconds=1, microseconds=7)


def held(ledger: Engine, shards: Iterable[int] = range(SHARDS)) -> dict[int, int]:
    """Takes shards, as a worker does that they are assigned to, and returns their epochs."""
    with ledger.begin() as connection:
        return reads.take_shards(connection, list(shards))


def ranges(deliveries: Iterable[Delivery]) -> list[Range]:
    """The deliveries as complete ranges of their partitions."""
    places: dict[tuple[str, int], list[Delivery]] = defaultdict(list)
    for each in deliveries:
        places[each[:2]].append(each)
    return [Range(*place, part[0].offset, part[-1].offset + 1, tuple(part)) for place, part in places.items()]


def in_order(events: Sequence[Json | bytes], first: int = 0) -> list[Delivery]:
    """The events as they stand in Kafka when they are posted one after the other to empty topics."""
    ends: Counter[tuple[str, int]] = Counter()
    found = []
    for each in events:
        message = delivery(each)
        found.append(message._replace(offset=first + ends[message[:2]]))
        ends[message[:2]] += 1
    return found


def give(
    ledger: Engine,
    deliveries: Iterable[Delivery],
    now: Clock = lambda: RECORDED_AT,
    remembered: RememberedPersons | None = None,
) -> None:
    """One batch of a worker that holds all shards; one without ``remembered`` has just started."""
    with ledger.connect() as connection:
        epochs = {row.shard: row.epoch for row in connection.execute(select(tables.shards))}
    take_in(ledger, ranges(deliveries), epochs, SHARDS, now, remembered)


def do_steps(ledger: Engine, now: Clock = lambda: RECORDED_AT) -> None:
    """The steps of households and pools that wait, as workers do them after their batches."""
    recompute_groups(ledger, range(SHARDS), SHARDS, now)


def offsets(ledger: Engine) -> dict[tuple[str, int], int]:
    with ledger.connect() as connection:
        return reads.next_offsets(connection)


def dispositions(ledger: Engine) -> list[str]:
    """What became of each event, in the ledger's order."""
    with ledger.connect() as connection:
        return list(connection.scalars(select(tables.events.c.disposition).order_by(tables.events.c.event_no)))


def contents(ledger: Engine) -> dict[str, list[Any]]:
    """Every row of every table."""
    with ledger.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables.metadata.sorted_tables
        }


def person_of_shard(shard: int) -> str:
    return next(name for number in count() if shard_of(name := f"Q{number}", SHARDS) == shard)


def for_person(person_id: str, *events: Json) -> list[Json]:
    return [{**each, "person_id": person_id} for each in events]


def at_once(*acts: Callable[[], Any]) -> None:
    """Runs acts in threads and raises what one of them raised."""
    with ThreadPoolExecutor(len(acts)) as threads:
        for done in [threads.submit(act) for act in acts]:
            done.result(timeout=60)


def waiting_for_locks(ledger: Engine) -> int:
    """How many sessions of the ledger wait for a lock now."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ledger.connect() as connection:
        return int(connection.scalar(text(query)) or 0)


def patiently(act: Callable[[], Any]) -> Any:
    """As the worker does it: again after trouble that may pass, here without waiting."""
    return Retry(20, 0.001, sleep=lambda _: None)(act)
