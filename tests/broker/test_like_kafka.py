"""The simulated reader and producer do what the real ones do: one suite for both, or the simulation proves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import count
from random import Random
from typing import Any, Protocol

import pytest
from confluent_kafka import KafkaException

from acts.reader import Reader
from schemas.records import Range
from schemas.topics import RELAY_CURSORS
from stream.inbound.partition_reader import RangeReader
from stream.outbound.cursors import read_cursor
from stream.outbound.relay import TransactionalProducer, transactional_producer
from stream.retry import is_fenced
from tests.simulation.faults import Faults
from tests.simulation.simulated_kafka import SimulatedKafka, SimulatedProducer, SimulatedReader
from tests.support.servers import await_true, make_topic

WAIT_SECONDS = 30.0
_numbers = count(1)


class Cluster(Protocol):
    """What the tests need of either Kafka."""

    def topic(self) -> str:
        """The name of an empty topic of one partition."""
        ...

    def reader(self) -> AbstractContextManager[Reader]: ...

    def producer(self, transactional_id: str) -> TransactionalProducer: ...

    def flush(self, producer: TransactionalProducer) -> None:
        """Returns when what was produced has reached the log."""
        ...


class RealCluster:
    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def topic(self) -> str:
        name = f"like-kafka-{next(_numbers)}"
        make_topic(self._bootstrap, name)
        return name

    def reader(self) -> RangeReader:
        return RangeReader(self._bootstrap)

    def producer(self, transactional_id: str) -> TransactionalProducer:
        return transactional_producer(self._bootstrap, transactional_id)

    def flush(self, producer: TransactionalProducer) -> None:
        real: Any = producer
        assert real.flush(WAIT_SECONDS) == 0


class SimulatedCluster:
    def __init__(self) -> None:
        self._kafka, self._faults = SimulatedKafka(), Faults(Random(0))
        self._faults.on = False

    def topic(self) -> str:
        return f"like-kafka-{next(_numbers)}"

    def reader(self) -> SimulatedReader:
        return SimulatedReader(self._kafka, self._faults)

    def producer(self, transactional_id: str) -> TransactionalProducer:
        return SimulatedProducer(self._kafka, self._faults, transactional_id, lambda: None)

    def flush(self, producer: TransactionalProducer) -> None:
        """What is produced is in the log at once."""


@pytest.fixture(params=["real", "simulated"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    if request.param == "simulated":
        return SimulatedCluster()
    return RealCluster(request.getfixturevalue("kafka"))


@pytest.fixture
def reader(cluster: Cluster) -> Iterator[Reader]:
    with cluster.reader() as opened:
        yield opened


def started(cluster: Cluster, transactional_id: str) -> TransactionalProducer:
    """A producer that has fenced the one before it."""
    producer = cluster.producer(transactional_id)
    producer.init_transactions(WAIT_SECONDS)
    return producer


def begin(cluster: Cluster, producer: TransactionalProducer, topic: str, *values: str, partition: int = 0) -> None:
    """Sends values, each under itself as key, in a transaction that stays open."""
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value=value.encode(), key=value.encode(), partition=partition)
    cluster.flush(producer)


def commit(cluster: Cluster, producer: TransactionalProducer, topic: str, *values: str, partition: int = 0) -> None:
    begin(cluster, producer, topic, *values, partition=partition)
    producer.commit_transaction(WAIT_SECONDS)


def await_end(reader: Reader, topic: str, end: int, partition: int = 0) -> None:
    """Waits until a partition is decided up to an offset: a commit returns before its marker is written."""
    place = (topic, partition)
    assert await_true(lambda: reader.ends([place])[place] == (0, end)), reader.ends([place])


def seen(found: Range) -> list[tuple[int, bytes | None, bytes | None]]:
    return [(each.offset, each.key, each.value) for each in found.deliveries]


def test_what_is_committed_is_read_in_order(cluster: Cluster, reader: Reader) -> None:
    """With keys, values and offsets; the range ends where everything is decided, behind the marker of the commit."""
    topic = cluster.topic()
    commit(cluster, started(cluster, topic), topic, "a", "b", "c")
    await_end(reader, topic, 4)
    found = reader.read(topic, 0, 0, 100, limit=100)
    assert seen(found) == [(0, b"a", b"a"), (1, b"b", b"b"), (2, b"c", b"c")]
    assert (found.topic, found.partition, found.start, found.end) == (topic, 0, 0, 4)
    assert {(each.topic, each.partition) for each in found.deliveries} == {(topic, 0)}


def test_a_range_stops_before_its_end(cluster: Cluster, reader: Reader) -> None:
    """The end is not part of it, and is its end also where it lies on a message."""
    topic = cluster.topic()
    commit(cluster, started(cluster, topic), topic, "a", "b", "c")
    await_end(reader, topic, 4)
    found = reader.read(topic, 0, 1, 2, limit=100)
    assert (seen(found), found.end) == ([(1, b"b", b"b")], 2)


def test_a_full_range_ends_behind_its_last_message(cluster: Cluster, reader: Reader) -> None:
    """The next read goes on there, and finds the rest, markers passed over."""
    topic = cluster.topic()
    producer = started(cluster, topic)
    commit(cluster, producer, topic, "a", "b", "c")
    commit(cluster, producer, topic, "d")
    await_end(reader, topic, 6)
    first = reader.read(topic, 0, 0, 6, limit=2)
    assert ([value for _, _, value in seen(first)], first.end) == ([b"a", b"b"], 2)
    second = reader.read(topic, 0, first.end, 6, limit=2)
    assert ([value for _, _, value in seen(second)], second.end) == ([b"c", b"d"], 5)
    last = reader.read(topic, 0, second.end, 6, limit=2)
    assert (seen(last), last.end) == ([], 6)


def test_offsets_without_messages_are_a_complete_empty_range(cluster: Cluster, reader: Reader) -> None:
    """The marker of a commit has an offset, and nothing to deliver."""
    topic = cluster.topic()
    commit(cluster, started(cluster, topic), topic, "a")
    await_end(reader, topic, 2)
    found = reader.read(topic, 0, 1, 2, limit=10)
    assert (seen(found), found.end) == ([], 2)


def test_an_open_transaction_is_not_there_yet(cluster: Cluster, reader: Reader) -> None:
    """Nor is what others committed behind it, until it is decided."""
    topic = cluster.topic()
    slow, quick = started(cluster, f"{topic}-slow"), started(cluster, f"{topic}-quick")
    commit(cluster, quick, topic, "before")
    await_end(reader, topic, 2)
    begin(cluster, slow, topic, "open")
    commit(cluster, quick, topic, "behind")
    assert reader.ends([(topic, 0)]) == {(topic, 0): (0, 2)}
    found = reader.read(topic, 0, 0, 100, limit=100)
    assert ([value for _, _, value in seen(found)], found.end) == ([b"before"], 2)
    assert [(topic, 0)] == reader.unsettled([(topic, 0)])
    slow.commit_transaction(WAIT_SECONDS)
    await_end(reader, topic, 6)
    assert [] == reader.unsettled([(topic, 0)])
    found = reader.read(topic, 0, 2, 100, limit=100)
    assert [value for _, _, value in seen(found)] == [b"open", b"behind"]


def test_a_new_producer_takes_back_what_the_one_before_left_open(cluster: Cluster, reader: Reader) -> None:
    """Its messages are passed over, and its offsets stay used."""
    topic = cluster.topic()
    begin(cluster, started(cluster, topic), topic, "lost", "lost too")
    commit(cluster, started(cluster, topic), topic, "kept")
    await_end(reader, topic, 5)
    found = reader.read(topic, 0, 0, 100, limit=100)
    assert (seen(found), found.end) == ([(3, b"kept", b"kept")], 5)


def test_a_fenced_producer_commits_nothing(cluster: Cluster, reader: Reader) -> None:
    """Its commit fails as fenced, for good; what it had sent is never read, and its successor works."""
    topic = cluster.topic()
    old = started(cluster, topic)
    begin(cluster, old, topic, "old")
    new = started(cluster, topic)
    with pytest.raises(KafkaException) as refused:
        old.commit_transaction(WAIT_SECONDS)
    assert is_fenced(refused.value)
    commit(cluster, new, topic, "new")
    await_end(reader, topic, 4)
    assert [value for _, _, value in seen(reader.read(topic, 0, 0, 100, limit=100))] == [b"new"]


def test_a_transaction_spans_topics(cluster: Cluster, reader: Reader) -> None:
    """All of it is there, or none of it."""
    one, other = cluster.topic(), cluster.topic()
    lost = started(cluster, one)
    begin(cluster, lost, one, "lost")
    lost.produce(other, value=b"lost", partition=0)
    cluster.flush(lost)
    kept = started(cluster, one)
    begin(cluster, kept, one, "kept")
    kept.produce(other, value=b"kept", partition=0)
    kept.commit_transaction(WAIT_SECONDS)
    for topic in (one, other):
        await_end(reader, topic, 4)
        assert [value for _, _, value in seen(reader.read(topic, 0, 0, 100, limit=100))] == [b"kept"]


def test_a_relays_cursor_is_the_last_committed_one(cluster: Cluster, reader: Reader) -> None:
    """However many transactions were taken back behind it; 0 where there is none."""
    shard = 3
    assert read_cursor(reader, shard).seq == 0
    for seq in (5, 9):
        commit(cluster, started(cluster, "cursor"), RELAY_CURSORS.name, json.dumps({"seq": seq}), partition=shard)
    for seq in range(10, 40):
        begin(cluster, started(cluster, "cursor"), RELAY_CURSORS.name, json.dumps({"seq": seq}), partition=shard)
    started(cluster, "cursor")
    await_end(reader, RELAY_CURSORS.name, 2 * 32, partition=shard)
    assert read_cursor(reader, shard).seq == 9
