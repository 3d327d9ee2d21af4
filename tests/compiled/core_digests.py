"""What the core makes of random cases, as a line with a SHA-256 for each, for two installations to be compared.

    python -m tests.compiled.core_digests CASES

A case is a random policy set with the events of a few persons, good and bad, and the same events spoilt at random
places. The line covers every byte that would leave, every row of the ledger and every refusal with its hints.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

from handlers.claims.read import read, wrong_fields
from handlers.offline.book import Book
from infra.population import generate
from schemas.canonical import canonical_json
from schemas.decisions import to_json
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy, read_policies
from schemas.records import Delivery
from schemas.topics import EXPENSES
from tests.oracle.cases import random_case
from tests.support.builders import SHARDS, empty_world
from tests.support.paths import WUXI

BATCH = 50
LATE = datetime(2040, 1, 1, tzinfo=UTC)
"""Later than every event of the made-up city."""
SPOILING = b'"\\{}[]:,0189.-+eE tfn\x00\x7f\xff\xe5'


def main(cases: int) -> None:
    for seed in range(cases):
        case = random_case(seed)
        policies = Policies(tuple(parse_policy(text) for text in case.policy_texts))
        _say(f"case {seed}", _all_of(case.lines, policies, datetime(2024, 6, 1, tzinfo=UTC)))
        _say(f"spoilt {seed}", _spoilt(case.lines, Random(seed)))
    city = list(generate(7, cases * 2))
    _say("city", _all_of(city, read_policies([WUXI]), LATE))
    _say("city, spoilt", _spoilt(city, Random(7)))


def _say(what: str, parts: Iterator[str]) -> None:
    digest, count = hashlib.sha256(), 0
    for part in parts:
        digest.update(part.encode("utf-8", "backslashreplace") + b"\n")
        count += 1
    sys.stdout.write(f"{what}: {count} {digest.hexdigest()}\n")


def _all_of(events: list[bytes], policies: Policies, recorded_at: datetime) -> Iterator[str]:
    """Every outcome of a ledger, batch by batch, and every decision of a file of facts."""
    world, book = empty_world(policies), Book()
    for start in range(0, len(events), BATCH):
        processor = world.batch(recorded_at)
        for offset, value in enumerate(events[start : start + BATCH], start=start):
            delivery = Delivery(EXPENSES.name, offset % SHARDS, offset, None, value)
            processor.take(delivery, read(value))
            yield repr(book.take(value))
        yield repr(processor.outcome)
    for decision in book.decide(policies):
        yield canonical_json(to_json(decision)).decode()


def _spoilt(events: list[bytes], rng: Random) -> Iterator[str]:
    """What is read of events of which some bytes were replaced, put in or taken out."""
    for event in events:
        value = bytearray(event[:20_000])
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(value) + 1)
            value[place : place + rng.randint(0, 2)] = bytes(rng.choices(SPOILING, k=rng.randint(0, 2)))
        yield repr(read(bytes(value)))
        yield repr(wrong_fields(bytes(value), LATE))


if __name__ == "__main__":
    main(int(sys.argv[1]))
