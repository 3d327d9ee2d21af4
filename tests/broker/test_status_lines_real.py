"""`huzhu status` on a real Kafka: transactions that hang, workers without partitions, servers that do not answer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from infra.clock import utc_now
from schemas.access.kafka_rights import WORKER_GROUP
from schemas.health import Behind, HealthReading, KafkaReading, LedgerReading, Unanswered
from schemas.topics import RELAY_CURSORS, TOPICS
from stream.ask_health import health_reading
from stream.inbound.post import post
from tests.support.builders import SHARDS, encode
from tests.support.posting import insured, open_transaction, person_of
from tests.support.servers import await_true, make_topic
from tests.support.spine import Spine

NOWHERE = "127.0.0.1:1"
MINUTES = timedelta(minutes=10)


@pytest.fixture
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    with Spine(kafka, postgres_url) as spine:
        assert spine.engine
        yield spine


def asked(spine: Spine, **other: str) -> HealthReading:
    """What the two servers say; ``url`` and ``bootstrap`` lead elsewhere.

    On a busy machine a server may not answer within the few seconds that it is given: then it is asked again.
    """
    addresses = {"url": spine.url, "bootstrap": spine.bootstrap, **other}
    readings: list[HealthReading] = []

    def answered() -> bool:
        readings.append(health_reading(**addresses, shards=SHARDS, of_late=MINUTES, now=utc_now, promoted=False))
        told = (readings[-1].ledger, readings[-1].kafka, readings[-1].open, readings[-1].lags)
        return bool(other) or not any(isinstance(each, Unanswered) for each in told)

    assert await_true(answered), readings[-1]
    return readings[-1]


def kafka_of(spine: Spine) -> KafkaReading:
    kafka = asked(spine).kafka
    assert isinstance(kafka, KafkaReading), kafka
    return kafka


def found(what: object) -> list[Behind]:
    assert isinstance(what, list), what
    return what


def test_a_transaction_of_a_dead_producer_hangs_and_then_goes(spine: Spine) -> None:
    """It is named with its partition, how many messages nobody can read, and since when; its successor ends it."""
    for topic in ("hospital.expenses", "claims.decisions"):
        began = datetime.now(UTC)
        dead = open_transaction(spine.bootstrap, topic, 2)
        (hangs,) = found(asked(spine).open)
        assert (topic, 2, 1) == hangs[:3]
        assert hangs.since is not None
        assert abs(hangs.since - began) < MINUTES
        assert [] == found(asked(spine).lags)
        open_transaction(spine.bootstrap, topic, 2).abort_transaction(60)
        del dead
        assert await_true(lambda: [] == found(asked(spine).open))


def test_what_the_ledger_lacks_is_told_with_its_age(spine: Spine) -> None:
    """By partition, from the first event that it lacks; a rest without events, the marker of a commit, is none."""
    began = datetime.now(UTC)
    person = person_of(1, "P-lag")
    post(spine.bootstrap, [encode(each) for each in insured(person)])
    first = found(asked(spine).lags)
    (lag,) = [each for each in first if each.partition == 1]
    assert ("registry.coverages", 2) == (lag.topic, lag.messages)
    assert lag.since is not None
    assert abs(lag.since - began) < MINUTES
    sender = open_transaction(spine.bootstrap, "registry.persons", 3)
    sender.commit_transaction(60)
    place = {"topic": "registry.persons", "partition": 3}

    def lags() -> list[Behind]:
        return [each for each in found(asked(spine).lags) if each[:2] == tuple(place.values())]

    assert await_true(lambda: [2] == [each.messages for each in lags()])
    with spine.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO offsets VALUES (%(topic)s, %(partition)s, 1)", place)
    assert [] == lags()
    with spine.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE offsets SET next_offset = 99 WHERE topic = %(topic)s", place)
    assert (tuple(place.values()),) == asked(spine).lost


@contextmanager
def member(bootstrap: str, *topics: str) -> Iterator[Consumer]:
    """A member of the workers' group that keeps polling."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": WORKER_GROUP, "session.timeout.ms": 6000})
    consumer.subscribe(list(topics))
    stopping = threading.Event()

    def poll() -> None:
        while not stopping.is_set():
            consumer.poll(0.05)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield consumer
    finally:
        stopping.set()
        thread.join()
        consumer.close()


def test_a_member_without_partitions_is_told(spine: Spine) -> None:
    """With how many each has; a group without members is told too."""
    assert [] == kafka_of(spine).members

    def members() -> list[int] | None:
        kafka = kafka_of(spine)
        return sorted(each.partitions for each in kafka.members) if kafka.group_state == "STABLE" else None

    make_topic(spine.bootstrap, "of-one-partition")
    with member(spine.bootstrap, "of-one-partition"):
        assert await_true(lambda: [1] == members(), 60)
        with member(spine.bootstrap, "of-one-partition"):
            assert await_true(lambda: [0, 1] == members(), 60)
    assert await_true(lambda: not kafka_of(spine).members)


def test_a_ledger_that_is_refused_is_told(spine: Spine) -> None:
    """Another ledger's cursor, or another cluster; the ledger gets no new id from a look."""
    assert asked(spine).refused is None
    message = json.dumps({"shard": 1, "seq": 7, "ledger": "another", "hash": "0" * 64})
    producer = Producer({"bootstrap.servers": spine.bootstrap})
    producer.produce(RELAY_CURSORS.name, message, b"1", partition=1)
    assert producer.flush(60) == 0
    assert "shard 1: what Kafka holds was sent by ledger another, and this is a new one" in str(asked(spine).refused)
    assert [] == spine.rows("SELECT value FROM installation WHERE name LIKE 'ledger%'")
    spine.rows("SELECT 1")
    with spine.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE installation SET value = 'x' WHERE name = 'kafka_cluster_id'")
    reading = asked(spine)
    assert "this ledger was made for kafka_cluster_id x" in str(reading.refused)
    assert reading.lags is None


@contextmanager
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("away", [lambda: contextmanager(lambda: iter([NOWHERE]))(), silent], ids=["closed", "silent"])
def test_a_server_that_is_away_keeps_nobody(away: Callable[[], Any], spine: Spine) -> None:
    """The other is told, whether nobody listens at the address or somebody who never answers."""
    with away() as address:
        reading = asked(spine, bootstrap=address)
        assert isinstance(reading.kafka, Unanswered)
        assert isinstance(reading.ledger, LedgerReading)
        reading = asked(spine, url=f"postgresql+psycopg://huzhu@{address}/huzhu")
        assert isinstance(reading.ledger, Unanswered)
        assert isinstance(reading.kafka, KafkaReading)
        assert len(reading.kafka.partitions) == SHARDS * len(TOPICS)
