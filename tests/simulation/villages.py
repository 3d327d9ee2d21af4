"""A village whose pool is short in one seed: its members' stays, what it receives, and what is corrected and voided."""

from __future__ import annotations

from random import Random
from typing import Any

from infra.sharding import shard_of
from tests.support.builders import bill, contribution, contribution_void, coverage, discharge, pool, void

Event = dict[str, Any]

STAYS = ("2024-06-01", "2024-11-20", "2025-02-02", "2025-05-05", "2025-07-01", "2025-10-10")
RULES = ("queue", "queue", "queue", "owe", "pro_rata")


def lives(rng: Random, shards: int) -> list[list[Event]]:
    """What is sent of a village, in order: its members' lives, and what its office tells of its pool."""
    members = [f"P-village-{number}" for number in range(1, rng.randint(3, 4) + 1)]
    while len({shard_of(person_id, shards) for person_id in members}) == 1:
        members[-1] += "x"
    sent = [_member(rng, person_id) for person_id in members]
    rule = rng.choice(RULES)
    sent.append([pool("V-1", rule), *([pool("V-1", "queue", 2)] if rng.random() < 0.2 else [])])
    sent += [_given(rng, f"G-{number}") for number in range(rng.randint(2, 5))]
    return [[_stamped(event, f"{life}-{at}") for at, event in enumerate(events)] for life, events in enumerate(sent)]


def _member(rng: Random, person_id: str) -> list[Event]:
    """A coverage that may move to a pool that nobody records, and one to three stays, some corrected or voided."""
    events = [coverage(f"C1-{person_id}", person_id=person_id, pool_id="V-1")]
    for number, day in enumerate(rng.sample(STAYS, rng.randint(1, 3)), start=1):
        stay, settlement = f"E{number}-{person_id}", f"S{number}-{person_id}"
        events.append(discharge(stay, day, admitted_on=day, person_id=person_id))
        events.append(bill(settlement, stay, rng.randint(15, 60) * 100, person_id=person_id))
        match rng.randrange(4):
            case 0:
                events.append(bill(settlement, stay, rng.randint(15, 60) * 100, version=2, person_id=person_id))
            case 1:
                events.append(void(settlement, stay, person_id=person_id))
    if rng.random() < 0.2:
        events.append(coverage(f"C1-{person_id}", person_id=person_id, pool_id="V-2", version=2))
    return events


def _given(rng: Random, contribution_id: str) -> list[Event]:
    """A contribution for a stay or two, at times only for one scheme, and seldom voided."""
    only: Event = {"restricted_to": ["village_mutual_aid"]} if rng.random() < 0.3 else {}
    events = [contribution(contribution_id, "V-1", rng.randint(2, 20) * 100, **only)]
    if rng.random() < 0.2:
        events.append(contribution_void(contribution_id, "V-1"))
    return events


def _stamped(event: Event, place: str) -> Event:
    return {**event, "event_id": f"in-the-village-{place}", "occurred_at": "2026-05-01T09:00:00+08:00"}
