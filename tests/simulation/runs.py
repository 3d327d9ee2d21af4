"""Runs of many seeds: each in a fresh ledger, each failure with the seed that repeats it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable

from tests.simulation.faults import Point
from tests.simulation.laws import Broken, Evidence, check
from tests.simulation.ledger import fresh_ledger
from tests.simulation.scheduler import Simulation
from tests.simulation.world import shards_of

CI_RUNS = 100
FIRED_MIN = 50
"""How often each fault point must fire in a run of CI's size."""


class SimulationFailed(AssertionError):
    """One seed broke a law or made the product stop; ``law`` names which."""

    def __init__(self, seed: int, law: str, error: BaseException) -> None:
        super().__init__(
            f"seed {seed}: {law}: {error}\n"
            f"again with: HUZHU_SIM_SEED={seed} python -m pytest tests/simulation/test_simulation.py"
        )
        self.seed, self.law = seed, law


def run_seed(server_url: str, seed: int, without: tuple[str, ...] = ()) -> Simulation:
    """One seed from beginning to end. Raises SimulationFailed."""
    with fresh_ledger(server_url, f"huzhu_simulation_{os.getpid()}", shards_of(seed), without) as url:
        simulation = Simulation(seed, url)
        try:
            simulation.run()
            check(Evidence(simulation.kafka, simulation.ledger.observer, simulation.world.settings.shards))
        except Exception as error:
            raise SimulationFailed(seed, law_of(error), error) from error
        finally:
            simulation.ledger.close()
    return simulation


def law_of(error: Exception) -> str:
    """Which check failed: a law of ours, or the guard or assertion with which the product stopped."""
    if isinstance(error, Broken):
        return error.law
    cause = getattr(error, "orig", None) or error
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return f"product stops: {type(cause).__name__}" + (f" {constraint}" if constraint else "")


def run_seeds(
    server_url: str, seeds: Iterable[int], done: Callable[[int, Simulation], None] = lambda *_: None
) -> Counter[Point]:
    """How often each fault point fired in all of them."""
    fired: Counter[Point] = Counter()
    for seed in seeds:
        simulation = run_seed(server_url, seed)
        fired += simulation.faults.fired
        done(seed, simulation)
    return fired


def table(fired: Counter[Point], runs: int) -> str:
    """The counts as the documents quote them."""
    rows = [f"| {point} | {fired[point]} |" for point in Point]
    return "\n".join([f"| fault point | fired in {runs} runs |", "| --- | ---: |", *rows])
