"""Part h: what an event costs of a member of a household of 8, 64 and 600, and of one person with 1,000 claims a year.

In seconds of the processor, in a worker: alone, as a batch of its own, and one of many events of members in one batch.
Each member but the one with 1,000 has four claims in the year. All of the group is decided for each batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median

from infra.ledger.schema import connect
from tests.bench.figures import Figure
from tests.bench.fill import fill
from tests.bench.machine import load
from tests.bench.messages import POLICY, corrected_bill, membership_of, year_of
from tests.bench.one_worker import OneWorker
from tests.bench.stage import SHARDS, WITHOUT_POLICY, Stage
from tests.support.acts import publish

PART = "h. households"
CLAIMS = 4
"""Of each member in the year."""

HOUSEHOLDS = ((1, CLAIMS), (8, CLAIMS), (64, CLAIMS), (600, CLAIMS), (1, 1000))
"""How many members, and how many claims of each."""

ALONE, TOGETHER = "a corrected bill, as a batch of its own", "a corrected bill, one of 50 of the members in one batch"
EVENTS, BATCH = 5, 50
RECORDED_AT = datetime(2040, 1, 1, tzinfo=UTC)

Seconds = dict[str, float]


def measure(stage: Stage, largest: int, runs: int, say: Callable[[str], None]) -> list[Figure]:
    """Households of up to ``largest`` members, and a person with as many claims at most."""
    found: dict[tuple[str, str], list[float]] = {}
    loads = []
    for run in range(runs):
        for members, claims in HOUSEHOLDS:
            if max(members, claims) > largest:
                continue
            subject = f"{members} in the household, {claims} claims of each"
            for what, seconds in _in_ledger(stage, [f"P-{run}-{n}" for n in range(members)], claims).items():
                found.setdefault((subject, what), []).append(seconds * 1000)
            loads.append(load())
            say(f"{subject}, run {run + 1}")
    return [
        Figure(PART, subject, what, "ms", "less", tuple(values), (max(loads),), "processor time")
        for (subject, what), values in found.items()
    ]


def _in_ledger(stage: Stage, persons: Sequence[str], claims: int) -> Seconds:
    """In a worker that holds all shards and remembers whom it met."""
    url = stage.ledger(WITHOUT_POLICY)
    engine = connect(url)
    fill(engine, (event for person in persons for event in (membership_of(person, "HH-1"), *year_of(person, claims))))
    text = POLICY.read_text("utf-8").replace('accumulates = "person_year"', 'accumulates = "household_year"')
    publish(engine, text, "bench", SHARDS, lambda: RECORDED_AT)
    take = OneWorker(engine, RECORDED_AT, time.process_time).take

    take([corrected_bill(persons[0], 2)])  # from now on all are known
    alone = [take([corrected_bill(persons[0], 3 + turn)]) for turn in range(EVENTS)]
    batches = []
    for turn in range(EVENTS):
        first = 3 + EVENTS + turn * BATCH
        batches.append(take([corrected_bill(persons[n % len(persons)], first + n) for n in range(BATCH)]))
    engine.dispose()
    stage.drop_ledger(url)
    return {ALONE: median(alone), TOGETHER: median(batches) / BATCH}
