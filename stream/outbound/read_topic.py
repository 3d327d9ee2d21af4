"""Reading an outbound topic as an insurer does: kafka-python, read_committed, from beginning to end."""

from __future__ import annotations

from collections.abc import Iterator

from kafka import KafkaConsumer, TopicPartition

from infra.kafka import client_security
from infra.kafka.names import KafkaNames
from schemas.topics import MESSAGE_BYTES_MAX, Topic

SILENCE_MS_MAX = 30_000


def read_topic(bootstrap: str, topic: Topic) -> Iterator[bytes]:
    """The values of all messages that are committed to a topic now, partition by partition, in order.

    Raises TimeoutError if the broker stops answering before the end, and LookupError if the topic does not exist or
    this user cannot read it: an empty read is never mistaken for an empty topic.
    """
    name = KafkaNames.in_force().in_kafka(topic.name)
    consumer = KafkaConsumer(
        **client_security.kafka_python(bootstrap),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=MESSAGE_BYTES_MAX,
    )
    try:
        partitions = consumer.partitions_for_topic(name)
        if not partitions:
            raise LookupError(f"{name}: there is no such topic, or this user may not read it")
        places = [TopicPartition(name, partition) for partition in sorted(partitions)]
        ends = consumer.end_offsets(places)
        for place in places:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            while consumer.position(place) < ends[place]:
                records = consumer.poll(timeout_ms=SILENCE_MS_MAX).get(place, [])
                if not records and consumer.position(place) < ends[place]:
                    raise TimeoutError(f"{name}: nothing read for {SILENCE_MS_MAX / 1000:.0f} s")
                for record in records:
                    yield record.value
    finally:
        consumer.close()
