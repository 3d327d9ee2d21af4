"""The inhabitants: households, their members, and the course of each life."""

from dataclasses import dataclass
from random import Random

from infra.population.assumptions import (
    AGE_BANDS,
    AREA_WEIGHTS,
    AREAS,
    CONDITION_WEIGHTS,
    CONDITIONS,
    HOUSEHOLD_CATEGORIES,
    HOUSEHOLD_CATEGORY_WEIGHTS,
    PERSON_CATEGORIES,
    PERSON_CATEGORY_WEIGHTS,
    AgeBand,
    Area,
    Condition,
)
from infra.population.wire import Day, Horizon, scrambled

_SIZES = (1, 2, 3, 4, 5, 6)
_SIZE_WEIGHTS = (0.20, 0.32, 0.24, 0.12, 0.08, 0.04)
_ENROLLED = 0.90  # share of people enrolled in self-pay assistance
_JOINS_POOL = 0.80  # share of rural households that join their village's mutual aid
_PERSONAL_CATEGORY = 0.018  # share of people with a personal category instead of that of their household
_ORPHANS = 0.01  # share of households whose children are orphans, raised by their grandparents
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Person:
    """A resident. `age` is in whole years at the start of the horizon; `frailty` multiplies acute stays."""

    person_id: str
    key: str
    age: int
    employee: bool
    enrolled: bool
    category: str
    condition: Condition | None
    ill_from: Day
    frailty: float
    died_on: Day | None

    @property
    def band(self) -> AgeBand:
        """The age band, which determines the person's rates."""
        return band_of(self.age)


@dataclass(frozen=True, slots=True)
class Household:
    """People who live together; `pool_id` is their village's mutual aid, or None if they have not joined."""

    household_id: str
    key: str
    area: Area
    rural: bool
    pool_id: str | None
    members: tuple[Person, ...]


def band_of(age: int) -> AgeBand:
    """The age band of an age in years."""
    return next(band for band in AGE_BANDS if age <= band.oldest)


def village(rng: Random, area: Area) -> str:
    """The pool id of a random village in an area."""
    return f"village-{area.name}-{rng.randint(1, area.villages):03d}"


def household(
    rng: Random,
    salt: int,
    number: int,
    first_person: int,
    room: int,
    horizon: Horizon,
) -> Household:
    """Household `number` with at most `room` members, who are numbered from `first_person`."""
    area = rng.choices(AREAS, AREA_WEIGHTS)[0]
    rural = rng.random() < area.rural
    ages, orphans = _ages(rng, min(room, rng.choices(_SIZES, _SIZE_WEIGHTS)[0]))
    joins = rural and rng.random() < _JOINS_POOL
    category = rng.choices(HOUSEHOLD_CATEGORIES, HOUSEHOLD_CATEGORY_WEIGHTS)[0]
    members = []
    for offset, age in enumerate(ages):
        person_category = category
        if orphans and age < 18:
            person_category = "orphan"
        elif age >= 10 and rng.random() < _PERSONAL_CATEGORY:
            person_category = rng.choices(PERSON_CATEGORIES, PERSON_CATEGORY_WEIGHTS)[0]
        members.append(_person(rng, scrambled(salt, first_person + offset), age, rural, person_category, horizon))
    return Household(
        household_id=f"HH-{scrambled(salt + 1, number)}",
        key=scrambled(salt + 1, number),
        area=area,
        rural=rural,
        pool_id=village(rng, area) if joins else None,
        members=tuple(members),
    )


def _ages(rng: Random, size: int) -> tuple[list[int], bool]:
    """Ages of a household's members, and whether its children are orphans."""
    if size <= 2 and rng.random() < 0.5:
        elder = rng.randint(60, 92)
        return [elder, max(55, elder - rng.randint(-3, 6))][:size], False
    if size >= 2 and rng.random() < _ORPHANS:
        return [rng.randint(58, 78), *(rng.randint(3, 16) for _ in range(size - 1))][:size], True
    adult = rng.randint(24, 58)
    ages = [adult, max(20, adult - rng.randint(-4, 6))][:size]
    children = min(size - len(ages), rng.choices((1, 2), (0.7, 0.3))[0])
    ages += [max(0, min(30, adult - rng.randint(23, 34))) for _ in range(children)]
    ages += [min(98, adult + rng.randint(22, 32)) for _ in range(size - len(ages))]
    return ages, False


def _person(rng: Random, key: str, age: int, rural: bool, category: str, horizon: Horizon) -> Person:
    band = band_of(age)
    condition: Condition | None = None
    ill_from = horizon.opens
    if rng.random() < band.chronic:
        condition = rng.choices(CONDITIONS, CONDITION_WEIGHTS)[0]
        if rng.random() < 0.4:
            ill_from = rng.randrange(horizon.opens, horizon.closes)
    employed = 0.0 if age < 20 else (0.35 if rural else 0.70) if age < 60 else (0.15 if rural else 0.55)
    hazard = band.dies * (condition.hazard if condition else 1.0)
    died_on = horizon.opens + int(rng.expovariate(hazard) * _DAYS_PER_YEAR)
    return Person(
        person_id=f"P-{key}",
        key=key,
        age=age,
        employee=rng.random() < employed,
        enrolled=rng.random() < _ENROLLED,
        category=category,
        condition=condition,
        ill_from=ill_from,
        frailty=rng.gammavariate(0.7, 1 / 0.7),
        died_on=died_on if died_on < horizon.closes else None,
    )
