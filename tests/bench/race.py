"""One contestant over one backlog: from the moment it has its partitions until its last instruction is visible."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from infra.ledger.schema import connect
from stream.inbound.partition_reader import RangeReader
from stream.lag import lag
from tests.bench.beside import Spent, since
from tests.bench.contestants import Contestant
from tests.bench.messages import Benefits
from tests.bench.running import Running, running
from tests.bench.stage import SHARDS, Stage
from tests.bench.watcher import Sums, Verdict, Watcher

START_SECONDS_MAX = 180.0
SILENCE_SECONDS = 2.0
"""No instruction for so long, and every sum right: it is done."""
SILENCE_SECONDS_MAX = 20.0
"""No instruction for so long: it is done, and wrong."""


@dataclass(frozen=True, slots=True)
class Lap:
    """``seconds`` from the beginning to the last visible message, ``startup`` from process to the beginning.

    A peer begins when it takes its first message. Huzhu begins earlier, when its group has its partitions.
    ``own`` are the processor seconds of each of the contestant's processes, start included, and ``beside`` those of
    the servers and the watcher from when the group had its partitions to the last message.
    """

    startup: float
    seconds: float
    own: Mapping[str, float]
    beside: Spent
    verdict: Verdict


def race(
    stage: Stage,
    entry: Contestant,
    run: str,
    expected: Benefits,
    messages: int,
    template: str,
    afterwards: Callable[[str], None] | None = None,
) -> Lap:
    """One lap; ``afterwards`` may look at the ledger that it left, by its URL.

    Raises Died when a process ends by itself, TimeoutError when nothing comes out.
    """
    with prepared(stage, entry, run, template) as ledger, Watcher(stage.bootstrap, entry.out(run)) as watcher:
        started = time.monotonic()
        with running(entry, stage, run, ledger) as processes:
            assigned = await_assignment(stage, entry, run, processes, watcher)
            before = stage.beside.spent()
            verdict, after = _to_the_end(stage, watcher, processes, entry, expected, messages)
            if entry.is_huzhu:
                _check_ledger(stage, ledger)
            begun, own = processes.begun() or assigned, processes.cpu_seconds()
        if afterwards is not None:
            afterwards(ledger)
        return Lap(begun - started, watcher.times[-1] - begun, own, since(before, after), verdict)


@contextmanager
def prepared(stage: Stage, entry: Contestant, run: str, template: str = "bench_template") -> Iterator[str]:
    """A clean ledger (its URL) and clean outbound topics, or a peer's topic; gone at the end."""
    if entry.is_huzhu:
        stage.renew_outbound()
        ledger = stage.ledger(template)
        try:
            yield ledger
        finally:
            stage.drop_ledger(ledger)
            stage.forget(entry.group(run))
    else:
        stage.topic(entry.out(run))
        try:
            yield ""
        finally:
            stage.drop_topics(f"bench-{run}")


def await_assignment(stage: Stage, entry: Contestant, run: str, processes: Running, watcher: Watcher) -> float:
    """When the contestant's group had its partitions; from then on it reads.

    On a busy machine instructions may come before that is seen: then it is when the group was last seen without them.
    """
    without = asked = time.monotonic()
    deadline = without + START_SECONDS_MAX
    while not stage.is_stable(entry.group(run)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no partitions taken within {START_SECONDS_MAX:.0f} s\n{processes.said()}")
        processes.check()
        without = without if watcher.values else asked
        watcher.look(0.01)
        asked = time.monotonic()
    return without if watcher.values else time.monotonic()


def _to_the_end(
    stage: Stage, watcher: Watcher, processes: Running, entry: Contestant, expected: Benefits, messages: int
) -> tuple[Verdict, Spent]:
    """The verdict, and what was used beside the contestant until its last message."""
    sums, counted, last = Sums(), 0, time.monotonic()
    seen, spent = 0, stage.beside.spent()
    while True:
        if watcher.look(0.05):
            last = time.monotonic()
            continue
        if len(watcher.values) > seen:
            seen, spent = len(watcher.values), stage.beside.spent()
        silent = time.monotonic() - last
        if silent < SILENCE_SECONDS:
            continue
        processes.check()
        if entry.decides:
            sums.add(watcher.values[counted:])
            verdict = sums.verdict(expected)
        else:
            verdict = Verdict(max(0, messages - len(watcher.values)), max(0, len(watcher.values) - messages), 0)
        counted = len(watcher.values)
        if counted and (verdict.wrong == 0 or silent > SILENCE_SECONDS_MAX):
            return verdict, spent
        if silent > START_SECONDS_MAX:
            raise TimeoutError(f"nothing was sent\n{processes.said()}")


def _check_ledger(stage: Stage, ledger: str) -> None:
    """Everything is decided, written and sent: the product's figure counts only then."""
    engine = connect(ledger)
    with RangeReader(stage.bootstrap) as reader:
        now = lag(engine, reader, SHARDS)
    engine.dispose()
    if not now.idle:
        raise AssertionError(f"instructions were complete, but {now.inbound} events and {now.outbound} messages wait")
