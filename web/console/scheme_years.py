"""What each scheme counted and paid in each policy year, against its cap: of a person, or of a household."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple

from infra.ledger.counted_rows import CountedRow
from schemas.policy.model import Policies, Scheme


class SchemeYear(NamedTuple):
    """One scheme in one policy year: sums in fen; ``cap`` is None where the policy sets none."""

    start: date
    scheme_id: str
    title: str
    claims: int
    measured: int
    benefit: int
    cap: int | None

    @property
    def left(self) -> int | None:
        return None if self.cap is None else max(0, self.cap - self.benefit)


def person_years(rows: Iterable[CountedRow], policies: Policies, today: date) -> list[SchemeYear]:
    """All schemes of a person's claims, with the caps a person."""
    return _years(rows, policies, today, lambda _: True, lambda scheme: scheme.cap_per_year)


def household_years(rows: Iterable[CountedRow], policies: Policies, today: date) -> list[SchemeYear]:
    """The schemes that count by household, with the caps a household."""
    by_household = policies.household_schemes
    return _years(
        rows, policies, today, lambda scheme: scheme.id in by_household, lambda scheme: scheme.cap_per_household_year
    )


def _years(
    rows: Iterable[CountedRow],
    policies: Policies,
    today: date,
    shown: Callable[[Scheme], bool],
    cap_of: Callable[[Scheme], int | None],
) -> list[SchemeYear]:
    """Newest year first, schemes in the policy's order. The current year is always included, even if empty."""
    years: dict[tuple[date, str], SchemeYear] = {}
    schemes = {(policy.sha256, scheme.id): scheme for policy in policies.releases for scheme in policy.schemes}
    now = policies.on(today)
    if now is not None:
        for scheme in filter(shown, now.schemes):
            key = (now.year_of(today), scheme.id)
            years[key] = SchemeYear(*key, scheme.title or scheme.id, 0, 0, 0, cap_of(scheme))
    for row in rows:
        scheme, start = schemes[row.policy_sha256, row.scheme_id], policies.year(row.discharged_on)
        if start is None or not shown(scheme):
            continue
        key = (start, scheme.id)
        before = years.get(key) or SchemeYear(*key, scheme.title or scheme.id, 0, 0, 0, None)
        years[key] = before._replace(
            claims=before.claims + 1,
            measured=before.measured + row.measured,
            benefit=before.benefit + row.benefit,
            cap=cap_of(scheme),
        )
    return sorted(years.values(), key=lambda year: year.start, reverse=True)
