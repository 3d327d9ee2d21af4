"""Part i: what an event costs where 100, 10,000 and 100,000 members wait for the money of one pool.

Elapsed time of a worker, PostgreSQL's part included: a bill of one more member, alone and as one of 50 in a batch, and
a contribution that pays the first 50 of the queue. Each member has one claim.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain
from statistics import median

from sqlalchemy import text

from infra.ledger.schema import connect
from tests.bench.figures import Figure
from tests.bench.fill import fill
from tests.bench.machine import load
from tests.bench.one_worker import OneWorker
from tests.bench.stage import SHARDS, WITHOUT_POLICY, Stage
from tests.support.acts import publish
from tests.support.builders import contribution, pool
from tests.support.pools import POOL_POLICY, villager

PART = "i. pools"
WAITING = (100, 10_000, 100_000)
ALONE, TOGETHER = "one more waits, a batch of its own", "one more waits, one of 50 in one batch"
PAYS = "a contribution that pays the first 50"
EVENTS, BATCH, DUE = 5, 50, 300
RECORDED_AT = datetime(2040, 1, 1, tzinfo=UTC)


def measure(stage: Stage, largest: int, runs: int, say: Callable[[str], None]) -> list[Figure]:
    """Queues of up to ``largest`` members."""
    found: dict[tuple[str, str], list[float]] = {}
    loads = []
    for run in range(runs):
        for waiting in WAITING:
            if waiting > largest:
                continue
            subject = f"{waiting:,} wait"
            for what, seconds in _in_ledger(stage, waiting).items():
                found.setdefault((subject, what), []).append(seconds * 1000)
            loads.append(load())
            say(f"{subject}, run {run + 1}")
    return [
        Figure(PART, subject, what, "ms", "less", tuple(values), (max(loads),), "elapsed")
        for (subject, what), values in found.items()
    ]


def _in_ledger(stage: Stage, waiting: int) -> dict[str, float]:
    """In a worker that holds all shards and remembers whom it met."""
    url = stage.ledger(WITHOUT_POLICY)
    engine = connect(url)
    publish(engine, POOL_POLICY, "bench", SHARDS, lambda: RECORDED_AT)
    members = (each for n in range(waiting) for each in _member(n))
    fill(engine, map(_bytes, chain([pool()], members)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    take = OneWorker(engine, RECORDED_AT, time.perf_counter).take

    more = (_member(n) for n in range(waiting, waiting + 10_000))
    alone, together, pays = [], [], []
    for turn in range(EVENTS):
        first = next(more)
        take([_bytes(each) for each in first[:-1]])
        alone.append(take([_bytes(first[-1])]))
        batch = [next(more) for _ in range(BATCH)]
        take([_bytes(event) for each in batch for event in each[:-1]])
        together.append(take([_bytes(each[-1]) for each in batch]))
        pays.append(take([_bytes(contribution(f"G{turn}", yuan=BATCH * DUE))]))
    engine.dispose()
    stage.drop_ledger(url)
    return {ALONE: median(alone), TOGETHER: median(together) / BATCH, PAYS: median(pays)}


def _member(number: int) -> list[dict[str, object]]:
    return villager(f"P{number:06}", f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}", DUE)


def _bytes(event: dict[str, object]) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()
