"""Whom memberships link over many packed persons, so that those of one group come to lie in one table.

Persons and households are compared by their keys (`texts.keys_of`). Two that differ may have one key, by rare chance;
then two groups lie together, which changes nothing. The slow twin is `handlers.claims.households.linked`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from handlers.offline.columns.arrays import Ints, links_of, whole
from handlers.offline.columns.texts import Keys, keys_of


class Links(NamedTuple):
    """Which persons memberships link to which households, as keys."""

    person: Keys
    household: Keys


def links_in(table: pa.Table) -> Links:
    """The links in the columns of some persons."""
    rows, households = links_of(table)
    return Links(person_keys(table)[rows], keys_of(households))


def person_keys(table: pa.Table) -> Keys:
    """A key for each row's person."""
    return keys_of(whole(table.column("person_id")))


class Groups(NamedTuple):
    """The persons whom households link, by their keys in ascending order, and the number of each one's group."""

    person: Keys
    number: Ints

    def of(self, persons: Keys) -> Ints:
        """The groups of some persons, who must be among these."""
        found: Ints = self.number[np.searchsorted(self.person, persons)]
        return found


def groups_of(links: Links) -> Groups:
    """The groups: persons who are linked to one household, directly or over others.

    Each round hooks every set to the least one that it touches, and lets all point at the least of their own.
    """
    persons, person = np.unique(links.person, return_inverse=True)
    names, household = np.unique(links.household, return_inverse=True)
    household = household + len(persons)
    least = np.arange(len(persons) + len(names))
    while True:
        one, other = least[person], least[household]
        if (one == other).all():
            return Groups(persons, least[: len(persons)])
        np.minimum.at(least, np.maximum(one, other), np.minimum(one, other))
        while (least[least] != least).any():
            least = least[least]
