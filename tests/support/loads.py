"""Mixed loads for a ledger, cut into batches at random, and a policy to decide them by."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from random import Random

from infra.population import generate
from infra.sharding import shard_of
from schemas.records import Delivery
from schemas.topics import address
from tests.support.builders import SHARDS
from tests.support.paths import WUXI


def posted(seed: int) -> Iterator[Delivery]:
    """A mixed load of sixty persons as it stands in Kafka: some messages twice, under wrong keys, on odd partitions."""
    rng = Random(seed)
    ends: Counter[tuple[str, int]] = Counter()
    for value in generate(seed, 60, settlements=600, bad_share=0.08):
        topic, key = address(value)
        partition = shard_of(key.decode(), SHARDS) if key else rng.randrange(SHARDS)
        odd = rng.random()
        if odd < 0.01:
            key = rng.choice([None, b"", b"\xff", b"P-somebody-else"])
        elif odd < 0.02:
            partition = rng.randrange(SHARDS)  # as from a client with another partitioner
        for _ in range(2 if odd > 0.98 else 1):
            yield Delivery(topic, partition, ends[topic, partition], key, value)
            ends[topic, partition] += 1


def random_batches(deliveries: Iterable[Delivery], rng: Random) -> Iterator[list[Delivery]]:
    """Batches in which the order within a partition is kept, and nothing else; now and then something comes again."""
    queues: dict[tuple[str, int], list[Delivery]] = defaultdict(list)
    for each in deliveries:
        queues[each[:2]].append(each)
    reached = dict.fromkeys(queues, 0)
    while left := [place for place, queue in queues.items() if reached[place] < len(queue)]:
        batch = []
        for place in rng.sample(left, rng.randint(1, len(left))):
            start = max(0, reached[place] - rng.choice([0, 0, 0, 5]))
            end = reached[place] + rng.randint(1, 25)
            batch += queues[place][start:end]
            reached[place] = min(end, len(queues[place]))
        yield batch


def sample(name: str, start: str, end: str | None) -> str:
    """The sample policy of Wuxi as a release of its own, with a rate that is no round number."""
    source = WUXI.read_text("utf-8")
    until = f"\neffective_to = {end}" if end else ""
    source = source.replace("effective_from = 2010-01-01", f"effective_from = {start}{until}")
    return source.replace('id = "wuxi-sample"', f'id = "{name}"').replace('"0.60"', '"0.601"')
