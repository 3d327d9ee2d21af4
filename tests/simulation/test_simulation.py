"""Crash anywhere, get the same money: many seeds of chaos over the real handlers, intake, relay and ledger.

HUZHU_SIM_RUNS sets the number of seeds and HUZHU_SIM_FIRST the first; HUZHU_SIM_SEED runs one again.
HUZHU_SIM_TABLE names a file for the counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.faults import Point
from tests.simulation.ledger import database, template
from tests.simulation.runs import CI_RUNS, FIRED_MIN, SHORT_RUNS, digest, run_seed, run_seeds, table
from tests.support.length import times


@pytest.fixture(scope="module")
def ledger_database(postgres_url: str) -> Iterator[str]:
    """A database that every seed empties."""
    with template(postgres_url) as server, database(server) as url:
        yield url


@pytest.mark.long
def test_no_fault_changes_the_money(ledger_database: str) -> None:
    """Every law holds after every seed, and every fault point fired often enough for that to mean something."""
    replayed = os.environ.get("HUZHU_SIM_SEED")
    if replayed is not None:
        run_seed(ledger_database, int(replayed))
        return
    runs, first = times(SHORT_RUNS, CI_RUNS, "HUZHU_SIM_RUNS"), int(os.environ.get("HUZHU_SIM_FIRST", "1"))
    fired = run_seeds(ledger_database, range(first, first + runs))
    counts = table(fired, runs)
    print(f"\n{counts}")  # noqa: T201 - shown by pytest -s and in the report of a failure
    if "HUZHU_SIM_TABLE" in os.environ:
        Path(os.environ["HUZHU_SIM_TABLE"]).write_text(counts + "\n", "utf-8")
    seldom = {str(point): fired[point] for point in Point if fired[point] < FIRED_MIN}
    assert runs < CI_RUNS or not seldom, f"void: fault points that fired fewer than {FIRED_MIN} times: {seldom}"


def test_seed_repeats_its_run(ledger_database: str) -> None:
    """The same seed gives the same messages, times and faults, byte for byte."""
    assert digest(run_seed(ledger_database, 2)) == digest(run_seed(ledger_database, 2))
