"""Posting events as a hospital's system would: to the topic of their type, keyed by person, with acks=all.

Closed days have no key: each is posted to a partition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer

from infra.kafka import client_security
from infra.kafka.names import KafkaNames
from schemas.topics import MESSAGE_BYTES_MAX, address

FLUSH_SECONDS_MAX = 60.0
BY_KEY = -1
"""librdkafka's number for a partition that the key decides."""


@dataclass(slots=True)
class Posted:
    """How many events Kafka acknowledged, by topic."""

    by_topic: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.by_topic.values())


class ToPost(NamedTuple):
    """A message to be posted. Without a ``partition`` its key says which one it goes to."""

    topic: str
    key: bytes | None
    value: bytes
    partition: int = BY_KEY


def post(bootstrap: str, events: Iterable[bytes], progressed: Callable[[int], None] = lambda _: None) -> Posted:
    """Posts events and returns when all are acknowledged. Raises KafkaException if one is not."""
    return post_messages(bootstrap, (ToPost(*address(value), value) for value in events), progressed)


def post_messages(
    bootstrap: str, messages: Iterable[ToPost], progressed: Callable[[int], None] = lambda _: None
) -> Posted:
    """Posts messages, those of a partition in their order. Returns and raises as `post` does."""
    posted = Posted()
    failures: list[KafkaError] = []
    names = KafkaNames.in_force()

    def acknowledged(error: KafkaError | None, message: Any) -> None:
        if error is not None:
            failures.append(error)
            return
        topic = names.ours(message.topic())
        posted.by_topic[topic] = posted.by_topic.get(topic, 0) + 1

    producer = Producer(
        {
            **client_security.confluent(bootstrap),
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",  # as Java and kafka-python do it: the shard of a person
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "linger.ms": 5,
            "log_level": 3,
        }
    )
    for number, each in enumerate(messages, start=1):
        while True:
            try:
                producer.produce(
                    names.in_kafka(each.topic),
                    value=each.value,
                    key=each.key,
                    partition=each.partition,
                    on_delivery=acknowledged,
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
        if failures:
            break
        progressed(number)
    left = producer.flush(FLUSH_SECONDS_MAX)
    if failures or left:
        raise KafkaException(failures[0] if failures else KafkaError(KafkaError._TIMED_OUT, f"{left} not acknowledged"))
    return posted
