"""When each person is in hospital, where and why: acute stays, chronic treatment, the last days of life."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from infra.population.assumptions import (
    ACUTE,
    CITY_HOSPITALS,
    LEVELS,
    LOCAL_HOSPITALS,
    SECONDARY,
    Condition,
    Diagnosis,
    Facility,
)
from infra.population.people import Household, Person
from infra.population.wire import Day, Horizon

_DAYS_PER_YEAR = 365.25
_AFTER_DEATH = 0.08  # share of the dead under whose name someone is admitted later
_DIES_IN_HOSPITAL = 0.40
_STARTS_EARLIER_DAYS = 40  # how long before the first year a stay can begin


@dataclass(frozen=True, slots=True)
class Stay:
    """An inpatient stay or a special outpatient course. `cost` multiplies the level's median charge."""

    facility: Facility
    inpatient: bool
    admitted: Day
    discharged: Day
    diagnoses: tuple[str, ...]
    cost: float
    outside: float


def stays_of(rng: Random, home: Household, person: Person, horizon: Horizon, scale: float) -> list[Stay]:
    """A person's stays by day of admission; inpatient stays never overlap. `scale` multiplies every rate."""
    planned = [*_acute(rng, home, person, horizon, scale)]
    if person.condition is not None:
        planned += _chronic(rng, home, person, person.condition, horizon, scale)
    planned.sort(key=lambda stay: (stay.admitted, stay.discharged))
    alive = _while_alive(rng, home, person, _one_bed(rng, planned))
    return [stay for stay in alive if stay.admitted < horizon.closes and stay.discharged >= horizon.opens]


def _days(rng: Random, first: Day, closes: Day, yearly: float) -> Iterator[Day]:
    """The days of a Poisson process with `yearly` events per year."""
    if yearly <= 0:
        return
    moment = float(first)
    while (moment := moment + rng.expovariate(yearly / _DAYS_PER_YEAR)) < closes:
        yield int(moment)


def _length(rng: Random, median_days: float) -> int:
    return max(1, min(300, round(rng.lognormvariate(0.0, 0.5) * median_days)))


def _acute(rng: Random, home: Household, person: Person, horizon: Horizon, scale: float) -> Iterator[Stay]:
    yearly = person.band.acute * person.frailty * scale
    for day in _days(rng, horizon.opens - _STARTS_EARLIER_DAYS, horizon.closes, yearly):
        diagnosis = _diagnosis(rng, person.age)
        cost = diagnosis.cost * (rng.uniform(3.0, 9.0) if rng.random() < 0.02 else 1.0)
        facility = _hospital(rng, home, cost, inpatient=True)
        codes = () if rng.random() < 0.01 else (diagnosis.code, *_secondary(rng, person.age))
        outside = rng.uniform(0.1, 0.3) if cost > 6 else 0.0
        yield Stay(facility, True, day, day + _length(rng, diagnosis.days), codes, cost, outside)


def _chronic(
    rng: Random, home: Household, person: Person, ill: Condition, horizon: Horizon, scale: float
) -> Iterator[Stay]:
    usual = _hospital(rng, home, ill.cost + 0.6, inpatient=True)
    severity = rng.lognormvariate(-0.18, 0.6)
    for day in _days(rng, person.ill_from, horizon.closes, ill.stays * severity * scale):
        codes = (ill.code, *_secondary(rng, person.age))
        length = _length(rng, ill.days)
        cost = ill.cost * (length / ill.days) ** 0.5
        cost *= rng.uniform(3.0, 8.0) if rng.random() < 0.015 else 1.0
        outside = ill.outside * rng.random()
        yield Stay(usual, True, day, day + length, codes, cost, outside)
    for day in _days(rng, person.ill_from, horizon.closes, ill.courses * severity * scale):
        where = usual if rng.random() < 0.8 else _hospital(rng, home, 0.5, inpatient=False)
        cost = 2.6 if ill.code == "N18.5" else 0.5 + ill.cost / 2
        yield Stay(where, False, day, day + rng.choice((0, 0, 1, 13, 29)), (ill.code,), cost, ill.outside / 2)


def _one_bed(rng: Random, planned: list[Stay]) -> list[Stay]:
    """Postpone inpatient stays that would begin before the previous one has ended; some begin the same day."""
    kept: list[Stay] = []
    free: Day = 0
    for stay in planned:
        if stay.inpatient:
            if stay.admitted < free:
                admitted = free + rng.choice((0, 1, 4, 12))
                stay = replace(stay, admitted=admitted, discharged=admitted + stay.discharged - stay.admitted)
            free = stay.discharged
        kept.append(stay)
    return kept


def _while_alive(rng: Random, home: Household, person: Person, planned: list[Stay]) -> Iterator[Stay]:
    """Ends stays at a person's death; later ones only occur when someone misuses the name."""
    died = person.died_on
    if died is None:
        yield from planned
        return
    in_hospital = False
    for stay in planned:
        if stay.admitted <= died:
            in_hospital = in_hospital or (stay.inpatient and stay.discharged >= died)
            yield replace(stay, discharged=min(stay.discharged, died))
    if not in_hospital and rng.random() < _DIES_IN_HOSPITAL:
        earlier = (stay.discharged for stay in planned if stay.inpatient and stay.discharged < died)
        admitted = max(died - rng.randint(0, 25), *earlier, 0)
        code = person.condition.code if person.condition else "I46.9"
        yield Stay(_hospital(rng, home, 3.0, inpatient=True), True, admitted, died, (code, "R57.9"), 3.0, 0.1)
    if rng.random() < _AFTER_DEATH:
        admitted = died + rng.randint(1, 200)
        where = _hospital(rng, home, 0.5, inpatient=True)
        yield Stay(where, True, admitted, admitted + rng.randint(2, 9), ("M51.2",), 0.8, 0.0)


def _diagnosis(rng: Random, age: int) -> Diagnosis:
    fitting = [diagnosis for diagnosis in ACUTE if diagnosis.youngest <= age <= diagnosis.oldest]
    return rng.choices(fitting, [diagnosis.weight for diagnosis in fitting])[0]


def _secondary(rng: Random, age: int) -> tuple[str, ...]:
    """Secondary diagnoses, of which old people have more."""
    count = rng.choices((0, 1, 2, 4), (0.2, 0.3, 0.3, 0.2) if age >= 60 else (0.6, 0.3, 0.09, 0.01))[0]
    return tuple(rng.sample(SECONDARY, count))


def _hospital(rng: Random, home: Household, cost: float, *, inpatient: bool) -> Facility:
    """A hospital: the more expensive the illness, the higher its level; townspeople prefer city hospitals."""
    if not inpatient:
        weights = (0.30, 0.40, 0.30)
    elif cost > 1.5:
        weights = (0.58, 0.37, 0.05)
    elif home.rural:
        weights = (0.18, 0.44, 0.38)
    else:
        weights = (0.38, 0.46, 0.16)
    level = rng.choices(LEVELS, weights)[0]
    if level == "city":
        return rng.choice(CITY_HOSPITALS)
    return rng.choice(LOCAL_HOSPITALS[home.area.name, level])
