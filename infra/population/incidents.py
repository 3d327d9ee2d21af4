"""What village and community offices send of incidents (事故) that products insure: injuries, illness, losses at home.

Drawn from random numbers of their own, so that everything else in the city is what it would be without.
"""

from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import NamedTuple

from infra.population.people import Household, Person
from infra.population.registries import VOID_REASONS, RecordLine, clerks, office
from infra.population.wire import Day, Event, Horizon, Outbox, iso_day, new_year, year_of, yuan

INCIDENT_OFFICE = "incident-office"

# Per person, or household, and year.
_ACCIDENTS = 0.003
_FRACTURES = 0.002  # of those from 60 on
_FIRES = 0.0008
_DISASTERS = 0.0015  # of rural households

_DISABLED = 0.12  # share of accidents after which a disability is found months later
_DIES_BY_ACCIDENT = 0.05
_AFTER_DEATH = 0.02  # share of the dead under whose name an accident is recorded later
_ILLNESS_RECORDED = 0.25  # share of the serious illnesses that begin within the years
_ILLNESS_OF_WOMEN_RECORDED = 0.6
_ENROLS = 0.08  # share of those who come of age within the years: they begin to study

_LATE = 0.10  # share of incidents that are recorded months late
_CORRECTED = 0.08
_VOIDED = 0.04
_HAS_EVIDENCE = 0.4

_ACCIDENT_CODES = ("W01.9", "W10.9", "W19.9", "V23.9", "V13.9", "X11.9", "W54.0")
_SERIOUS_ILLNESSES = ("N18.5", "C34.9", "C18.9", "C91.0")
_ILLNESS_OF_WOMEN = "C50.9"
_DEGREES = tuple(str(degree) for degree in range(1, 11))
_DEGREE_WEIGHTS = (1, 1, 1, 2, 2, 3, 5, 8, 12, 15)
_DAMAGE = ("collapsed", "severe", "moderate")
_DAMAGE_WEIGHTS = (0.1, 0.3, 0.6)
_DAYS_PER_YEAR = 365.25


class _Incident(NamedTuple):
    """What happened on a day, and what is known of it beside the kind."""

    kind: str
    day: Day
    fields: Event


def record_incidents(rng: Random, home: Household, horizon: Horizon, outbox: Outbox) -> None:
    """Send all incidents of a household's members, and what is put right about them later."""
    of_the_home = list(_of_a_home(rng, home, horizon))
    for person in home.members:
        incidents = [*_of_a_person(rng, person, horizon)]
        if person is home.members[0]:
            incidents += [each for each in of_the_home if person.died_on is None or each.day <= person.died_on]
        for number, incident in enumerate(incidents, start=1):
            _record(rng, home, person, f"I-{person.key}-{number}", incident, horizon, outbox)


def _of_a_person(rng: Random, person: Person, horizon: Horizon) -> Iterator[_Incident]:
    """What happens to a person in life; few of the dead have an accident recorded under their name later."""
    died = person.died_on
    for incident in _in_a_life(rng, person, horizon):
        if died is None or incident.day <= died:
            yield incident
    if died is not None:
        fate = rng.random()
        if fate < _DIES_BY_ACCIDENT:
            yield _Incident("accidental_death", died, {"event_code": rng.choice(_ACCIDENT_CODES)})
        elif fate > 1 - _AFTER_DEATH:
            yield _accident(rng, died + rng.randint(1, 60))


