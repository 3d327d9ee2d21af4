"""What each scheme has seen of a policy year, by person and by unit: what it measured, and what it paid."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from handlers.claims.households import Unit
from schemas.policy.model import Scheme


@dataclass(slots=True)
class YearSums:
    """What one scheme has seen of one policy year: running sum of measured amounts, and sum paid (fen)."""

    measured: int = 0
    paid: int = 0


@dataclass(slots=True)
class Lifetime:
    """What one scheme has seen of a person in all years: whether it has paid, and for which days (ordinals)."""

    paid: bool = False
    days: set[int] = field(default_factory=set)


Sums = tuple[tuple[Unit | None, str, int, int], ...]
"""What each scheme has seen of a policy year, by person (None) and by unit: its id, the running sum of what was
measured, and the sum paid (fen)."""

ByScheme = dict[str, YearSums]


@dataclass(slots=True)
class Years:
    """Sums per policy year and scheme id: they follow the scheme id across policy releases.

    ``sums`` are a person's own; ``units`` those of the units to which their claims count, which the persons of one
    group share. ``lives`` follow the scheme id through all years; they are whole only if all claims are decided
    (`Policies.life_schemes`).
    """

    sums: dict[date, ByScheme] = field(default_factory=dict)
    units: dict[tuple[date, Unit], ByScheme] = field(default_factory=dict)
    lives: dict[str, Lifetime] = field(default_factory=dict)

    def life_of(self, scheme: Scheme) -> Lifetime:
        """What a scheme has seen of the person in all years."""
        return self.lives.setdefault(scheme.id, Lifetime())

    def of(self, scheme: Scheme, year: date) -> YearSums:
        """The person's own sums of a scheme."""
        return _of(self.sums.setdefault(year, {}), scheme)

    def of_unit(self, scheme: Scheme, year: date, unit: Unit) -> YearSums:
        """A unit's sums of a scheme."""
        return _of(self.units.setdefault((year, unit), {}), scheme)

    def sums_of(self, year: date) -> Sums:
        """The sums of one year, to continue from; units and schemes in order of their ids."""
        found: list[tuple[Unit | None, str, int, int]] = [(None, *each) for each in _listed(self.sums.get(year, {}))]
        for unit in sorted((unit for of, unit in self.units if of == year), key=_by_name):
            found += [(unit, *each) for each in _listed(self.units[year, unit])]
        return tuple(found)

    @classmethod
    def of_year(cls, year: date, sums: Sums) -> Years:
        """Years that continue from such sums."""
        years = cls()
        for unit, name, measured, paid in sums:
            by_scheme = years.sums.setdefault(year, {}) if unit is None else years.units.setdefault((year, unit), {})
            by_scheme[name] = YearSums(measured, paid)
        return years


def _of(by_scheme: ByScheme, scheme: Scheme) -> YearSums:
    sums = by_scheme.get(scheme.id)
    if sums is None:
        sums = by_scheme[scheme.id] = YearSums()
    return sums


def _listed(by_scheme: ByScheme) -> list[tuple[str, int, int]]:
    return [(name, by_scheme[name].measured, by_scheme[name].paid) for name in sorted(by_scheme)]


def _by_name(unit: Unit) -> tuple[str, str]:
    return unit.household_id or "", unit.person_id
