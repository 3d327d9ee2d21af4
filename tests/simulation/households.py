"""Who shares a household in one seed: memberships that come, move, are corrected and voided; what counts by them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from infra.sharding import shard_of
from tests.support.builders import bill, coverage, discharge, void
from tests.support.moves import memberships

Event = dict[str, Any]
Sent = TypeVar("Sent")

NEVER, FROM_THE_FIRST, FROM_THE_SECOND = ("never", "never"), ("caps", "sums"), ("never", "sums")
COUNTED = (NEVER, FROM_THE_FIRST, FROM_THE_FIRST, FROM_THE_SECOND, FROM_THE_SECOND)
"""By what the two policies of a seed count: alone, with caps of households, or with sums of households as well."""

VILLAGE_CAP = {"never": "", "caps": 'cap_per_household_year = "900.00"', "sums": 'cap_per_household_year = "900.00"'}
SELF_PAY = {
    "never": 'accumulates = "person_year"',
    "caps": 'accumulates = "person_year"\ncap_per_household_year = "2000.00"',
    "sums": 'accumulates = "household_year"\ncap_per_household_year = "2000.00"',
}
"""Low enough that a household of two reaches them."""

STAYS = ("2024-06-01", "2024-11-20", "2025-02-02", "2025-05-05", "2025-07-01", "2025-10-10")


def lives(rng: Random, neighbours: Sequence[str], shards: int) -> list[list[Event]]:
    """What is sent of those who share households, in order: the members' whole lives, and neighbours' memberships.

    One or two households, and three or four persons who live in them or move between them, on at least two shards.
    """
    homes = ["HH-1", "HH-2"] if rng.random() < 0.4 else ["HH-1"]
    members = [f"P-home-{number}" for number in range(1, rng.randint(3, 4) + 1)]
    while len({shard_of(person_id, shards) for person_id in members}) == 1:
        members[-1] += "x"
    sent = [events for person_id in members for events in (_claims(rng, person_id), memberships(rng, person_id, homes))]
    sent += [memberships(rng, person_id, homes) for person_id in neighbours if rng.random() < 0.3]
    return [[_stamped(event, f"{life}-{at}") for at, event in enumerate(events)] for life, events in enumerate(sent)]


def among(rng: Random, others: Sequence[Sent], lives: Sequence[Sequence[Sent]]) -> list[Sent]:
    """What is sent, with those lives among it; at times all of them begin at one moment."""
    placed = [(float(at), each) for at, each in enumerate(others)]
    at_once, moment = rng.random() < 0.5, rng.random() * len(others)
    for life in lives:
        moments = sorted(rng.random() * len(others) for _ in life)
        if at_once and moments:
            moments[0] = moment
        if len(moments) > 1 and rng.random() < 0.15:
            moments[0], moments[-1] = moments[-1], moments[0]  # an older version comes too late
        placed += zip(moments, life, strict=True)
        placed += [(rng.random() * len(others), each) for each in life if rng.random() < 0.15]
    return [each for _, each in sorted(placed, key=lambda each: each[0])]


def _claims(rng: Random, person_id: str) -> list[Event]:
    """Two coverages, and one to three stays with bills; some bill is corrected or voided."""
    events = [
        coverage(f"C1-{person_id}", person_id=person_id),
        coverage(f"C2-{person_id}", "ordinary", person_id=person_id),
    ]
    for number, day in enumerate(rng.sample(STAYS, rng.randint(1, 3)), start=1):
        stay, settlement = f"E{number}-{person_id}", f"S{number}-{person_id}"
        events.append(discharge(stay, day, admitted_on=day, person_id=person_id))
        events.append(_bill(rng, settlement, stay, out_of_catalogue=rng.randint(0, 9), person_id=person_id))
        match rng.randrange(4):
            case 0:
                events.append(_bill(rng, settlement, stay, version=2, person_id=person_id))
            case 1:
                events.append(void(settlement, stay, person_id=person_id))
    return events


def _bill(rng: Random, settlement: str, stay: str, **fields: Any) -> Event:
    """A final bill, where there is one of an amount that floats get wrong; of some senders, whose JSON has escapes."""
    hundreds = rng.randint(5, 80)
    wrong = (fen for fen in range(1, 100) if int(float(f"{hundreds}00.{fen:02}") * 100) != hundreds * 10_000 + fen)
    fen = next(wrong, 5)
    posted = bill(settlement, stay, hundreds * 100, **fields)
    posted |= {name: posted[name].replace(".00", f".{fen:02}") for name in ("copay", "total_charge")}
    return posted if hundreds % 2 else {**posted, "source": "镇卫生院"}


def _stamped(event: Event, place: str) -> Event:
    return {**event, "event_id": f"at-home-{place}", "occurred_at": "2026-05-01T09:00:00+08:00"}
