"""Persons who share an id with somebody else, and so a history: the first of them decides what becomes of the others.

Ids and persons are compared by their keys (`texts.keys_of`). Two that differ may have one key, by rare chance; then
some persons are taken for rivals who are none, which costs time and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from handlers.offline.columns.arrays import Ints
from handlers.offline.columns.fact_tables import Tables
from handlers.offline.columns.texts import Keys, keys_of


class Identities(NamedTuple):
    """Ids that facts bind to their persons (`admit.claims_of_identity`), as keys; most come more than once."""

    id: Keys
    person: Keys


_NOTHING = Identities(np.zeros(0, np.uint64), np.zeros(0, np.uint64))

_ENCOUNTER, _SETTLEMENT, _COVERAGE, _MEMBERSHIP, _MOVEMENT, _OCCASION = (np.uint64(number) for number in range(1, 7))
"""What an id names is part of its key: a bill and a stay may have one id."""


def identities_of(tables: Tables, persons: Sequence[Keys]) -> Identities:
    """The ids in some tables; ``persons`` are the keys of the persons in each."""
    stays, bills, coverages, _, memberships, movements, occasions = tables
    of_stays, of_bills, of_coverages, _, of_memberships, of_movements, of_occasions = persons
    ids = [
        _keys(stays, "id") ^ _ENCOUNTER,
        _keys(bills, "encounter_id") ^ _ENCOUNTER,
        _keys(bills, "id") ^ _SETTLEMENT,
        _keys(coverages, "id") ^ _COVERAGE,
        _keys(memberships, "id") ^ _MEMBERSHIP,
        _keys(movements, "id") ^ _MOVEMENT,
        _keys(occasions, "id") ^ _OCCASION,
    ]
    owners = [of_stays, of_bills, of_bills, of_coverages, of_memberships, of_movements, of_occasions]
    return Identities(np.concatenate(ids), np.concatenate(owners))


def rivals_in(parts: Iterable[Identities]) -> Keys:
    """The keys of the persons of whose ids another person has one as well."""
    ids, persons = (np.concatenate(each) for each in zip(_NOTHING, *parts, strict=True))
    order: Ints = np.argsort(ids)
    one, other = order[:-1], order[1:]
    shared = (ids[one] == ids[other]) & (persons[one] != persons[other])
    return np.union1d(persons[one][shared], persons[other][shared])


def _keys(table: pa.Table, name: str) -> Keys:
    chunks = table.column(name).chunks
    return keys_of(pa.concat_arrays(chunks) if chunks else pa.array([], pa.string()))
