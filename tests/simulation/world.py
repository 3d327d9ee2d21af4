"""What happens to the people of one seed: a few persons' events, good, bad and repeated, and two policies."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from random import Random

from infra.population import generate, with_advances
from infra.settings import Settings
from infra.sharding import shard_of
from schemas.topics import COVERAGES, PAYOUT_RESULTS, address
from tests.simulation import households, villages
from tests.simulation.simulated_kafka import Place
from tests.support.treaties import treaty_text

POLICY = """
[policy]
id = "simulated-{name}"
title = "模拟方案"
status = "sample"
effective_from = {start}
{end}
year_starts = "{year}"

[[scheme]]
id = "village_mutual_aid"
title = "村级医疗互助"
programme = "village_mutual_aid"
basis = "copay"
measured_on = "billed"
accumulates = "stay"
threshold = "1000.00"
cap_per_stay = "10000.00"
{village_cap}
{funded}

[[scheme.tier]]
name = "member"
categories = ["member"]
brackets = [{{ over = "1000.00", rate = "{low}" }}]

[[scheme]]
id = "self_pay_assistance"
title = "医疗自费救助"
programme = "self_pay_assistance"
basis = "personal_burden"
measured_on = "remaining"
{self_pay}
cap_per_year = "30000.00"

[[scheme.tier]]
name = "specific"
categories = ["dibao", "tekun", "orphan", "severe_disability", "dibao_edge", "serious_illness_hardship"]
brackets = [{{ over = "0.00", rate = "{high}" }}]

[[scheme.tier]]
name = "others"
categories = ["ordinary", "special"]
brackets = [{{ over = "100.00", rate = "{low}" }}, {{ over = "5000.00", rate = "{high}" }}]
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that somebody posts. A value of None is a tombstone, which nobody should send."""

    place: Place
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class World:
    """All that comes from outside, in the order in which it is sent."""

    settings: Settings
    messages: list[Message]
    policies: list[str]
    treaties: list[str]


def world_of(rng: Random, seed: int) -> World:
    """Two to four shards, three to eight persons, some 30 to 80 messages, an old policy and one for the last year.

    Three treaties: for one scheme one after the other, and for another over both years.

    In every third seed some senders' clocks are ahead, and the pools of villages pay for one scheme. In four of five
    some scheme counts by household, from the first policy on or only from the second, and then the registry says who
    shares one.
    """
    shards = rng.randint(2, 4)
    settings = Settings(
        shards=shards,
        batch_events=rng.randint(2, 9),
        relay_batch=rng.choice((3, 10, 40)),
        retry_attempts=4,
    )
    persons, bills = rng.randint(3, 8), rng.randint(8, 20)
    counted = _counted(seed)
    if counted != households.NEVER:
        bills //= 2  # the members of households have bills as well
    bad_share = rng.choice((0.0, 0.1))
    city = generate(
        seed, persons, settlements=bills, bad_share=bad_share, first_year=2024, last_year=2025, occasions=False
    )
    lines = list(with_advances(city, 0.5))
    if seed % 3:  # no pool pays, and what is sent of pools would be a fifth of all
        lines = [line for line in lines if b'"pool.' not in line and b'"contribution.' not in line]
    for _ in range(len(lines) // 8):
        lines.insert(rng.randrange(len(lines) + 1), _again(rng, rng.choice(lines), rng.choice(lines)))
    for _ in range(len(lines) // 6):
        at = rng.randrange(len(lines))
        lines.insert(rng.randint(at, at + 1), _usurped(lines[at], rng.choice(lines)))
    messages = [_message(rng, line, shards) for line in lines]
    if rng.random() < 0.3:
        messages.insert(rng.randrange(len(messages)), Message(messages[0].place, messages[0].key, None))
    if seed % 3 == 0:
        messages = _with_some_ahead(Random(f"{seed}:ahead"), messages)
    year = rng.choice(("01-01", "04-01"))
    end, follows = ("effective_to = 2025-01-01", "") if seed % 2 else ("", 'succeeds = "simulated-old"')
    funded = 'funded_by = "pool"' if seed % 3 == 0 else ""
    old = _policy(counted[0], funded=funded, name="old", start="2010-01-01", end=end, year=year, low="0.35", high="0.8")
    new = _policy(
        counted[1], funded=funded, name="new", start="2025-01-01", end=follows, year=year, low="0.45", high="0.7"
    )
    if counted != households.NEVER:
        messages = _with_households(Random(f"{seed}:households"), messages, shards)
    if funded:
        messages = _with_a_village(Random(f"{seed}:village"), messages, shards)
    treaties = [
        treaty_text("village-24", "insurer-a", "2024-01-01", "2025-01-01"),
        treaty_text("self-pay", "insurer-b", "2024-01-01", "2026-01-01", ("self_pay_assistance",)),
        treaty_text("village-25", "insurer-b", "2025-01-01", "2026-01-01"),
    ]
    return World(settings, messages, [old, new], treaties)


def _counted(seed: int) -> tuple[str, str]:
    return households.COUNTED[seed % len(households.COUNTED)]


def _policy(counted: str, **parts: str) -> str:
    return POLICY.format(village_cap=households.VILLAGE_CAP[counted], self_pay=households.SELF_PAY[counted], **parts)


def _with_households(rng: Random, messages: list[Message], shards: int) -> list[Message]:
    """The messages, with lives of those who share households among them, and an event under another's name."""
    covered = dict.fromkeys(each.key.decode() for each in messages if each.key and each.place[0] == COVERAGES.name)
    sent = [[json.dumps(event).encode() for event in life] for life in households.lives(rng, list(covered), shards)]
    sent.append([_usurped(rng.choice(rng.choice(sent)), rng.choice(rng.choice(sent)))])
    return households.among(rng, messages, [[_message(rng, line, shards) for line in life] for life in sent])


