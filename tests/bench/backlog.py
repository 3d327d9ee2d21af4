"""Part a: settlements per second, from a backlog in the inbound topics to instructions that are visible.

A long backlog is the main figure: it shows what each can keep up. In a short one, what a peer does every few seconds
counts heavily.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from stream.inbound.post import post
from tests.bench import ledger_size
from tests.bench.contestants import Contestant
from tests.bench.figures import Better, Figure
from tests.bench.floor import PostgresFloor
from tests.bench.machine import load
from tests.bench.messages import backlog, expected, settlements_in
from tests.bench.race import Lap, race
from tests.bench.running import Died
from tests.bench.stage import Stage

LONG, SHORT = "a. backlog", "a. short backlog"
RATE, CPU, START = "settlements per second", "processor time per event", "start to first message"
POSTGRES = "PostgreSQL, the same rows by COPY"

Say = Callable[[str], None]


def measure(
    part: str, stage: Stage, entries: Sequence[Contestant], persons: int, runs: int, say: Say, *, floor: bool = False
) -> list[Figure]:
    """Every contestant in turn, ``runs`` times: A B C A B C. ``floor``: and what PostgreSQL alone takes for the rows.

    The ledger that Huzhu's first lap leaves is measured too, in the long backlog.
    """
    messages = backlog(persons)
    owed, bills = expected(messages), settlements_in(messages)
    post(stage.bootstrap, messages)
    copier = PostgresFloor(stage, messages) if floor else None
    laps: dict[str, dict[int, Lap]] = defaultdict(dict)
    copied: list[float] = []
    loads: dict[str, list[float]] = defaultdict(list)
    sizes: list[Figure] = []

    def measure_ledger(url: str) -> None:
        sizes.extend(ledger_size.measure(url))

    for run in range(runs):
        for number, entry in enumerate(entries):
            afterwards = measure_ledger if part == LONG and entry.is_huzhu and not sizes else None
            try:
                lap = race(stage, entry, f"{run}-{number}", owed, len(messages), "bench_template", afterwards)
            except (Died, TimeoutError) as error:
                say(f"{entry.name}, run {run + 1}: did not finish: {error}")
                continue
            laps[entry.name][run] = lap
            loads[entry.name].append(load())
            rate = bills / lap.seconds
            say(f"{entry.name}, run {run + 1}: {rate:.0f} settlements/s, {lap.seconds:.1f} s, {lap.verdict}")
        if copier is not None:
            copied.append(copier.seconds())
            loads[POSTGRES].append(load())
            say(f"{POSTGRES}, run {run + 1}: {bills / copied[-1]:.0f} settlements/s")
    figures: list[Figure] = []
    for entry in entries:
        if laps[entry.name]:
            note = f"{entry.guarantee}; {_verdicts(list(laps[entry.name].values()), runs)}"
            figures += _figures(part, entry.name, laps[entry.name], bills, len(messages), loads[entry.name], note)
    if copier is not None:
        rates = tuple(bills / seconds for seconds in copied)
        note = f"{copier.rows} rows, one transaction per 500 events, no triggers"
        figures.append(Figure(part, POSTGRES, RATE, "1/s", "more", rates, tuple(loads[POSTGRES]), note))
    return figures + sizes


def _figures(
    part: str, name: str, laps: dict[int, Lap], bills: int, events: int, loads: list[float], note: str
) -> Iterator[Figure]:
    def figure(measure: str, unit: str, better: Better, value: Callable[[Lap], float], said: str) -> Figure:
        values = tuple(value(lap) for lap in laps.values())
        return Figure(part, name, measure, unit, better, values, tuple(loads), said, tuple(laps))

    def spent(measure: str, seconds: Callable[[Lap], float], said: str) -> Figure:
        return figure(measure, "µs", "less", lambda lap: seconds(lap) / events * 1e6, said)

    yield figure(RATE, "1/s", "more", lambda lap: bills / lap.seconds, f"{note}; {events} events, {bills} settlements")
    yield spent(CPU, lambda lap: sum(lap.own.values()), "own processes, start included")
    first = next(iter(laps.values()))
    if len(first.own) > 1:
        for process in first.own:
            yield spent(f"of it: {process}", _used_by(process), "")
    for other in first.beside:
        yield spent(f"beside it: {other}", _used_beside(other), "")
    yield figure(START, "s", "less", lambda lap: lap.startup, "")


def _used_by(process: str) -> Callable[[Lap], float]:
    return lambda lap: lap.own[process]


def _used_beside(other: str) -> Callable[[Lap], float]:
    return lambda lap: lap.beside[other]


def _verdicts(laps: list[Lap], runs: int) -> str:
    """All runs in one phrase: a peer that loses or doubles or dies is shown with it."""
    wrong = [str(lap.verdict) for lap in laps if not lap.verdict.right]
    said = "every run right to the fen" if not wrong else f"{len(wrong)} of {len(laps)} runs: " + "; ".join(wrong)
    return said if len(laps) == runs else f"{said}; {runs - len(laps)} of {runs} runs did not finish"
