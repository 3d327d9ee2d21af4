"""What each scheme counted and paid in each policy year, against its cap: of a person, or of a household."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple

from infra.ledger.counted_rows import CountedRow
from schemas.policy.model import Policies, Scheme


class SchemeYear(NamedTuple):
    """One scheme in one policy year: sums in fen; ``cap`` is None where the policy sets none.

    ``measured`` is what was added up; of a household None where the scheme does not add up by household.
    """

    start: date
    scheme_id: str
    title: str
    claims: int
    measured: int | None
    benefit: int
    cap: int | None

    @property
    def left(self) -> int | None:
        return None if self.cap is None else max(0, self.cap - self.benefit)


def person_years(rows: Iterable[CountedRow], policies: Policies, today: date) -> list[SchemeYear]:
    """All schemes of a person's claims, with the caps a person."""
    return _years(rows, policies, today, _Kind(lambda _: True, lambda _: True, lambda scheme: scheme.cap_per_year))


def household_years(rows: Iterable[CountedRow], policies: Policies, today: date) -> list[SchemeYear]:
    """The schemes that count by household, with the caps a household."""
    kind = _Kind(
        shown=lambda scheme: scheme.id in policies.household_schemes,
        adds_up=lambda scheme: scheme.accumulates == "household_year",
        cap_of=lambda scheme: scheme.cap_per_household_year,
    )
    return _years(rows, policies, today, kind)


class _Kind(NamedTuple):
    """Whether a scheme is shown, whether it adds up what it measures, and its cap."""

    shown: Callable[[Scheme], bool]
    adds_up: Callable[[Scheme], bool]
    cap_of: Callable[[Scheme], int | None]


def _years(rows: Iterable[CountedRow], policies: Policies, today: date, kind: _Kind) -> list[SchemeYear]:
    """Newest year first, schemes in the policy's order. The current year is always included, even if empty."""
    years: dict[tuple[date, str], SchemeYear] = {}
    schemes = {(policy.sha256, scheme.id): scheme for policy in policies.releases for scheme in policy.schemes}
    now = policies.on(today)
    if now is not None:
        for scheme in filter(kind.shown, now.schemes):
            key = (now.year_of(today), scheme.id)
            years[key] = _empty(key, scheme, kind)
    for row in rows:
        scheme, start = schemes[row.policy_sha256, row.scheme_id], policies.year(row.discharged_on)
        if start is None or not kind.shown(scheme):
            continue
        key = (start, scheme.id)
        before = years.get(key) or _empty(key, scheme, kind)
        adds = row.measured if kind.adds_up(scheme) else 0
        years[key] = before._replace(
            claims=before.claims + 1,
            measured=None if before.measured is None and not kind.adds_up(scheme) else (before.measured or 0) + adds,
            benefit=before.benefit + row.benefit,
            cap=kind.cap_of(scheme),
        )
    return sorted(years.values(), key=lambda year: year.start, reverse=True)


def _empty(key: tuple[date, str], scheme: Scheme, kind: _Kind) -> SchemeYear:
    return SchemeYear(*key, scheme.title or scheme.id, 0, 0 if kind.adds_up(scheme) else None, 0, kind.cap_of(scheme))
