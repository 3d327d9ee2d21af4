"""Part a, second half: the time from one post to its instruction, at a light load, and what the API's callers wait.

Every contestant at 50 settlements a second; and Huzhu at 50 and 200 a second while twenty cashiers a second post bills
over the API and wait for the decision. Quotes are asked for in runs of their own.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple

import httpx
from confluent_kafka import Producer

from infra.ledger.schema import connect
from infra.servers.local.ports import free_ports
from schemas.access.callers import ApiRole
from schemas.topics import address
from stream.inbound.post import post
from tests.bench.cashiers import Answers, Cashiers, Pace, beforehand, cashiers
from tests.bench.contestants import Contestant
from tests.bench.figures import Figure, percentile
from tests.bench.machine import load
from tests.bench.messages import light_load
from tests.bench.race import await_assignment, prepared
from tests.bench.running import Died, Running, running
from tests.bench.stage import Stage
from tests.bench.watcher import Watcher
from tests.support.acts import create_key

PART, BUSY = "a. light load", "a. light load beside the API"
P50, P99 = "post to instruction, p50", "post to instruction, p99"
PER_SECOND = 50
RATES = (50, 200)
POSTS_PER_SECOND = 20
"""Posts of the cashiers who wait for a decision, and in a run of their own also as many quotes."""
WARM_SETTLEMENTS = 50
"""Bills sent and awaited before the clock starts, so that no start of a process is measured."""
READY_SECONDS_MAX = 60.0
LAST_SECONDS_MAX = 15.0

_numbers = count(1)


class Unready(Exception):
    """A contestant did not answer in time."""


class Load(NamedTuple):
    """Settlements a second over Kafka, for how long, and what cashiers ask meanwhile."""

    rate: int
    seconds: float
    pace: Pace | None = None

    @property
    def bills(self) -> int:
        return int(self.rate * self.seconds)


@dataclass(slots=True)
class _Taken:
    """Seconds of each bill that arrived, and of each request to the API."""

    bills: list[float]
    answers: Answers | None = None


def at(rate: int) -> str:
    """The subject of Huzhu's figures at a rate of settlements, with the API busy."""
    return f"{rate} settlements per second"


def measure(
    stage: Stage, entries: Sequence[Contestant], seconds: float, runs: int, say: Callable[[str], None]
) -> list[Figure]:
    """Every contestant in turn, ``runs`` times; each run with its own persons and fresh topics."""
    subjects = {entry.name: (entry, Load(PER_SECOND, seconds)) for entry in entries}
    return list(_figures(PART, _runs(stage, subjects, runs, say)))


def measure_busy(
    stage: Stage, huzhu: Contestant, seconds: float, runs: int, say: Callable[[str], None]
) -> list[Figure]:
    """Huzhu while the API is used, at each of the rates, and with quotes; in turn, ``runs`` times."""
    entry = replace(huzhu, gateway_port=free_ports(1)[0])
    posts, both = Pace(seconds, POSTS_PER_SECOND, 0), Pace(seconds, POSTS_PER_SECOND, POSTS_PER_SECOND)
    subjects = {at(rate): (entry, Load(rate, seconds, posts)) for rate in RATES}
    subjects[f"{at(RATES[0])} and quotes"] = (entry, Load(RATES[0], seconds, both))
    return list(_figures(BUSY, _runs(stage, subjects, runs, say)))


_Found = dict[str, tuple[Load, dict[int, tuple[_Taken, float]]]]
"""By subject: the load, and by run what was taken and the machine's load average."""


