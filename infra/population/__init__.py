"""A seeded population: the events of a city's hospitals and registries, good and bad, in order of arrival.

Standard library only; the same arguments give the same bytes on every run. The model: `docs/population.md`.
"""

from infra.population.arrivals import BLOCK_LINES, generate
from infra.population.description import describe

__all__ = ["BLOCK_LINES", "describe", "generate"]
