"""Posting events as a hospital's system would: to the topic of their type, keyed by person, acknowledged by all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from infra import kafka_security
from schemas.topics import EXPENSES, MESSAGE_BYTES_MAX, TOPIC_OF_EVENT

FLUSH_SECONDS_MAX = 60.0


@dataclass(slots=True)
class Posted:
    """How many events Kafka acknowledged, by topic."""

    by_topic: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.by_topic.values())


def address(value: bytes) -> tuple[str, bytes | None]:
    """The topic and key of an event. One that names neither goes to the expenses without a key, to be refused."""
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return EXPENSES.name, None
    event_type, person_id = document.get("event_type"), document.get("person_id")
    topic = TOPIC_OF_EVENT.get(event_type, EXPENSES) if isinstance(event_type, str) else EXPENSES
    try:
        key = person_id.encode("utf-8") if isinstance(person_id, str) else None
    except UnicodeEncodeError:
        key = None
    return topic.name, key


def post(bootstrap: str, events: Iterable[bytes], progressed: Callable[[int], None] = lambda _: None) -> Posted:
    """Posts events and returns when all are acknowledged. Raises KafkaException if one is not."""
    posted = Posted()
    failures: list[KafkaError] = []

    def acknowledged(error: KafkaError | None, message: Any) -> None:
        if error is not None:
            failures.append(error)
            return
        posted.by_topic[message.topic()] = posted.by_topic.get(message.topic(), 0) + 1

    producer = Producer(
        {
            **kafka_security.confluent(bootstrap),
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",  # as Java and kafka-python do it: the shard of a person
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "linger.ms": 5,
            "log_level": 3,
        }
    )
    for number, value in enumerate(events, start=1):
        topic, key = address(value)
        while True:
            try:
                producer.produce(topic, value=value, key=key, on_delivery=acknowledged)
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