def _runs(stage: Stage, subjects: dict[str, tuple[Contestant, Load]], runs: int, say: Callable[[str], None]) -> _Found:
    found: _Found = {name: (load_, {}) for name, (_, load_) in subjects.items()}
    for run in range(runs):
        for name, (entry, wanted) in subjects.items():
            try:
                taken = _one(stage, entry, wanted)
            except (Died, Unready, TimeoutError) as error:
                say(f"{name}, run {run + 1}: did not finish: {error}")
                continue
            found[name][1][run] = taken, load()
            p50, p99 = (percentile(taken.bills, share) * 1000 for share in (0.50, 0.99))
            say(f"{name}, run {run + 1}: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    return found


def _figures(part: str, found: _Found) -> Iterator[Figure]:
    for name, (wanted, by_run) in found.items():
        if not by_run:
            continue
        lost = sum(wanted.bills - len(taken.bills) for taken, _ in by_run.values())
        note = f"{wanted.bills} settlements per run at {wanted.rate}/s" + (f"; {lost} never came" if lost else "")
        lists = {"post to instruction": ([taken.bills for taken, _ in by_run.values()], note)}
        answers = [taken.answers for taken, _ in by_run.values() if taken.answers is not None]
        if wanted.pace is not None:
            asked = {"API, a settlement with wait=": [each.settlements for each in answers]}
            if wanted.pace.quotes:
                asked["API, a quote"] = [each.quotes for each in answers]
            for number, (what, seconds) in enumerate(asked.items()):
                late = sum(each.others[number] for each in answers)
                said = f"; {late} of all were not answered with a decision" if late else ""
                lists[what] = seconds, f"{POSTS_PER_SECOND}/s{said}"
        for what, (values, said) in lists.items():
            for share in (0.50, 0.99):
                measured = tuple(percentile(each, share) * 1000 for each in values)
                loads = tuple(busy for _, busy in by_run.values())
                measure = f"{what}, p{share * 100:.0f}"
                yield Figure(part, name, measure, "ms", "less", measured, loads, said, tuple(by_run))


def _one(stage: Stage, entry: Contestant, wanted: Load) -> _Taken:
    """One run."""
    run = f"light-{next(_numbers)}"
    before, events = light_load(run, wanted.bills + WARM_SETTLEMENTS)
    stage.renew_all()
    with (
        prepared(stage, entry, run) as ledger,
        Watcher(stage.bootstrap, entry.out(run)) as watcher,
        ExitStack() as ends,
    ):
        producer = _producer(stage.bootstrap)
        post(stage.bootstrap, before if wanted.pace is None else before + beforehand(run, wanted.pace))
        _post(producer, run, events[:WARM_SETTLEMENTS], 0, {}, PER_SECOND)
        with running(entry, stage, run, ledger) as processes:
            seen = _Seen(watcher, processes, run)
            await_assignment(stage, entry, run, processes, watcher)
            seen.until(WARM_SETTLEMENTS, READY_SECONDS_MAX)
            if seen.count < WARM_SETTLEMENTS:
                raise Unready(f"{seen.count} of {WARM_SETTLEMENTS} instructions within {READY_SECONDS_MAX} s")
            desk = ends.enter_context(_desk(entry, ledger, run, wanted.pace)) if wanted.pace is not None else None
            seen.until(WARM_SETTLEMENTS + 1, 2.0)  # let it come to rest
            posted: dict[str, float] = {}
            given = (producer, run, events[WARM_SETTLEMENTS:], WARM_SETTLEMENTS, posted, wanted.rate)
            poster = threading.Thread(target=_post, args=given)
            if desk is not None:
                desk.begin()
            poster.start()
            while poster.is_alive():
                watcher.look(0.02)
            seen.until(WARM_SETTLEMENTS + wanted.bills, LAST_SECONDS_MAX)
            answers = None if desk is None else desk.answers()
    taken: dict[str, float] = {}
    for value, arrived in zip(watcher.values, watcher.times, strict=True):
        claim = json.loads(value)["claim_id"]
        if claim in posted:
            taken.setdefault(claim, arrived - posted[claim])
    return _Taken(list(taken.values()), answers)


@contextmanager
def _desk(entry: Contestant, ledger: str, run: str, pace: Pace) -> Iterator[Cashiers]:
    """Cashiers at the gateway that runs among the contestant's processes."""
    engine = connect(ledger)
    token = create_key(engine, ApiRole.HOSPITAL, ["H-1"], "bench", "bench", lambda: datetime.now(UTC))[1]
    engine.dispose()
    url = f"http://127.0.0.1:{entry.gateway_port}"
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not _serves(url):
        if time.monotonic() > deadline:
            raise Unready(f"no API within {READY_SECONDS_MAX} s")
        time.sleep(0.1)
    with cashiers(url, token, run, pace) as ready:
        yield ready


def _serves(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


class _Seen:
    """How many instructions of one run, not of the API's callers, a watcher has seen."""

    def __init__(self, watcher: Watcher, processes: Running, run: str) -> None:
        self._watcher, self._processes, self._mark = watcher, processes, f'"{run}-'.encode()
        self._looked_at, self.count = 0, 0

    def until(self, wanted: int, seconds: float) -> None:
        """Looks until there are so many, at most so long."""
        deadline = time.monotonic() + seconds
        while self._counted() < wanted and time.monotonic() < deadline:
            self._watcher.look(0.02)
            self._processes.check()

    def _counted(self) -> int:
        new = self._watcher.values[self._looked_at :]
        self._looked_at += len(new)
        self.count += sum(self._mark in value for value in new)
        return self.count


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


def _post(producer: Producer, run: str, events: list[bytes], first: int, posted: dict[str, float], rate: int) -> None:
    """Posts one event after the other at an even pace, noting when each was handed to the client."""
    begin = time.monotonic()
    for number, value in enumerate(events):
        due = begin + number / rate
        while (left := due - time.monotonic()) > 0:
            producer.poll(min(left, 0.005))
        topic, key = address(value)
        posted[f"{run}-{first + number}"] = time.monotonic()
        producer.produce(topic, value=value, key=key)
        producer.poll(0)
    producer.flush(LAST_SECONDS_MAX)
