"""What the load posts: a population's events, good and bad, and what no well-behaved sender would send."""

from __future__ import annotations

import json
from random import Random
from typing import NamedTuple

from infra.population import generate, with_advances
from tests.faults import households, pools

TOPIC_OF = {
    "encounter.discharged": "hospital.discharges",
    "settlement.posted": "hospital.expenses",
    "settlement.voided": "hospital.expenses",
    "coverage.recorded": "registry.coverages",
    "coverage.voided": "registry.coverages",
    "membership.recorded": "registry.households",
    "membership.voided": "registry.households",
    "person.died": "registry.persons",
    "payout.reported": "payouts.results",
    "pool.recorded": "funds.movements",
    "contribution.received": "funds.movements",
    "contribution.voided": "funds.movements",
}
ODD_SHARE = 0.01
ADVANCED_SHARE = 0.3
ANY = -1


class Posting(NamedTuple):
    """One message to post; ``partition`` is ANY for the one of the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int = ANY


def postings(seed: int, persons: int, settlements: int, shards: int) -> list[Posting]:
    """The events of a population whose pools are short, and about one in a hundred that is odd in a way of its own."""
    rng = Random(f"{seed}:odd")
    planned: list[Posting] = []
    city = generate(seed, persons, settlements=settlements, too_large=1, occasions=False)
    for line in with_advances(city, ADVANCED_SHARE):
        if pools.is_sent(seed, line):
            planned.append(address(line))
        if planned and rng.random() < ODD_SHARE:
            planned.append(odd(rng, planned[rng.randrange(len(planned))], shards))
    return with_households(Random(f"{seed}:households"), planned)


def with_households(rng: Random, planned: list[Posting]) -> list[Posting]:
    """The postings, with the memberships of persons among them who share households, each person's in order."""
    billed = dict.fromkeys(each.key.decode() for each in planned if each.key and each.topic == "hospital.expenses")
    placed = [(float(at), each) for at, each in enumerate(planned)]
    for life in households.lives(rng, billed):
        moments = sorted(rng.random() * len(planned) for _ in life)
        for moment, event in zip(moments, life, strict=True):
            stamped = {**event, "event_id": f"ev-household-{event['membership_id']}-{event['version']}"}
            placed.append((moment, address(json.dumps(stamped).encode())))
    return [each for _, each in sorted(placed, key=lambda each: each[0])]


def address(line: bytes) -> Posting:
    """Where a hospital's system would post it. What cannot be read goes to the expenses, without a key."""
    try:
        event = json.loads(line)
        topic = TOPIC_OF.get(event["event_type"], "hospital.expenses")
        owner = event["pool_id" if topic == "funds.movements" else "person_id"]
        return Posting(topic, str(owner).encode(), line)
    except (ValueError, KeyError, TypeError):
        return Posting("hospital.expenses", None, line)


def odd(rng: Random, posting: Posting, shards: int) -> Posting:
    """A message in a wrong place: another's key, no key, no value, another partition, another topic."""
    match rng.randrange(5):
        case 0:
            return posting._replace(key=b"P-somebody-else")
        case 1:
            return posting._replace(key=None)
        case 2:
            return posting._replace(value=None)
        case 3:
            return posting._replace(topic=rng.choice(sorted(set(TOPIC_OF.values()) - {posting.topic})))
        case _:
            return posting._replace(partition=rng.randrange(shards))


def reported(rng: Random, payout_id: str, person_id: str) -> Posting:
    """What an insurer says of an instruction."""
    event = {
        "event_type": "payout.reported",
        "event_id": f"ev-report-{rng.randrange(10**12)}",
        "occurred_at": "2025-01-05T09:00:00+08:00",
        "source": "insurer",
        "payout_id": payout_id,
        "person_id": person_id,
        "status": rng.choice(("paid", "paid", "failed", "returned")),
        "reported_at": "2025-01-05T08:00:00+08:00",
        "reference": f"R-{rng.randrange(10**9)}",
    }
    return Posting("payouts.results", person_id.encode(), json.dumps(event).encode())
