"""A synthetic population: the events of a city's hospitals and registries, valid and invalid, in order of arrival.

Uses only the standard library. The same arguments give the same bytes on every run. Model: `docs/population.md`.
"""

from infra.population.advances import with_advances
from infra.population.arrivals import BLOCK_LINES, generate
from infra.population.description import describe

__all__ = ["BLOCK_LINES", "describe", "generate", "with_advances"]
