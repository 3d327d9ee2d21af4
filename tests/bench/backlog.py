"""Part a: settlements per second, from a backlog in the inbound topics to instructions that are visible."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from stream.inbound.post import post
from tests.bench.contestants import Contestant
from tests.bench.figures import Better, Figure
from tests.bench.floor import PostgresFloor
from tests.bench.machine import load
from tests.bench.messages import backlog, expected, settlements_in
from tests.bench.race import Lap, race
from tests.bench.running import Died
from tests.bench.stage import Stage

PART = "a. backlog"
RATE, CPU, START = "settlements per second", "processor time per event", "start to first message"
POSTGRES = "PostgreSQL, the same rows by COPY"

Say = Callable[[str], None]


def measure(stage: Stage, entries: Sequence[Contestant], persons: int, runs: int, say: Say) -> list[Figure]:
    """Every contestant in turn, ``runs`` times: A B C A B C."""
    messages = backlog(persons)
    owed, bills = expected(messages), settlements_in(messages)
    post(stage.bootstrap, messages)
    floor = PostgresFloor(stage, messages)
    laps: dict[str, dict[int, Lap]] = defaultdict(dict)
    copied: list[float] = []
    loads: dict[str, list[float]] = defaultdict(list)
    for run in range(runs):
        for number, entry in enumerate(entries):
            try:
                lap = race(stage, entry, f"{run}-{number}", owed, len(messages), "bench_template")
            except (Died, TimeoutError) as error:
                say(f"{entry.name}, run {run + 1}: did not finish: {error}")
                continue
            laps[entry.name][run] = lap
            loads[entry.name].append(load())
            rate = bills / lap.seconds
            say(f"{entry.name}, run {run + 1}: {rate:.0f} settlements/s, {lap.seconds:.1f} s, {lap.verdict}")
        copied.append(floor.seconds())
        loads[POSTGRES].append(load())
        say(f"{POSTGRES}, run {run + 1}: {bills / copied[-1]:.0f} settlements/s")
    figures = []
    for entry in entries:
        if laps[entry.name]:
            note = f"{entry.guarantee}; {_verdicts(list(laps[entry.name].values()), runs)}"
            figures += _figures(entry.name, laps[entry.name], bills, len(messages), loads[entry.name], note)
    rates = tuple(bills / seconds for seconds in copied)
    note = f"{floor.rows} rows, one transaction per 500 events, no triggers"
    return [*figures, Figure(PART, POSTGRES, RATE, "1/s", "more", rates, tuple(loads[POSTGRES]), note)]


def _figures(name: str, laps: dict[int, Lap], bills: int, events: int, loads: list[float], note: str) -> list[Figure]:
    def figure(measure: str, unit: str, better: Better, value: Callable[[Lap], float], said: str) -> Figure:
        values = tuple(value(lap) for lap in laps.values())
        return Figure(PART, name, measure, unit, better, values, tuple(loads), said, tuple(laps))

    rate = f"{note}; {events} events, {bills} settlements"
    own = "own processes only, start included"
    return [
        figure(RATE, "1/s", "more", lambda lap: bills / lap.seconds, rate),
        figure(CPU, "µs", "less", lambda lap: lap.cpu / events * 1e6, own),
        figure(START, "s", "less", lambda lap: lap.startup, ""),
    ]


def _verdicts(laps: list[Lap], runs: int) -> str:
    """All runs in one phrase: a peer that loses or doubles or dies is shown with it."""
    wrong = [str(lap.verdict) for lap in laps if not lap.verdict.right]
    said = "every run right to the fen" if not wrong else f"{len(wrong)} of {len(laps)} runs: " + "; ".join(wrong)
    return said if len(laps) == runs else f"{said}; {runs - len(laps)} of {runs} runs did not finish"
