"""Persons who share households in a fault run: their memberships among the load, and a policy that counts by them."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tests.support.builders import Json
from tests.support.moves import memberships

SHARING = 0.4
"""So many of the persons with bills share households, three to each."""

AT_HOME = 3
BY_HOUSEHOLD = {
    'cap_per_stay = "10000.00"': 'cap_per_stay = "10000.00"\ncap_per_household_year = "1500.00"',
    'accumulates = "person_year"': 'accumulates = "household_year"\ncap_per_household_year = "5000.00"',
}
"""What makes the sample policy count by household: low enough that households of the load reach their caps."""


def by_household(policy: str) -> str:
    """The sample policy, with a cap of a household in one scheme and a household's sum and cap in the other."""
    for written, instead in BY_HOUSEHOLD.items():
        if written not in policy:
            raise ValueError(f"the sample policy no longer says {written}")
        policy = policy.replace(written, instead)
    return policy


def lives(rng: Random, persons: Iterable[str]) -> list[list[Json]]:
    """The memberships of some persons, in order; some move into the household next to theirs."""
    sharing = [person_id for person_id in persons if rng.random() < SHARING]
    homes = [f"HH-faults-{number}" for number in range(len(sharing) // AT_HOME + 2)]
    return [
        memberships(rng, person_id, homes[place // AT_HOME : place // AT_HOME + 2])
        for place, person_id in enumerate(sharing)
    ]
