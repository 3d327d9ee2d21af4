"""Whom memberships and invoices link over many packed persons, so that those of one group come to lie in one table.

Persons, households and invoices are compared by their keys (`texts.keys_of`). Two that differ may have one key, by rare
chance; then two groups lie together, which changes nothing. The slow twin is `handlers.claims.households.linked`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from handlers.claims.twice import link_of
from handlers.offline.columns.arrays import Bools, Ints, households_in, invoices_in, linked_persons, whole
from handlers.offline.columns.texts import Keys, keys_of
from handlers.offline.groups import Linking


class Links(NamedTuple):
    """Which persons are linked to which names, of households or of invoices (`groups.links_of_account`), as keys."""

    person: Keys
    name: Keys


def linked_rows(table: pa.Table, linking: Linking) -> Bools:
    """Which persons something links."""
    linked = linked_persons(table) if linking.households else np.zeros(len(table), np.bool_)
    if linking.invoices:
        linked[invoices_in(table)[0]] = True
    return linked


def links_in(table: pa.Table, linking: Linking) -> Links:
    """The links in the columns of some persons."""
    persons, rows, names = person_keys(table), list[Ints](), list[Keys]()
    if linking.households:
        of, households = households_in(table)
        rows, names = [*rows, of], [*names, keys_of(households)]
    if linking.invoices:
        of, invoices = invoices_in(table)
        links = pa.array(map(link_of, invoices.to_pylist()), pa.string())
        rows, names = [*rows, of], [*names, keys_of(links)]
    return Links(persons[np.concatenate(rows)], np.concatenate(names))


def person_keys(table: pa.Table) -> Keys:
    """A key for each row's person."""
    return keys_of(whole(table.column("person_id")))


class Groups(NamedTuple):
    """The persons whom something links, by their keys in ascending order, and the number of each one's group."""

    person: Keys
    number: Ints

    def of(self, persons: Keys) -> Ints:
        """The groups of some persons, who must be among these."""
        found: Ints = self.number[np.searchsorted(self.person, persons)]
        return found


def groups_of(links: Links) -> Groups:
    """The groups: persons who are linked to one name, directly or over others.

    Each round hooks every set to the least one that it touches, and lets all point at the least of their own.
    """
    persons, person = np.unique(links.person, return_inverse=True)
    names, name = np.unique(links.name, return_inverse=True)
    name = name + len(persons)
    least = np.arange(len(persons) + len(names))
    while True:
        one, other = least[person], least[name]
        if (one == other).all():
            return Groups(persons, least[: len(persons)])
        np.minimum.at(least, np.maximum(one, other), np.minimum(one, other))
        while (least[least] != least).any():
            least = least[least]
