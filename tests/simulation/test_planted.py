"""The simulation is worth its time only if it finds bugs: each planted one must be caught."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.ledger import template
from tests.simulation.planted import SEEDS_MAX, find
from tests.simulation.plants import PLANTS, Plant


@pytest.fixture(scope="module")
def server_url(postgres_url: str) -> Iterator[str]:
    """A server with a ledger to copy for each bug."""
    with template(postgres_url) as url:
        yield url


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_planted_bug_is_caught(server_url: str, plant: Plant) -> None:
    """Some seed among the first fails while the bug is in."""
    assert find(server_url, plant, (plant.seed, *range(1, SEEDS_MAX + 1))) is not None
