"""The simulation is worth its time only if it finds bugs: each planted one must be caught."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from tests.simulation import bugs_of_money
from tests.simulation.ledger import template
from tests.simulation.planted import SEEDS_MAX, find
from tests.simulation.plants import PLANTS, Plant
from tests.support.compiled_core import patches_the_core


@pytest.fixture(scope="module")
def server_url(postgres_url: str) -> Iterator[str]:
    """A server with a ledger to copy for each bug."""
    with template(postgres_url) as url:
        yield url


SHORT = {
    "offsets stored before the facts",
    "no offset check, no unique key",
    "gap reader off",
    "money read through a float",
    "recoveries lost",
    "payments before recoveries",
    "relays not fenced",
}
"""The plants of `make test`; `make prove` has all of them."""


def chosen(plant: Plant) -> ParameterSet:
    marks = [pytest.mark.long] if plant.name in SHORT else [pytest.mark.long, pytest.mark.prove]
    if plant.put_in.__module__ == bugs_of_money.__name__:
        marks.append(patches_the_core)
    return pytest.param(plant, id=plant.name, marks=marks)


@pytest.mark.parametrize("plant", [chosen(plant) for plant in PLANTS])
def test_planted_bug_is_caught(server_url: str, plant: Plant) -> None:
    """Some seed among the first fails while the bug is in."""
    assert find(server_url, plant, (plant.seed, *range(1, SEEDS_MAX + 1))) is not None
