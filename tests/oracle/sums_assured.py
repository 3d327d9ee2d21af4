"""The oracle of sums assured: what a tier pays that looks at no bill (time.md, section 7). Money is yuan, exactly."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction


@dataclass(frozen=True)
class SumAssured:
    """What a tier says in place of brackets; of the first three exactly one is there."""

    fixed: Fraction | None
    by_degree: dict[str, Fraction] | None
    per_day: Fraction | None
    from_day: int
    days_max: int | None

    def amount(self, degree: str | None, days: int) -> Fraction:
        """What is assured for a degree, or for so many days that are paid."""
        if self.fixed is not None:
            return self.fixed
        if self.by_degree is not None:
            return self.by_degree.get(degree, Fraction(0)) if degree is not None else Fraction(0)
        assert self.per_day is not None, self
        return self.per_day * days

    def days_paid(self, days: int) -> int:
        """How many of the days of an incident are paid."""
        from_here = max(0, days - self.from_day + 1)
        return from_here if self.days_max is None else min(from_here, self.days_max)

    def dates_paid(self, stay: list[date], counted: Collection[date]) -> list[date]:
        """Which days of a stay are paid, by their own numbers in it, where no earlier stay was counted for them."""
        if self.per_day is None:
            return []
        free = [day for number, day in enumerate(stay, start=1) if number >= self.from_day and day not in counted]
        return free if self.days_max is None else free[: self.days_max]


def days_of_stay(admitted_on: date, discharged_on: date) -> list[date]:
    """The days of a stay without the last; a stay of one day has that day."""
    count = max(1, (discharged_on - admitted_on).days)
    return [admitted_on + timedelta(days=number) for number in range(count)]


def read_sum_assured(tier: dict[str, object]) -> SumAssured | None:
    """The sum assured in a tier's table; None where the tier has brackets."""
    if "brackets" in tier:
        return None
    degrees, from_day, days_max = tier.get("by_degree"), tier.get("from_day", 1), tier.get("days_max")
    assert isinstance(from_day, int)
    assert days_max is None or isinstance(days_max, int)
    return SumAssured(
        fixed=Fraction(str(tier["fixed"])) if "fixed" in tier else None,
        by_degree={key: Fraction(str(sum_)) for key, sum_ in degrees.items()} if isinstance(degrees, dict) else None,
        per_day=Fraction(str(tier["per_day"])) if "per_day" in tier else None,
        from_day=from_day,
        days_max=days_max,
    )
