"""Runs of many seeds: each in a fresh ledger, each failure with the seed that repeats it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from tests.simulation.faults import Point
from tests.simulation.group_laws import replays
from tests.simulation.laws import check
from tests.simulation.scheduler import NeverIdle, Simulation
from tests.simulation.witness import Broken, Evidence

SHORT_RUNS = 10
CI_RUNS = 80
FIRED_MIN = 30
"""How often each fault point must fire in a run of CI's size."""


class SimulationFailed(AssertionError):
    """One seed broke a law or made the product stop; ``law`` names which."""

    def __init__(self, seed: int, law: str, error: BaseException) -> None:
        super().__init__(
            f"seed {seed}: {law}: {error}\n"
            f"again with: HUZHU_SIM_SEED={seed} python -m pytest tests/simulation/test_simulation.py"
        )
        self.seed, self.law = seed, law


def run_seed(ledger_url: str, seed: int) -> Simulation:
    """One seed from beginning to end. Raises SimulationFailed."""
    simulation = Simulation(seed, ledger_url)
    try:
        simulation.run()
        evidence = Evidence(simulation.kafka, simulation.ledger.observer, simulation.world.settings.shards)
        check(evidence)
        replays(evidence, simulation.ledger.engine)
    except Exception as error:
        raise SimulationFailed(seed, law_of(error), error) from error
    finally:
        simulation.ledger.close()
    return simulation


def law_of(error: Exception) -> str:
    """Which check failed: a law of ours, or the guard or assertion with which the product stopped."""
    if isinstance(error, Broken):
        return error.law
    if isinstance(error, NeverIdle):
        return "idle once the faults have ended"
    cause = getattr(error, "orig", None) or error
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return f"product stops: {type(cause).__name__}" + (f" {constraint}" if constraint else "")


def run_seeds(ledger_url: str, seeds: Iterable[int]) -> Counter[Point]:
    """How often each fault point fired in all of them."""
    fired: Counter[Point] = Counter()
    for seed in seeds:
        fired += run_seed(ledger_url, seed).faults.fired
    return fired


def digest(simulation: Simulation) -> str:
    """Tells two runs apart that differ in a message, its place, its virtual time or a fault."""
    told = [(place, log) for place, log in sorted(simulation.kafka.logs.items())]
    return sha256(repr((told, sorted(simulation.faults.fired.items()))).encode()).hexdigest()


def table(fired: Counter[Point], runs: int) -> str:
    """The counts as the documents quote them."""
    rows = [f"| {point} | {fired[point]} |" for point in Point]
    return "\n".join([f"| fault point | fired in {runs} runs |", "| --- | ---: |", *rows])
