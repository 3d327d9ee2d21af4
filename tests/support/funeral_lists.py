"""Funeral lists as tests write them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from schemas.funeral_lists import FuneralList, ListedDeath


def listed(*deaths: tuple[str, str], sha256: str = "0" * 64) -> FuneralList:
    """A list with these persons, by the ledger's ids, and days; its lines are counted from 2."""
    return FuneralList(list(_lines(deaths)), [], sha256)


def _lines(deaths: Iterable[tuple[str, str]]) -> Iterable[ListedDeath]:
    for line, (person_id, day) in enumerate(deaths, start=2):
        yield ListedDeath(line, person_id, is_identity=False, died_on=date.fromisoformat(day))
