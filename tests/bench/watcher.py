"""The reader at the other end: what a read_committed consumer sees, and when."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.topics import MESSAGE_BYTES_MAX
from tests.bench.messages import Benefits
from tests.bench.stage import SHARDS


@dataclass(frozen=True, slots=True)
class Verdict:
    """Instructions against the oracle: claims and schemes whose net sum is wrong, and messages that came twice."""

    wrong: int
    doubled: int
    instructions: int

    @property
    def right(self) -> bool:
        return self.wrong == 0 and self.doubled == 0

    def __str__(self) -> str:
        return "right to the fen" if self.right else f"{self.wrong} net sums wrong, {self.doubled} messages twice"


@dataclass(slots=True)
class Sums:
    """Nets the instructions of a topic, one after the other."""

    net: Counter[tuple[str, str]] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, values: list[bytes]) -> None:
        for value in values:
            document = json.loads(value)
            fen = round(float(document["amount"]) * 100)
            sign = 1 if document["kind"] == "payment" else -1
            self.net[document["claim_id"], document["scheme_id"]] += sign * fen
            self.seen[document["payout_id"]] += 1

    def verdict(self, expected: Benefits) -> Verdict:
        pairs = self.net.keys() | expected.keys()
        wrong = sum(self.net.get(pair, 0) != expected.get(pair, 0) for pair in pairs)
        return Verdict(wrong, sum(self.seen.values()) - len(self.seen), sum(self.seen.values()))


class Watcher:
    """Reads one topic from its beginning and notes when each message became visible."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "bench-watcher",  # required by the client; nothing is ever committed under it
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 10,
                "fetch.message.max.bytes": MESSAGE_BYTES_MAX,
                "log_level": 2,
            }
        )
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(SHARDS)])
        self.values: list[bytes] = []
        self.times: list[float] = []

    def __enter__(self) -> Watcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def look(self, wait: float) -> int:
        """Takes in what is visible now, waiting so many seconds for something; how many messages."""
        first = self._consumer.poll(wait)
        if first is None:
            return 0
        messages = [first, *self._consumer.consume(10_000, 0.0)]
        now = time.monotonic()
        for message in messages:
            failed = message.error()
            if failed is not None:
                raise KafkaException(failed)
            self.values.append(message.value() or b"")
            self.times.append(now)
        return len(messages)
