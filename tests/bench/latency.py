"""Part a, second half: the time from one post to its instruction, at 50 settlements per second."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count

from confluent_kafka import Producer

from schemas.topics import address
from stream.inbound.post import post
from tests.bench.contestants import Contestant
from tests.bench.figures import Figure, percentile
from tests.bench.machine import load
from tests.bench.messages import light_load
from tests.bench.race import await_assignment, prepared
from tests.bench.running import Died, Running, running
from tests.bench.stage import Stage
from tests.bench.watcher import Watcher

PART = "a. light load"
P50, P99 = "post to instruction, p50", "post to instruction, p99"
PER_SECOND = 50
WARM_SETTLEMENTS = 50
"""Bills sent and awaited before the clock starts, so that no start of a process is measured."""
READY_SECONDS_MAX = 60.0
LAST_SECONDS_MAX = 15.0

_numbers = count(1)


class Unready(Exception):
    """A contestant did not answer in time."""


def measure(
    stage: Stage, entries: Sequence[Contestant], seconds: float, runs: int, say: Callable[[str], None]
) -> list[Figure]:
    """Every contestant in turn, ``runs`` times; each run with its own persons and fresh topics."""
    p50s: dict[str, list[float]] = defaultdict(list)
    p99s: dict[str, list[float]] = defaultdict(list)
    loads: dict[str, list[float]] = defaultdict(list)
    rounds: dict[str, list[int]] = defaultdict(list)
    lost: dict[str, int] = defaultdict(int)
    bills = int(seconds * PER_SECOND)
    for run in range(runs):
        for entry in entries:
            try:
                taken = _one(stage, entry, bills)
            except (Died, Unready, TimeoutError) as error:
                say(f"{entry.name}, run {run + 1}: did not finish: {error}")
                continue
            lost[entry.name] += bills - len(taken)
            p50s[entry.name].append(percentile(taken, 0.50) * 1000)
            p99s[entry.name].append(percentile(taken, 0.99) * 1000)
            loads[entry.name].append(load())
            rounds[entry.name].append(run)
            say(f"{entry.name}, run {run + 1}: p50 {p50s[entry.name][-1]:.0f} ms, p99 {p99s[entry.name][-1]:.0f} ms")
    figures = []
    for name, values in p50s.items():
        note = f"{bills} settlements per run at {PER_SECOND}/s" + (f"; {lost[name]} never came" if lost[name] else "")
        for measure, found in ((P50, values), (P99, p99s[name])):
            known = (tuple(found), tuple(loads[name]), note, tuple(rounds[name]))
            figures.append(Figure(PART, name, measure, "ms", "less", *known))
    return figures


def _one(stage: Stage, entry: Contestant, bills: int) -> list[float]:
    """The seconds that each bill took, of those that arrived."""
    run = f"light-{next(_numbers)}"
    before, events = light_load(run, bills + WARM_SETTLEMENTS)
    stage.renew_all()
    with prepared(stage, entry, run) as ledger, Watcher(stage.bootstrap, entry.out(run)) as watcher:
        producer = _producer(stage.bootstrap)
        post(stage.bootstrap, before)
        _post(producer, run, events[:WARM_SETTLEMENTS], 0, {})
        with running(entry, stage, run, ledger) as processes:
            await_assignment(stage, entry, run, processes, watcher)
            _look_until(watcher, processes, WARM_SETTLEMENTS, READY_SECONDS_MAX)
            if len(watcher.values) < WARM_SETTLEMENTS:
                raise Unready(f"{len(watcher.values)} of {WARM_SETTLEMENTS} instructions within {READY_SECONDS_MAX} s")
            _look_until(watcher, processes, WARM_SETTLEMENTS + 1, 2.0)  # let it come to rest
            posted: dict[str, float] = {}
            given = (producer, run, events[WARM_SETTLEMENTS:], WARM_SETTLEMENTS, posted)
            poster = threading.Thread(target=_post, args=given)
            poster.start()
            while poster.is_alive():
                watcher.look(0.02)
            _look_until(watcher, processes, WARM_SETTLEMENTS + bills, LAST_SECONDS_MAX)
    taken: dict[str, float] = {}
    for value, seen in zip(watcher.values, watcher.times, strict=True):
        claim = json.loads(value)["claim_id"]
        if claim in posted:
            taken.setdefault(claim, seen - posted[claim])
    return list(taken.values())


def _look_until(watcher: Watcher, processes: Running, wanted: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while len(watcher.values) < wanted and time.monotonic() < deadline:
        watcher.look(0.02)
        processes.check()


def _producer(bootstrap: str) -> Producer:
    """One for the warm-up and the clock: a new one takes half a second to connect and to get its id."""
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 0,
            "log_level": 2,
        }
    )


def _post(producer: Producer, run: str, events: list[bytes], first: int, posted: dict[str, float]) -> None:
    """Posts one event after the other at an even pace, noting when each was handed to the client."""
    begin = time.monotonic()
    for number, value in enumerate(events):
        due = begin + number / PER_SECOND
        while (left := due - time.monotonic()) > 0:
            producer.poll(min(left, 0.005))
        topic, key = address(value)
        posted[f"{run}-{first + number}"] = time.monotonic()
        producer.produce(topic, value=value, key=key)
        producer.poll(0)
    producer.flush(LAST_SECONDS_MAX)