def _with_a_village(rng: Random, messages: list[Message], shards: int) -> list[Message]:
    """The messages, with those of a village among them whose pool may be short of money."""
    sent = [[json.dumps(event).encode() for event in life] for life in villages.lives(rng, shards)]
    return households.among(rng, messages, [[_message(rng, line, shards) for line in life] for life in sent])


def report(rng: Random, instruction: bytes, shards: int) -> Message:
    """What an insurer answers to an instruction."""
    told = json.loads(instruction)
    value = {
        "event_type": "payout.reported",
        "event_id": f"report-{told['payout_id']}",
        "occurred_at": "2026-06-01T12:00:00+08:00",
        "source": "insurer",
        "payout_id": told["payout_id"],
        "person_id": told["person_id"],
        "status": rng.choice(("paid", "failed", "returned")),
        "reported_at": "2026-06-01T11:59:00+08:00",
        "reference": "bank",
    }
    person_id = str(told["person_id"])
    place = (PAYOUT_RESULTS.name, shard_of(person_id, shards))
    return Message(place, person_id.encode(), json.dumps(value).encode())


AHEAD = (
    "2026-06-02T00:00:00Z",
    "2026-06-02T00:00:05Z",
    "2026-06-02T00:01:00Z",
    "2026-06-02T01:00:00Z",
    "2030-01-01T00:00:00Z",
)
"""Instants about a day after a simulation begins: when an event is taken in decides whether it is from the future."""


def _with_some_ahead(rng: Random, messages: list[Message]) -> list[Message]:
    """The messages, and before some of them the same as a sender writes it whose clock is a day or years ahead."""
    sent = []
    for message in messages:
        if message.value is not None and rng.random() < 0.1:
            try:
                ahead = {**json.loads(message.value), "occurred_at": rng.choice(AHEAD)}
            except ValueError:
                pass
            else:
                sent.append(replace(message, value=json.dumps(ahead, ensure_ascii=False).encode()))
        sent.append(message)
    return sent


def _again(rng: Random, line: bytes, other: bytes) -> bytes:
    """The line as it was, or sent anew; or under the event_id of another event, by a sender who numbers badly."""
    try:
        event, stranger = json.loads(line), json.loads(other)
    except ValueError:
        return line
    if rng.random() < 0.5:
        return line
    event["event_id"] = rng.choice((f"again-{rng.randrange(10**9)}", stranger["event_id"]))
    if rng.random() < 0.4 and isinstance(event.get("version"), int):
        event["version"] += 1
    return json.dumps(event, ensure_ascii=False).encode()


def _usurped(line: bytes, other: bytes) -> bytes:
    """The same event under another person, at about the same time: who comes first has the id."""
    try:
        return json.dumps(
            {**json.loads(line), "person_id": json.loads(other)["person_id"]}, ensure_ascii=False
        ).encode()
    except (ValueError, KeyError):
        return line


def _message(rng: Random, line: bytes, shards: int) -> Message:
    topic, key = address(line)
    if key is not None and rng.random() < 0.03:
        key = b"P-somebody-else"
    lost = key is None or rng.random() < 0.04  # a sender with a partitioner of its own
    partition = rng.randrange(shards) if lost or key is None else shard_of(key.decode(), shards)
    return Message((topic, partition), key, line)
