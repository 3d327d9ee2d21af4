"""A local Kafka carries messages, listens on loopback only, survives a node's death and leaves no trace."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.servers.local import kafka_server
from infra.servers.local.errors import PartFailed
from infra.servers.local.kafka_server import LocalKafka
from infra.servers.local.ports import free_ports
from tests.support.servers import (
    Admin,
    Consumer,
    all_gone,
    consume,
    family_of,
    listening_addresses,
    make_topic,
    produce,
    topics,
)


@pytest.fixture(scope="module")
def one_kafka() -> Iterator[LocalKafka]:
    """A one-node Kafka for the tests that do not break it."""
    with LocalKafka.start() as running:
        yield running


def test_kafka_carries_a_message(one_kafka: LocalKafka) -> None:
    """A message produced to a new topic is what a consumer group reads from it."""
    make_topic(one_kafka.bootstrap, "claims")
    produce(one_kafka.bootstrap, "claims", b"one claim")
    assert consume(one_kafka.bootstrap, "claims") == b"one claim"


def test_kafka_carries_a_message_of_8_mib(one_kafka: LocalKafka) -> None:
    """A topic that allows 8 MiB takes and gives a message of almost that size."""
    largest = 8 * 1024 * 1024
    value = os.urandom(largest - 1024)  # the batch around it counts too
    make_topic(one_kafka.bootstrap, "scans", record_bytes_max=largest)
    produce(one_kafka.bootstrap, "scans", value)
    assert consume(one_kafka.bootstrap, "scans") == value


def test_kafka_makes_no_topic_by_itself(one_kafka: LocalKafka) -> None:
    """Asking for an undeclared topic does not create it."""
    consumer = Consumer("undeclared", bootstrap_servers=one_kafka.bootstrap, consumer_timeout_ms=1_000)
    assert list(consumer) == []
    consumer.close()
    assert "undeclared" not in topics(one_kafka.bootstrap)


def test_kafka_listens_on_loopback_only(one_kafka: LocalKafka) -> None:
    """Neither clients nor the controller can be reached from another machine."""
    (pid,) = one_kafka.pids
    assert listening_addresses(pid) == {"127.0.0.1"}
    ports = {one_kafka.nodes[0].port, one_kafka.nodes[0].controller_port}
    listening = [c for c in psutil.Process(pid).net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
    assert {connection.laddr.port for connection in listening} == ports


def test_kafka_stops_without_a_trace() -> None:
    """After `stop` no process and no folder is left, and a second `stop` does no harm."""
    cluster = LocalKafka.start()
    processes = family_of(cluster.pids[0])
    cluster.stop()
    cluster.stop()
    assert all_gone(processes)
    assert not cluster.folder.exists()


def test_kafka_tries_other_ports_when_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that another program bound after it was chosen costs a second attempt, not the start."""
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        choices = [(squatter.getsockname()[1], *free_ports(1))]
        monkeypatch.setattr(kafka_server, "free_ports", lambda count: choices.pop() if choices else free_ports(count))
        with LocalKafka.start() as cluster:
            assert choices == []
            assert cluster.nodes[0].port != squatter.getsockname()[1]


def test_kafka_that_dies_early_shows_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JVM that cannot start fails the start with the JVM's own words, and leaves no folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # what others have in the common folder is no matter here
    with pytest.raises(PartFailed, match=r"(?s)kafka-1 ended with .*(heap|memory|OutOfMemory)"):
        LocalKafka.start(heap_mb=3)
    assert list(tmp_path.iterdir()) == []


def test_kafka_in_a_named_folder_keeps_its_topics(tmp_path: Path) -> None:
    """A second start with the same folder is the same cluster with the same messages."""
    with LocalKafka.start(tmp_path) as first:
        cluster_id = first.nodes[0].cluster_id()
        make_topic(first.bootstrap, "kept")
        produce(first.bootstrap, "kept", b"still here")
    with LocalKafka.start(tmp_path) as second:
        assert second.nodes[0].cluster_id() == cluster_id
        assert consume(second.bootstrap, "kept") == b"still here"
    with pytest.raises(PartFailed, match="nodes=1"):
        LocalKafka.start(tmp_path, nodes=3)


@pytest.mark.prove
def test_three_nodes_outlive_one() -> None:
    """With one of three nodes killed `acks=all` still succeeds, and the node can be started again."""
    with LocalKafka.start(nodes=3, heap_mb=256) as cluster:
        make_topic(cluster.bootstrap, "replicated", replicas=3)
        produce(cluster.bootstrap, "replicated", b"before")
        killed = cluster.pids[0]
        os.kill(killed, signal.SIGKILL)
        produce(cluster.bootstrap, "replicated", b"without one")
        cluster.restart_node(0)
        assert cluster.pids[0] != killed
        with Admin(bootstrap_servers=cluster.nodes[0].address) as admin:
            assert len(admin.describe_cluster()["brokers"]) == 3
        assert consume(cluster.bootstrap, "replicated") == b"before"
