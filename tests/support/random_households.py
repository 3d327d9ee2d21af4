"""Made-up persons whose households form, split, move and are corrected late, and policies that count by household."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tests.support.builders import (
    Json,
    bill,
    coverage,
    death,
    discharge,
    encode,
    membership,
    membership_void,
    policy_text,
    void,
)

PERSONS = tuple(f"P{number}" for number in range(10))

BY_HOUSEHOLD = """
[[scheme]]
id = "self_pay_assistance"
programme = "self_pay_assistance"
basis = "personal_burden"
measured_on = "billed"
accumulates = "household_year"
cap_per_year = "2500.00"
cap_per_household_year = "3000.00"
[[scheme.tier]]
name = "ordinary"
categories = ["member"]
brackets = [{ over = "1000.00", rate = "0.333" }, { over = "6000.00", rate = "0.85" }]
"""
CAPPED = """
[[scheme]]
id = "village_mutual_aid"
programme = "village_mutual_aid"
basis = "copay"
measured_on = "remaining"
accumulates = "person_year"
cap_per_household_year = "1500.00"
[[scheme.tier]]
name = "member"
categories = ["member"]
brackets = [{ over = "500.00", rate = "0.30" }]
"""
BY_PERSON = BY_HOUSEHOLD.replace("household_year", "person_year").replace("cap_per_person_year", "cap_per_stay")
BEFORE_TEXT = policy_text("persons", "2023-01-01", None, BY_PERSON)

POLICIES = (
    policy_text("first", "2023-01-01", "2024-04-01", BY_HOUSEHOLD, CAPPED),
    policy_text("second", "2024-04-01", "2024-09-01", BY_PERSON, CAPPED),
    policy_text("third", "2024-09-01", None, BY_HOUSEHOLD.replace("0.85", "0.5")),
)
"""The second counts one of the schemes by person, so its sums and caps are passed on from one to the other."""


def town(random: Random) -> list[Json]:
    """All events, in any order: some doubled, stale, in conflict, or of somebody else's ids."""
    events: list[Json] = []
    for person in PERSONS:
        of = {"person_id": person}
        for programme in ("self_pay_assistance", "village_mutual_aid"):
            events.append(coverage(f"C-{person}-{programme}", programme=programme, **of))
        if random.random() < 0.1:
            events.append(death(_day(random), **of))
        for number in range(random.choice((0, 1, 3, 4))):
            events += _stay(random, f"E-{person}-{number}", of)
        for number in range(random.choice((0, 1, 1, 2, 2, 3))):
            events += _membership(random, f"M-{person}-{number}", of)
    for event in random.sample(events, 8):
        events.append({**event, **random.choice(_TWISTS)(random, event)})
    random.shuffle(events)
    return events


def lines_of(events: Iterable[Json]) -> list[bytes]:
    """The events as lines of a file."""
    return [encode(event) for event in events]


_TWISTS = (
    lambda random, event: {"event_id": "again"},
    lambda random, event: {"person_id": random.choice(PERSONS)},
    lambda random, event: {"version": 1, "reason": "other", "role": "other", "area": "other"},
    lambda random, event: {"version": "1"},
)


def _day(random: Random) -> str:
    return f"{random.choice((2023, 2024, 2024, 2024))}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


def _stay(random: Random, name: str, of: Json) -> list[Json]:
    day = _day(random)
    copay, rest = random.choice((0, 800, 3000, 5000)), random.choice((0, 500, 1500))
    events = [
        discharge(name, day, admitted_on=day, **of),
        bill(f"S-{name}", name, copay, out_of_catalogue=rest, settled_at=f"{day}T15:00:00+08:00", **of),
    ]
    if random.random() < 0.1:
        events.append(void(f"S-{name}", name, **of))
    if random.random() < 0.2:
        later = _day(random)
        events.append(discharge(name, later, admitted_on=later, version=2, **of))
    return events


def _membership(random: Random, name: str, of: Json) -> list[Json]:
    def recorded(version: int) -> Json:
        start, end = sorted((random.choice((_day(random), "2020-01-01", "2022-01-01")), _day(random)))
        unit = random.choice(("household", "household", "household", "household", "single", "collective"))
        until = {"valid_to": end} if start < end and random.random() < 0.3 else {}
        household = f"HH{random.randint(1, 3)}"
        return membership(name, household, version=version, unit=unit, valid_from=start, **until, **of)

    events = [recorded(version) for version in range(1, random.choice((2, 2, 3)))]
    if random.random() < 0.15:
        events.append(membership_void(name, 3, **of))
    return events
