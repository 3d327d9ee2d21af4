"""Memberships of households as a registry sends them: persons come, move, and are entered wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.support.builders import Json, membership, membership_void

MOVES = ("2020-01-01", "2024-02-01", "2024-09-15", "2025-03-01")
"""Days on which memberships begin."""


def memberships(rng: Random, person_id: str, homes: Sequence[str]) -> list[Json]:
    """The memberships of one person: one that stays, is corrected or voided, or is followed by another."""
    home, other, moved_on = rng.choice(homes), rng.choice(homes), rng.choice(MOVES[1:])
    name, second = f"M1-{person_id}", f"M2-{person_id}"
    first = membership(name, home, valid_from=rng.choice(MOVES[:2]), person_id=person_id)
    match rng.randrange(6):
        case 0:
            return [first]
        case 1:
            return [{**first, "household_id": other, "valid_from": moved_on}, {**first, "version": 2}]
        case 2:
            alone = {**first, "version": 2, "unit": rng.choice(("single", "collective"))}
            return [first, alone, {**first, "version": 3}][: rng.randint(2, 3)]
        case 3:
            return [first, membership_void(name, person_id=person_id), {**first, "version": 3}][: rng.randint(2, 3)]
        case 4:
            left = {**first, "version": 2, "valid_from": MOVES[0], "valid_to": moved_on}
            came = membership(second, other, valid_from=moved_on, person_id=person_id)
            back = [
                membership_void(second, person_id=person_id),
                {**first, "version": 3},
            ]  # who moves back was never away
            return [first, left, came, *back][: rng.choice((3, 3, 5))]
        case _:  # two that overlap
            return [first, membership(second, other, valid_from=moved_on, person_id=person_id)]
