"""The topics of `schemas.topics`, created and checked through Kafka's admin API."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

from infra.kafka import client_security
from infra.kafka.names import KafkaNames
from infra.settings import Settings
from schemas.topics import TOPICS, Topic

logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)  # it warns wherever a machine is busy for 0.1 seconds


class KafkaUnreachable(Exception):
    """No broker answered at the address."""


@dataclass(frozen=True, slots=True)
class TopicDifference:
    """One way in which a topic of the cluster differs from its declaration. ``topic`` is its name in Kafka.

    A ``harmless`` one is for whoever runs the cluster to decide, and keeps no process from starting.
    """

    topic: str
    what: str
    declared: str
    found: str
    harmless: bool = False

    def __str__(self) -> str:
        return f"{self.topic}: {self.what} is {self.found}, declared {self.declared}"


@contextmanager
def admin(bootstrap: str) -> Iterator[KafkaAdminClient]:
    """An admin client. Raises KafkaUnreachable, also for transient errors while it is used."""
    client = None
    try:
        named = {"client_id": KafkaNames.in_force().in_kafka("huzhu-admin")}
        client = KafkaAdminClient(**{**client_security.kafka_python(bootstrap), **named})
        yield client
    except (KafkaError, OSError) as error:
        if client is not None and isinstance(error, KafkaError) and not error.retriable:
            raise
        raise KafkaUnreachable(
            f"no Kafka answers at {bootstrap}: start it or correct HUZHU_KAFKA_BOOTSTRAP; for TLS and users "
            f"see docs/security.md ({type(error).__name__})"
        ) from error
    finally:
        if client is not None:
            client.close()


def in_kafka(topics: Sequence[Topic]) -> list[Topic]:
    """The topics under their names in Kafka."""
    names = KafkaNames.in_force()
    return [replace(topic, name=names.in_kafka(topic.name)) for topic in topics]


def cluster_id(bootstrap: str) -> str:
    """The identity of the cluster, which never changes, and of our topics in it, if they have a prefix."""
    with admin(bootstrap) as client:
        return KafkaNames.in_force().home(str(client.describe_cluster()["cluster_id"]))


def existing(bootstrap: str) -> list[str]:
    """The topics of ours that the cluster has."""
    with admin(bootstrap) as client:
        present = set(KafkaNames.in_force().among(client.list_topics()))
    return [topic.name for topic in TOPICS if topic.name in present]


def apply(bootstrap: str, settings: Settings, topics: Sequence[Topic] = TOPICS) -> list[str]:
    """Creates those topics that are missing and returns their names in Kafka. Existing topics are left as they are."""
    with admin(bootstrap) as client:
        existing = set(client.list_topics())
        missing = [topic for topic in in_kafka(topics) if topic.name not in existing]
        if missing:
            client.create_topics(
                {
                    topic.name: {
                        "num_partitions": settings.shards,
                        "replication_factor": settings.replication_factor,
                        "configs": topic.config(settings.min_insync_replicas),
                    }
                    for topic in missing
                },
                wait_for_metadata=True,
            )
        return [topic.name for topic in missing]


def check(bootstrap: str, settings: Settings, topics: Sequence[Topic] = TOPICS) -> list[TopicDifference]:
    """Every difference between the cluster and the declaration of the topics."""
    with admin(bootstrap) as client:
        topics = in_kafka(topics)
        existing = set(client.list_topics())
        present = [topic for topic in topics if topic.name in existing]
        differences = [TopicDifference(t.name, "topic", "present", "missing") for t in topics if t.name not in existing]
        described = {entry["name"]: entry for entry in client.describe_topics([topic.name for topic in present])}
        for topic in present:
            differences += _partitions(topic, described[topic.name]["partitions"], settings)
            differences += _config(client, topic, settings)
    return differences


def _partitions(topic: Topic, partitions: list[dict[str, Any]], settings: Settings) -> Iterator[TopicDifference]:
    if len(partitions) != settings.shards:
        yield TopicDifference(topic.name, "number of partitions", str(settings.shards), str(len(partitions)))
    fewest = min(len(partition["replica_nodes"]) for partition in partitions)
    if fewest < settings.replication_factor:
        yield TopicDifference(topic.name, "replication factor", str(settings.replication_factor), str(fewest))


def _config(client: KafkaAdminClient, topic: Topic, settings: Settings) -> Iterator[TopicDifference]:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name)
    answer = client.describe_configs([resource], config_filter="all")
    held = answer["topic"][topic.name]
    for name, declared in topic.config(settings.min_insync_replicas).items():
        value = str(held[name]["value"])
        if value != declared:
            yield TopicDifference(topic.name, name, declared, value, _is_harmless(name, declared, value))


def _is_harmless(name: str, declared: str, found: str) -> bool:
    """Whether everything works with the value, and no promise depends on it.

    A shorter retention costs only messages that the ledger has: a worker notices any that it lacks, and does not pass
    them over. What accepts less than a dead letter, is safe on fewer replicas or deletes by another rule is not
    harmless.
    """
    if name in ("max.message.bytes", "min.insync.replicas"):
        return int(found) > int(declared)
    return name in ("retention.ms", "message.timestamp.type")
