"""Which differences of a cluster's topics from their declaration are the operator's to decide, and which stop us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra.kafka import topic_setup
from infra.settings import Settings
from schemas.topics import INSTRUCTIONS, RELAY_CURSORS, Topic

SETTINGS = Settings(shards=4, replication_factor=3, min_insync_replicas=2)
UNDECLARED = {"compression.type": "zstd", "segment.bytes": "1048576", "segment.ms": "3600000", "retention.bytes": "9"}


class Cluster:
    """What the admin API says of one topic, which is as declared but for ``config``."""

    def __init__(self, topic: Topic, config: dict[str, str], partitions: int = 4, replicas: int = 3) -> None:
        self._topic, self._partitions, self._replicas = topic, partitions, replicas
        self._config = topic.config(SETTINGS.min_insync_replicas) | UNDECLARED | config

    def list_topics(self) -> list[str]:
        return [self._topic.name]

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        partitions = [{"replica_nodes": list(range(self._replicas))}] * self._partitions
        return [{"name": name, "partitions": partitions} for name in names]

    def describe_configs(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"topic": {self._topic.name: {name: {"value": value} for name, value in self._config.items()}}}


def differences(cluster: Cluster, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What differs, and whether worker and relay start nevertheless."""

    @contextmanager
    def admin(_: str) -> Iterator[Any]:
        yield cluster

    monkeypatch.setattr(topic_setup, "admin", admin)
    return [(each.what, each.harmless) for each in topic_setup.check("broker:1", SETTINGS, [topic])]


@pytest.mark.parametrize("topic", [INSTRUCTIONS, RELAY_CURSORS], ids=lambda topic: topic.name)
def test_what_is_not_declared_is_the_operators(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compression, segments, a limit by size and more copies than asked for are not even mentioned."""
    assert [] == differences(Cluster(topic, {}, replicas=5), topic, monkeypatch)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retention.ms", "86400000"),
        ("message.timestamp.type", "CreateTime"),
        ("max.message.bytes", "16777216"),
        ("min.insync.replicas", "3"),
    ],
)
def test_what_an_operator_may_tune_is_told_and_stops_nothing(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything works with it: what a shorter retention deletes the ledger has, or the worker notices."""
    assert [(name, True)] == differences(Cluster(INSTRUCTIONS, {name: value}), INSTRUCTIONS, monkeypatch)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "compact,delete"),
        ("max.message.bytes", "1048576"),
        ("min.insync.replicas", "1"),
    ],
)
def test_what_could_lose_a_message_stops_worker_and_relay(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compaction drops instructions, a small limit refuses dead letters, one copy in sync is none when it breaks."""
    assert [(name, False)] == differences(Cluster(INSTRUCTIONS, {name: value}), INSTRUCTIONS, monkeypatch)


def test_cursors_that_are_deleted_instead_of_compacted_stop_the_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard without its cursor would begin anew, and pay everything again."""
    cluster = Cluster(RELAY_CURSORS, {"cleanup.policy": "delete"})
    assert [("cleanup.policy", False)] == differences(cluster, RELAY_CURSORS, monkeypatch)


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ({"partitions": 3}, "number of partitions"),
        ({"partitions": 5}, "number of partitions"),
        ({"replicas": 2}, "replication factor"),
    ],
)
def test_partitions_and_too_few_copies_stop_worker_and_relay(
    shape: dict[str, int], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More partitions too: persons would come under other shards."""
    assert [(what, False)] == differences(Cluster(INSTRUCTIONS, {}, **shape), INSTRUCTIONS, monkeypatch)
