"""What of a pool's money may be told to everybody: no amount from which one could read what one or two persons got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.facts import ContributionKind
from schemas.pool_records import ContributionRow

FEW = 3
"""An amount of fewer persons is never told by itself."""

_OF_PERSONS = (ContributionKind.DONATION, ContributionKind.VILLAGER)
"""Next to each other: few donors are best told together with the villagers."""


class Cell(NamedTuple):
    """An amount in fen under some labels. It is that of ``persons``, by what each got, and of ``heads`` more."""

    labels: tuple[str, ...]
    amount: int
    persons: Mapping[str, int]
    heads: int = 0

    @property
    def people(self) -> int:
        """Whose amount it is; somebody who gave all back does not count."""
        return sum(amount != 0 for amount in self.persons.values()) + self.heads

    @property
    def few(self) -> bool:
        """Whether it must not be told."""
        return self.people < FEW and self.amount != 0

    def joined(self, other: Cell) -> Cell:
        """Both as one."""
        persons = Counter(self.persons)
        for person, amount in other.persons.items():
            persons[person] += amount
        return Cell(self.labels + other.labels, self.amount + other.amount, persons, self.heads + other.heads)


def merged(cells: Iterable[Cell]) -> list[Cell]:
    """The cells in their order, each of few persons joined to the next one, or at the end to the one before.

    Only if all together are of few persons, one is left that must not be told.
    """
    found = list[Cell]()
    for each in cells:
        if found and found[-1].people < FEW:
            found[-1] = found[-1].joined(each)
        else:
            found.append(each)
    if len(found) > 1 and found[-1].people < FEW:
        last = found.pop()
        found[-1] = found[-1].joined(last)
    return found


def whole(cells: Iterable[Cell]) -> Cell:
    """All cells as one."""
    total = Cell((), 0, {})
    for each in cells:
        total = total.joined(each)
    return total


def cells_by_kind(contributions: Iterable[ContributionRow]) -> list[Cell]:
    """What was received by kind. Villagers and donors are persons, as many as ``heads`` says; others are nobody."""
    amounts, heads = Counter[str](), Counter[str]()
    for each in contributions:
        if each.amount:
            amounts[each.kind] += each.amount
            heads[each.kind] += each.heads or 1
    kinds = [*_OF_PERSONS, *(kind for kind in ContributionKind if kind not in _OF_PERSONS)]
    return [
        Cell((kind,), amounts[kind], {}, heads[kind] if kind in _OF_PERSONS else FEW) for kind in kinds if amounts[kind]
    ]


def cells_by_month(paid: Iterable[tuple[str, str, int]]) -> list[Cell]:
    """What was paid by month: ``paid`` are a month, a person and what that person got in it, net, in fen."""
    months: dict[str, Counter[str]] = {}
    for month, person_id, amount in paid:
        months.setdefault(month, Counter())[person_id] += amount
    return [Cell((month,), sum(persons.values()), persons) for month, persons in sorted(months.items())]
