"""Part d: the cost of an event with 1, 4 and 16 times as many persons already in the ledger, or facts in the file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from infra.ledger.schema import connect
from stream.inbound.post import post
from tests.bench import replay
from tests.bench.contestants import Contestant
from tests.bench.figures import Figure
from tests.bench.fill import FAR, as_if_long_ago, fill
from tests.bench.machine import load
from tests.bench.messages import backlog, expected
from tests.bench.race import race
from tests.bench.stage import Stage

PART = "d. growth"
LEDGER, FILE = "time per event, worker and relay", "processor time per fact, huzhu adjudicate"
STEPS = (1, 4, 16)


def measure_ledger(
    stage: Stage, entry: Contestant, persons: int, runs: int, say: Callable[[str], None]
) -> list[Figure]:
    """The same backlog of ``persons`` new people over ledgers that hold 1, 4 and 16 times as many others."""
    messages = backlog(persons)
    owed = expected(messages)
    stage.renew_all()
    post(stage.bootstrap, messages)
    templates = {step: _filled(stage, persons * step, f"bench_filled_{step}", say) for step in STEPS}
    costs: dict[int, list[float]] = {step: [] for step in STEPS}
    loads: dict[int, list[float]] = {step: [] for step in STEPS}
    for run in range(runs):
        for step in STEPS:
            lap = race(stage, entry, f"growth-{run}-{step}", owed, len(messages), templates[step])
            assert lap.verdict.right, f"{entry.name} over a filled ledger: {lap.verdict}"
            costs[step].append(lap.seconds / len(messages) * 1e6)
            loads[step].append(load())
            say(f"{step}x persons in the ledger, run {run + 1}: {costs[step][-1]:.0f} µs an event")
    return [_figure(step, "persons in the ledger", LEDGER, costs[step], loads[step], persons) for step in STEPS]


def measure_file(facts: int, runs: int, say: Callable[[str], None]) -> list[Figure]:
    """`huzhu adjudicate` over files of 1, 4 and 16 times ``facts`` facts, in order of arrival.

    Processor time; what it takes for an empty file, which is its start, is taken off.
    """
    costs: dict[int, list[float]] = {step: [] for step in STEPS}
    loads: dict[int, list[float]] = {step: [] for step in STEPS}
    with ExitStack() as stack:
        files = {step: stack.enter_context(replay.files(facts * step)) for step in STEPS}
        empty, _ = stack.enter_context(replay.files(0))
        for run in range(runs):
            start = replay.adjudicate(empty[replay.ARRIVAL]).cpu
            for step, (orders, count) in files.items():
                took = replay.adjudicate(orders[replay.ARRIVAL]).cpu
                costs[step].append((took - start) / count * 1e6)
                loads[step].append(load())
                say(f"{step}x facts, run {run + 1}: {costs[step][-1]:.0f} µs a fact")
    return [_figure(step, "facts", FILE, costs[step], loads[step], facts) for step in STEPS]


def _figure(step: int, of: str, measure: str, costs: list[float], loads: list[float], base: int) -> Figure:
    return Figure(PART, f"{step}x {of}", measure, "µs", "less", tuple(costs), tuple(loads), f"1x is {base}")


def _filled(stage: Stage, persons: int, name: str, say: Callable[[str], None]) -> str:
    """A ledger that holds so many other people, to copy; its name."""
    stage.sql(f"CREATE DATABASE {name} TEMPLATE bench_template")
    engine = connect(stage.url(name))
    taken = fill(engine, backlog(persons, seed=1000 + persons), FAR)
    as_if_long_ago(engine)
    engine.dispose()
    say(f"a ledger with {persons} persons holds {taken} events")
    return name
