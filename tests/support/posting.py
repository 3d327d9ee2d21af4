"""Messages as senders post them to Kafka, with a plain client."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

from confluent_kafka import Producer as Transactional
from kafka.partitioner.default import murmur2

from tests.support.builders import SHARDS, Json, bill, coverage, discharge, encode
from tests.support.servers import Producer


def shard_of_key(person_id: str) -> int:
    """The partition that Kafka's default partitioner gives a key."""
    return int((murmur2(person_id.encode()) & 0x7FFFFFFF) % SHARDS)


def person_of(shard: int, name: str) -> str:
    """A person's id, begun with a name, whose key belongs to a shard."""
    return next(each for number in count() if shard_of_key(each := f"{name}-{number}") == shard)


class Post(NamedTuple):
    """One message to be posted; without a partition Kafka's default partitioner chooses."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


TOPIC = {
    "encounter.discharged": "hospital.discharges",
    "settlement.posted": "hospital.expenses",
    "coverage.recorded": "registry.coverages",
    "person.died": "registry.persons",
}


def to_post(event: Json, partition: int | None = None) -> Post:
    """An event as its sender should post it."""
    return Post(TOPIC[event["event_type"]], event["person_id"].encode(), encode(event), partition)


def post(bootstrap: str, posts: Iterable[Post], **options: object) -> list[int]:
    """Posts messages one after the other with a kafka-python producer; their offsets."""
    size = 9 * 1024 * 1024
    with Producer(bootstrap_servers=bootstrap, acks="all", max_request_size=size, **options) as producer:
        sent = [producer.send(p.topic, value=p.value, key=p.key, partition=p.partition) for p in posts]
        return [each.get(timeout=60).offset for each in sent]


def stay(person_id: str, encounter_id: str, copay: int, out_of_catalogue: int = 0) -> list[Json]:
    """A discharge and its final bill, in whole yuan."""
    return [
        discharge(encounter_id, person_id=person_id),
        bill(f"S-{encounter_id}", encounter_id, copay, out_of_catalogue=out_of_catalogue, person_id=person_id),
    ]


def insured(person_id: str) -> list[Json]:
    """The two coverages of the sample policy."""
    return [coverage(f"C-{person_id}-{category}", category, person_id=person_id) for category in ("member", "ordinary")]


def open_transaction(bootstrap: str, topic: str, partition: int) -> Transactional:
    """A producer with a message in a transaction that it has not ended."""
    producer = Transactional({"bootstrap.servers": bootstrap, "transactional.id": f"his-{topic}-{partition}"})
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(topic, b"{}", partition=partition)
    assert producer.flush(60) == 0
    return producer
