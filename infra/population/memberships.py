"""What the household registry sends of village households: who belongs to which and when, and corrections.

Drawn from random numbers of its own, so that everything else in the city is what it would be without.
"""

from random import Random

from infra.population.people import Household, Person
from infra.population.registries import VOID_REASONS, RecordLine, office
from infra.population.wire import Day, Event, Horizon, Outbox, iso_day, new_year

HOUSEHOLD_REGISTRY = "household-registry"

_FORMS = 0.06  # share of households of two or more that form within the years
_SPLITS = 0.08  # share of households of three or more that a member leaves for a new one
_MOVES = 0.04  # share of households of which a member moves to the household registered before
_COLLECTIVE = 0.02  # share of adults who are registered in a collective household (集体户)
_LATE = 0.06  # share of memberships that are recorded months late
_NOT_ENDED = 0.15  # share of moves after which the old membership is not ended: the two overlap
_ENDED_BY_DEATH = 0.5


def register_memberships(rng: Random, home: Household, neighbour: str, horizon: Horizon, outbox: Outbox) -> None:
    """Send all memberships of a household's members; ``neighbour`` is the id of another household."""
    size = len(home.members)
    formed = size > 1 and rng.random() < _FORMS
    since = new_year(horizon.first_year - rng.randint(0, 20))
    if formed:
        since = rng.randrange(horizon.opens, horizon.closes)
    fate = rng.random()
    leaves, elsewhere = None, ""
    if size > 2 and fate < _SPLITS:
        leaves, elsewhere = rng.choice(home.members[1:]), f"{home.household_id}-2"
    elif fate > 1 - _MOVES:
        leaves, elsewhere = rng.choice(home.members), neighbour
    for person in home.members:
        first = _first(rng, home, person, horizon, outbox)
        recorded = max(since, horizon.opens) + rng.randint(1, 30) if formed else horizon.opens - rng.randint(1, 45)
        if rng.random() < _LATE:
            recorded += 15 + int(rng.expovariate(1 / 150))
        first.record(office(rng, recorded), valid_from=iso_day(since))
        if person is leaves:
            _leave(rng, home, person, first, elsewhere, since, horizon, outbox)
        else:
            _correct(rng, home, person, first, since, horizon, outbox)


def _first(rng: Random, home: Household, person: Person, horizon: Horizon, outbox: Outbox) -> RecordLine:
    alone = len(home.members) == 1
    fields: Event = {"household_id": home.household_id, "unit": "single" if alone else "household"}
    if not alone and 18 <= person.age <= 35 and rng.random() < _COLLECTIVE:
        fields = {"household_id": f"HH-collective-{home.area.name}", "unit": "collective"}
    elif rng.random() < 0.97:
        fields["role"] = _role(home.members[0], person)
    return _line(person, 1, fields, outbox)


def _line(person: Person, number: int, fields: Event, outbox: Outbox) -> RecordLine:
    return RecordLine(
        outbox, "membership", f"M-{person.key}-{number}", person.person_id, HOUSEHOLD_REGISTRY, {**fields}
    )


def _role(head: Person, person: Person) -> str:
    if person is head:
        return "head"
    if abs(person.age - head.age) <= 15:
        return "spouse"
    return "child" if person.age < head.age else "parent"


def _leave(
    rng: Random,
    home: Household,
    person: Person,
    first: RecordLine,
    elsewhere: str,
    since: Day,
    horizon: Horizon,
    outbox: Outbox,
) -> None:
    """A member leaves for another household, or founds one: sometimes reported late, or only in the new one."""
    turn = rng.randrange(max(since, horizon.opens) + 1, horizon.closes + 1)
    if person.died_on is not None and turn > person.died_on:
        return
    told = turn + rng.randrange(20) + (int(rng.expovariate(1 / 120)) if rng.random() < 0.25 else 0)
    if rng.random() >= _NOT_ENDED:
        first.record(office(rng, told), valid_to=iso_day(turn))
    unit = "single" if elsewhere.endswith("-2") and rng.random() < 0.5 else "household"
    fields: Event = {"household_id": elsewhere, "unit": unit, "valid_from": iso_day(turn)}
    second = _line(person, 2, fields, outbox)
    second.record(office(rng, told))
    if rng.random() < 0.1:  # and comes back
        back = turn + rng.randint(30, 400)
        second.record(office(rng, back + rng.randrange(20)), valid_to=iso_day(back))
        again: Event = {"household_id": home.household_id, "unit": "household", "valid_from": iso_day(back)}
        _line(person, 3, again, outbox).record(office(rng, back + rng.randrange(20)))


def _correct(
    rng: Random, home: Household, person: Person, first: RecordLine, since: Day, horizon: Horizon, outbox: Outbox
) -> None:
    """What a registry puts right later: a first day, a kind of unit, a wrong person; and what a death ends."""
    fate = rng.random()
    found = office(rng, rng.randrange(max(since, horizon.opens) + 1, horizon.closes + 1))
    if fate < 0.03:
        first.record(found, valid_from=iso_day(since + rng.choice((-365, -31, -1, 1, 30))))
    elif fate < 0.04:
        first.record(found, unit="single")
    elif fate < 0.055:
        first.void(found, rng.choice(VOID_REASONS))
        if rng.random() < 0.5:
            fields: Event = {"household_id": home.household_id, "unit": "household", "valid_from": iso_day(since)}
            _line(person, 2, fields, outbox).record(found + rng.randint(1, 40) * 86_400)
    elif person.died_on is not None and person.died_on > since and rng.random() < _ENDED_BY_DEATH:
        first.record(office(rng, person.died_on + rng.randint(3, 60)), valid_to=iso_day(person.died_on + 1))
