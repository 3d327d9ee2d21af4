"""How a charge is divided between funds and patient, and one bill into several. All amounts are in fen."""

from itertools import pairwise
from random import Random
from typing import NamedTuple

from infra.population.assumptions import (
    ASSISTED_RATE,
    CHARGE_SIGMA,
    COURSE_MEDIAN_YUAN,
    DEDUCTIBLE_FEN,
    EMPLOYEE_RATE,
    RESIDENT_RATE,
    SERIOUS_ILLNESS_OVER_FEN,
    SERIOUS_ILLNESS_RATE,
    STAY_MEDIAN_YUAN,
)
from infra.population.people import Person
from infra.population.registries import Standing
from infra.population.stays import Stay
from infra.population.wire import year_of

_ON_THE_THRESHOLD = 0.012  # share of stays whose copay is set to 1,999.99, 2,000.00 or 2,000.01 yuan
_THRESHOLD_FEN = 2_000_00


class Amounts(NamedTuple):
    """The parts of a bill in fen. The total is their sum, so a bill always balances."""

    basic_insurance: int
    serious_illness: int
    medical_assistance: int
    other_fund: int
    copay: int
    out_of_catalogue: int

    @property
    def total(self) -> int:
        """The total charge in fen."""
        return sum(self)


class YearSoFar:
    """A person's copays and number of stays by year, which later bills depend on."""

    def __init__(self) -> None:
        self._copay_fen: dict[int, int] = {}
        self._stays: dict[int, int] = {}

    def charge(self, rng: Random, person: Person, stay: Stay, standings: list[Standing]) -> Amounts:
        """The amounts of a whole stay. Must be called in the order of the stays."""
        total = _total_fen(rng, stay)
        out_of_catalogue = min(total, round(total * _outside_share(rng, stay)))
        covered = total - out_of_catalogue
        year = year_of(stay.discharged)
        basic = self._basic(person, stay, covered, year)
        left = covered - basic
        before = self._copay_fen.get(year, 0)
        over = max(0, before + left - max(before, SERIOUS_ILLNESS_OVER_FEN))
        serious = round(over * SERIOUS_ILLNESS_RATE)
        left -= serious
        assistance = round(left * _assisted_rate(stay, standings))
        left -= assistance
        other = round(left * rng.uniform(0.05, 0.4)) if rng.random() < 0.06 else 0
        amounts = Amounts(basic, serious, assistance, other, left - other, out_of_catalogue)
        if stay.inpatient and rng.random() < _ON_THE_THRESHOLD:
            amounts = _with_copay(amounts, _THRESHOLD_FEN + rng.choice((-1, 0, 1)))
        self._copay_fen[year] = before + amounts.copay
        return amounts

    def _basic(self, person: Person, stay: Stay, covered: int, year: int) -> int:
        level = stay.facility.level
        rate = (EMPLOYEE_RATE if person.employee else RESIDENT_RATE)[level]
        if not stay.inpatient:
            return round(covered * rate)
        earlier = self._stays.get(year, 0)
        self._stays[year] = earlier + 1
        deductible = DEDUCTIBLE_FEN[level] // (1 if earlier == 0 else 2)
        return round(max(0, covered - deductible) * rate)


def split(rng: Random, whole: Amounts, bills: int) -> list[Amounts]:
    """Divides the amounts of a stay among several bills. Nothing is lost, and every bill balances."""
    if bills == 1:
        return [whole]
    weights = [rng.uniform(0.6, 1.4) for _ in range(bills)]
    shares = [sum(weights[: index + 1]) / sum(weights) for index in range(bills - 1)]
    columns: list[list[int]] = []
    for amount in whole:
        cuts = [0, *(int(amount * share) for share in shares), amount]
        columns.append([after - before for before, after in pairwise(cuts)])
    return [Amounts(*row) for row in zip(*columns, strict=True)]


def corrected(rng: Random, before: Amounts) -> Amounts:
    """A corrected bill, which differs from the original and balances again."""
    kind = rng.random()
    if kind < 0.4 and before.copay > 0:  # the fund pays more after all
        moved = max(1, round(before.copay * rng.uniform(0.02, 0.5)))
        return before._replace(basic_insurance=before.basic_insurance + moved, copay=before.copay - moved)
    if kind < 0.6 and before.out_of_catalogue > 0:  # an item was in the catalogue
        moved = max(1, round(before.out_of_catalogue * rng.uniform(0.1, 1.0)))
        return before._replace(copay=before.copay + moved, out_of_catalogue=before.out_of_catalogue - moved)
    if kind < 0.8 and before.copay > 0:  # an item was charged but not given
        return before._replace(copay=before.copay - max(1, round(before.copay * rng.uniform(0.01, 0.2))))
    return before._replace(out_of_catalogue=before.out_of_catalogue + rng.randint(1, 80_000))


def _total_fen(rng: Random, stay: Stay) -> int:
    median = (STAY_MEDIAN_YUAN if stay.inpatient else COURSE_MEDIAN_YUAN)[stay.facility.level]
    return max(5_000, round(median * 100 * stay.cost * rng.lognormvariate(0.0, CHARGE_SIGMA)))


def _outside_share(rng: Random, stay: Stay) -> float:
    """The share of the charge outside the catalogue: small in towns, large for new drugs and implants."""
    if rng.random() < 0.06:
        return 0.0
    mean = {"city": 0.13, "county": 0.09, "town": 0.05}[stay.facility.level]
    return min(0.85, rng.betavariate(1.6, 1.6 / mean - 1.6) + stay.outside * rng.random())


def _assisted_rate(stay: Stay, standings: list[Standing]) -> float:
    day = stay.discharged
    return max(
        (
            ASSISTED_RATE.get(standing.category, 0.0)
            for standing in standings
            if standing.start <= day and (standing.end is None or day < standing.end)
        ),
        default=0.0,
    )


def _with_copay(amounts: Amounts, copay: int) -> Amounts:
    """The same total with a different copay, compensated by basic insurance if possible."""
    basic = amounts.basic_insurance + amounts.copay - copay
    return amounts._replace(basic_insurance=basic, copay=copay) if basic >= 0 else amounts
