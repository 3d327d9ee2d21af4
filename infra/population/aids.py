"""What the aid office sends of temporary aid (临时救助, 急诊救助): who was granted how much, and by whom.

Drawn from random numbers of its own, so that everything else in the city is what it would be without.
"""

from random import Random

from infra.population.people import Household, Person
from infra.population.registries import VOID_REASONS, RecordLine, clerks, office
from infra.population.wire import Day, Event, Horizon, Outbox, iso_day, yuan

AID_OFFICE = "aid-office"

_GRANTED = 0.002  # aids per person and year, where nothing makes need more likely
_ILL = 2.0  # so much more often with a chronic illness,
_POOR = 4.0  # and in one of the categories of the poor
_CATEGORIES_OF_THE_POOR = ("dibao", "dibao_edge", "tekun", "serious_illness_hardship")
_DAYS_PER_YEAR = 365.25
_NOT_KNOWN_DAYS = 20  # until when an office grants aid to somebody of whose death it has not heard

_LEVELS = {"city": 68, "district": 42, "town": 20}  # the most of each, in hundreds of yuan; the sample knows no town
_LEVEL_WEIGHTS = (0.35, 0.62, 0.03)
_MORE_THAN_ITS_LEVEL = 0.15
_EMERGENCY = 0.15
_CORRECTED = 0.08
_VOIDED = 0.05
_REASONS = ("大病支出较大", "突发意外", "家庭主要劳动力患病", "high medical bills", "emergency treatment not paid")


def decide_aids(rng: Random, home: Household, horizon: Horizon, outbox: Outbox) -> None:
    """Send all aids that a household's members are granted, and what is put right about them later."""
    for person in home.members:
        for number, day in enumerate(_days(rng, person, horizon), start=1):
            _decide(rng, home, person, f"A-{person.key}-{number}", day, outbox)


def _days(rng: Random, person: Person, horizon: Horizon) -> list[Day]:
    yearly = (
        _GRANTED * (_ILL if person.condition else 1.0) * (_POOR if person.category in _CATEGORIES_OF_THE_POOR else 1.0)
    )
    until = horizon.closes if person.died_on is None else min(horizon.closes, person.died_on + _NOT_KNOWN_DAYS)
    days: list[Day] = []
    moment = float(horizon.opens)
    while (moment := moment + rng.expovariate(yearly) * _DAYS_PER_YEAR) < until:
        days.append(int(moment))
    return days


def _decide(rng: Random, home: Household, person: Person, name: str, day: Day, outbox: Outbox) -> None:
    level = rng.choices(tuple(_LEVELS), _LEVEL_WEIGHTS)[0]
    decided_by, countersigned_by = clerks(rng, home)
    fields: Event = {
        "level": level,
        "amount": _amount(rng, level),
        "emergency": rng.random() < _EMERGENCY,
        "decided_on": iso_day(day),
        "decided_by": decided_by,
        "countersigned_by": countersigned_by,
        "reason": rng.choice(_REASONS),
    }
    line = RecordLine(outbox, "aid", name, person.person_id, AID_OFFICE, fields, told="decided")
    line.record(office(rng, day + (rng.randint(1, 10) if rng.random() < 0.1 else 0)))
    fate, found = rng.random(), office(rng, day + rng.randint(11, 120))
    if fate < _CORRECTED:
        line.record(found, amount=_amount(rng, level))
    elif fate < _CORRECTED + _VOIDED:
        line.void(found, rng.choice(VOID_REASONS))


def _amount(rng: Random, level: str) -> str:
    """Whole hundreds of yuan, mostly within what the level allows."""
    most = _LEVELS[level]
    hundreds = rng.randint(most + 1, 2 * most) if rng.random() < _MORE_THAN_ITS_LEVEL else rng.randint(8, most)
    return yuan(hundreds * 100_00)
