"""Does the simulation find bugs? Plants each known one and runs seeds until it is caught.

    python -m tests.simulation.planted

prints a table, and ends with 1 if a bug was missed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import NamedTuple

import pytest

from infra.servers.resolve import resolve_postgres
from tests.simulation.ledger import database, template
from tests.simulation.plants import PLANTS, Plant
from tests.simulation.runs import SimulationFailed, run_seed

SEEDS_MAX = 120
"""A bug that so many seeds do not find counts as missed."""


class Caught(NamedTuple):
    """How a planted bug came to light: after how many seeds, in which, and what failed."""

    after: int
    seed: int
    law: str


def find(server_url: str, plant: Plant, seeds: Iterable[int] = range(1, SEEDS_MAX + 1)) -> Caught | None:
    """The first seed that catches the bug, None if none does."""
    with database(server_url, plant.without) as url, pytest.MonkeyPatch.context() as patch:
        plant.put_in(patch)
        for number, seed in enumerate(seeds, start=1):
            try:
                run_seed(url, seed)
            except SimulationFailed as failure:
                return Caught(number, failure.seed, failure.law)
    return None


def row(plant: Plant, caught: Caught | None) -> str:
    """A line of the table."""
    found = f"{caught.after} | {caught.seed} | {caught.law}" if caught else f"none of {SEEDS_MAX} | | MISSED"
    return f"| {plant.name} | {found} |"


def main() -> int:
    logging.disable(logging.CRITICAL)  # the product complains of what is done to it
    missed = 0
    write = sys.stdout.write
    write("| planted bug | caught after seeds | seed | by |\n| --- | ---: | ---: | --- |\n")
    with resolve_postgres() as server, template(server.url) as url:
        for plant in PLANTS:
            caught = find(url, plant)
            missed += caught is None
            write(row(plant, caught) + "\n")
            sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