def _in_a_life(rng: Random, person: Person, horizon: Horizon) -> Iterator[_Incident]:
    for day in _happens(rng, _ACCIDENTS, horizon):
        yield _accident(rng, day)
        if rng.random() < _DISABLED:
            degree = rng.choices(_DEGREES, _DEGREE_WEIGHTS)[0]
            yield _Incident("disability", day + rng.randint(60, 180), {"degree": degree})
    if person.age >= 60:
        for day in _happens(rng, _FRACTURES, horizon):
            degree, code = rng.choice((("hip", "S72.0"), ("other", "S52.5"), ("other", "S32.0")))
            yield _Incident("fracture", day, {"degree": degree, "event_code": code})
    ill = person.condition
    if ill is not None and person.ill_from > horizon.opens:
        luck = rng.random()
        if ill.code in _SERIOUS_ILLNESSES and luck < _ILLNESS_RECORDED:
            yield _Incident("serious_illness", person.ill_from, {"event_code": ill.code})
        elif ill.code == _ILLNESS_OF_WOMEN and luck < _ILLNESS_OF_WOMEN_RECORDED:
            yield _Incident("women_serious_illness", person.ill_from, {"event_code": ill.code})
    comes_of_age = horizon.first_year + 18 - person.age
    if horizon.first_year <= comes_of_age <= horizon.last_year and rng.random() < _ENROLS:
        yield _Incident("enrolment", new_year(comes_of_age) + rng.randint(243, 253), {})


def _accident(rng: Random, day: Day) -> _Incident:
    """An injury: what it cost, and in half of the cases for how many days somebody had to be nursed."""
    fields: Event = {"verified_loss": yuan(_fen(rng, 1_200)), "event_code": rng.choice(_ACCIDENT_CODES)}
    if rng.random() < 0.5:
        fields["days"] = rng.randint(1, 45)
    return _Incident("accident", day, fields)


def _of_a_home(rng: Random, home: Household, horizon: Horizon) -> Iterator[_Incident]:
    """What happens to a home; it is recorded for the first of its members."""
    for day in _happens(rng, _FIRES, horizon):
        yield _Incident("fire", day, {"verified_loss": yuan(_fen(rng, 6_000))})
    if home.rural:
        for day in _happens(rng, _DISASTERS, horizon):
            summer = new_year(year_of(day)) + rng.randint(160, 270)  # rain and typhoons
            degree = rng.choices(_DAMAGE, _DAMAGE_WEIGHTS)[0]
            fields: Event = {"degree": degree, "verified_loss": yuan(_fen(rng, 8_000))}
            yield _Incident("natural_disaster", summer, fields)


def _happens(rng: Random, yearly: float, horizon: Horizon) -> Iterator[Day]:
    """The days of a Poisson process with `yearly` events per year."""
    moment = float(horizon.opens)
    while (moment := moment + rng.expovariate(yearly) * _DAYS_PER_YEAR) < horizon.closes:
        yield int(moment)


def _fen(rng: Random, median_yuan: float) -> int:
    return round(rng.lognormvariate(0.0, 0.8) * median_yuan * 100)


def _record(
    rng: Random, home: Household, person: Person, name: str, incident: _Incident, horizon: Horizon, outbox: Outbox
) -> None:
    """Send an incident some days or months after it was, and what is found to be wrong with it later."""
    recorded_by, verified_by = clerks(rng, home)
    fields: Event = {"kind": incident.kind, "occurred_on": iso_day(incident.day), **incident.fields}
    if rng.random() < _HAS_EVIDENCE:
        papers = range(rng.randint(1, 2))
        fields["evidence"] = [sha256(f"{name}:{number}".encode()).hexdigest() for number in papers]
    fields |= {"recorded_by": recorded_by, "verified_by": verified_by}
    line = RecordLine(outbox, "incident", name, person.person_id, INCIDENT_OFFICE, fields)
    told = incident.day + (rng.randint(60, 300) if rng.random() < _LATE else rng.randint(1, 30))
    line.record(office(rng, told))
    fate, found = rng.random(), office(rng, told + rng.randint(5, 120))
    if fate < _CORRECTED:
        line.record(found, **_correction(rng, incident))
    elif fate < _CORRECTED + _VOIDED:
        line.void(found, rng.choice(VOID_REASONS))


def _correction(rng: Random, incident: _Incident) -> dict[str, str]:
    """Another loss or degree where there is one, or the day before."""
    if "verified_loss" in incident.fields and rng.random() < 0.7:
        return {"verified_loss": yuan(_fen(rng, 1_500))}
    if incident.kind == "disability":
        return {"degree": rng.choice(_DEGREES)}
    return {"occurred_on": iso_day(incident.day - 1)}
