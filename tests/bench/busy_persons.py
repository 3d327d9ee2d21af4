"""Part g: what an event costs of a person who has 1, 30, 1,000 or 5,000 claims in the year.

In seconds of the processor: of the pure core alone, and of a worker that takes the event in as a batch of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from statistics import median

from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from handlers.claims.read import read
from infra.ledger import reads
from infra.ledger.schema import connect
from infra.sharding import shard_of
from schemas.ids import PersonId
from schemas.policy.model import Policies
from schemas.policy.policy_file import read_policies
from schemas.records import Delivery, GroupStep, Range
from schemas.topics import address
from tests.bench.figures import Figure
from tests.bench.fill import fill
from tests.bench.machine import load
from tests.bench.messages import POLICY, corrected_bill, later_stay, year_of
from tests.bench.stage import SHARDS, WITHOUT_POLICY, Stage
from tests.support.acts import publish
from tests.support.builders import empty_world

PART = "g. persons with many claims"
CLAIMS_A_YEAR = (1, 30, 1000, 5000)
NEWEST, OLDEST = "a bill of the year's last claim", "a correction of the year's first claim"
EVENTS = 3
"""Of each kind: the median counts."""

CORE = "core"
LOADED, REMEMBERED = "worker that has to load the person", "worker that remembers the person"
RECORDED_AT = datetime(2040, 1, 1, tzinfo=UTC)

Seconds = dict[tuple[str, str], float]
"""By what happened, and where."""


def measure(stage: Stage, largest: int, runs: int, say: Callable[[str], None]) -> list[Figure]:
    """Persons with up to ``largest`` claims a year, each kind of event several times, ``runs`` times."""
    found: dict[tuple[str, str, str], list[float]] = {}
    loads = []
    for run in range(runs):
        for claims in (each for each in CLAIMS_A_YEAR if each <= largest):
            person = f"P-busy-{claims}-{run}"
            for (what, where), seconds in (_in_core(person, claims) | _in_ledger(stage, person, claims)).items():
                found.setdefault((f"{claims} per person and year", what, where), []).append(seconds * 1000)
            loads.append(load())
            say(f"a person with {claims} claims, run {run + 1}")
    return [
        Figure(PART, subject, f"{what}, {where}", "ms", "less", tuple(values), (max(loads),), "processor time")
        for (subject, what, where), values in found.items()
    ]


def _events(person: str, claims: int, turn: int) -> dict[str, list[tuple[bytes, ...]]]:
    """What happens after the year; of each tuple the last event is measured. Every turn has events of its own."""
    numbers = range(turn * EVENTS, (turn + 1) * EVENTS)
    return {
        NEWEST: [later_stay(person, claims + number) for number in numbers],
        OLDEST: [(corrected_bill(person, 2 + number),) for number in numbers],
    }


def _in_core(person: str, claims: int) -> Seconds:
    """From the bytes of an event to everything that leaves, with the person in memory."""
    world = empty_world(Policies(()))
    processor, offsets = world.batch(RECORDED_AT), count()

    def take(event: bytes) -> float:
        started = time.process_time()
        processor.take(Delivery("bench", 0, next(offsets), None, event), read(event))
        return time.process_time() - started

    for event in year_of(person, claims):  # nothing is decided before the year is whole
        take(event)
    world.policies = read_policies([POLICY])
    processor.recompute_together(GroupStep([PersonId(person)], []), 0)
    return {(what, CORE): _median(take, events) for what, events in _events(person, claims, 0).items()}


def _in_ledger(stage: Stage, person: str, claims: int) -> Seconds:
    """In a worker that has to load the person, and in one that remembers them; each event is a batch of its own."""
    url, shard = stage.ledger(WITHOUT_POLICY), shard_of(person, SHARDS)
    engine = connect(url)
    fill(engine, year_of(person, claims))
    publish(engine, POLICY.read_text("utf-8"), "bench", SHARDS, lambda: RECORDED_AT)
    with engine.begin() as connection:
        epochs = reads.take_shards(connection, range(SHARDS))
    with engine.connect() as connection:
        reached = reads.next_offsets(connection)

    def take(event: bytes, known: RememberedPersons) -> float:
        topic, key = address(event)
        at = reached.get((topic, shard), 0)
        piece = Range(topic, shard, at, at + 1, (Delivery(topic, shard, at, key, event),))
        started = time.process_time()
        reached.update(take_in(engine, [piece], epochs, SHARDS, lambda: RECORDED_AT, known).offsets)
        return time.process_time() - started

    found, known = {}, RememberedPersons()
    for what, events in _events(person, claims, 0).items():
        found[what, LOADED] = _median(lambda event: take(event, RememberedPersons()), events)
    take(corrected_bill(person, 1), known)  # again: from now on the person is known
    for what, events in _events(person, claims, 1).items():
        found[what, REMEMBERED] = _median(lambda event: take(event, known), events)
    engine.dispose()
    stage.drop_ledger(url)
    return found


def _median(take: Callable[[bytes], float], events: list[tuple[bytes, ...]]) -> float:
    return median([[take(event) for event in each][-1] for each in events])
