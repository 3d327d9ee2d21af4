"""How Kafka is: how far the topics go, which transactions are open, and who is in the workers' group."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from infra.kafka import client_security
from infra.kafka.names import KafkaNames
from schemas.access.kafka_rights import RANGES_GROUP, WORKER_GROUP
from schemas.health import Behind, KafkaReading, Member, Partition, PartitionName, Unanswered
from schemas.topics import TOPICS, copied_from

_SPEC: Any = OffsetSpec  # which has no types
LATEST, EARLIEST = _SPEC.latest(), _SPEC.earliest()

QUIET = {"log_level": 2}
"""What is wrong is in the answer."""

SMALL_BYTES = 1024
"""Of a message only the time is wanted; a broker sends at least one, however large it is."""


def kafka_reading(bootstrap: str, shards: int, seconds: float) -> KafkaReading:
    """What Kafka says now. Raises KafkaException if it does not answer each question within ``seconds``."""
    admin = AdminClient({**client_security.confluent(bootstrap), **QUIET})
    called = KafkaNames.in_force()
    (group,) = admin.describe_consumer_groups([called.in_kafka(WORKER_GROUP)], request_timeout=seconds).values()
    cluster = admin.describe_cluster(request_timeout=seconds).result()
    present = called.among(list(admin.list_topics(timeout=seconds).topics))
    of_insurers = sorted(name for name in present if copied_from(name))
    names = [*(topic.name for topic in TOPICS), *of_insurers]
    places = [(name, shard) for name in names for shard in range(shards)]
    # In this order: what is written after the first question is not taken for an open transaction.
    written = _offsets(admin, places, LATEST, seconds, IsolationLevel.READ_UNCOMMITTED)
    readable = _offsets(admin, places, LATEST, seconds, IsolationLevel.READ_COMMITTED)
    first = _offsets(admin, places, EARLIEST, seconds, IsolationLevel.READ_UNCOMMITTED)
    answered = written.keys() & readable.keys() & first.keys()
    state, members = _group(group)
    return KafkaReading(
        called.home(cluster.cluster_id),
        {place: Partition(first[place], readable[place], written[place]) for place in places if place in answered},
        [place for place in places if place not in answered],
        state,
        members,
    )


def readable_and_written(
    bootstrap: str, places: Collection[PartitionName], seconds: float
) -> dict[PartitionName, tuple[int, int]]:
    """The end for ``read_committed`` and the end of all, of partitions that answer. Raises KafkaException."""
    admin = AdminClient({**client_security.confluent(bootstrap), **QUIET})
    written = _offsets(admin, places, LATEST, seconds, IsolationLevel.READ_UNCOMMITTED)
    readable = _offsets(admin, places, LATEST, seconds, IsolationLevel.READ_COMMITTED)
    return {place: (readable[place], written[place]) for place in readable.keys() & written.keys()}


def _offsets(
    admin: AdminClient,
    places: Collection[PartitionName],
    which: OffsetSpec,
    seconds: float,
    isolation: IsolationLevel,
) -> dict[PartitionName, int]:
    if not places:
        return {}
    names = KafkaNames.in_force()
    wanted = {TopicPartition(names.in_kafka(topic), shard): which for topic, shard in places}
    asked = admin.list_offsets(wanted, isolation_level=isolation, request_timeout=seconds)
    found = {}
    for place, answer in asked.items():
        try:
            found[names.ours(place.topic), place.partition] = answer.result().offset
        except KafkaException as error:
            if error.args[0].code() in (KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
                raise
    return found


def _group(asked: Any) -> tuple[str | Unanswered, list[Member]]:
    """The group's state and members; a coordinator that is not ready, or does not tell this user, is one question."""
    try:
        described = asked.result()
    except KafkaException as error:
        return Unanswered(error.args[0].str()), []
    members = [
        Member(f"{each.client_id}{each.host}", len({p.partition for p in each.assignment.topic_partitions}))
        for each in described.members
    ]
    return described.state.name, members


def first_times(
    bootstrap: str, places: Mapping[PartitionName, int], seconds: float, *, committed: bool
) -> dict[PartitionName, datetime | None]:
    """When the first message from an offset on was written; None where there is none, nothing where it is not known.

    ``committed``: messages of open and of aborted transactions do not count.
    """
    if not places:
        return {}
    names = KafkaNames.in_force()
    consumer = Consumer(
        {
            **client_security.confluent(bootstrap),
            **QUIET,
            "group.id": names.in_kafka(RANGES_GROUP),
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "auto.offset.reset": "error",
            "fetch.message.max.bytes": SMALL_BYTES,
            "queued.max.messages.kbytes": SMALL_BYTES,
        }
    )
    found: dict[PartitionName, datetime | None] = {}
    failed: set[PartitionName] = set()
    consumer.assign([TopicPartition(names.in_kafka(name), shard, start) for (name, shard), start in places.items()])
    ends = time.monotonic() + seconds
    while len(found) + len(failed) < len(places) and time.monotonic() < ends:
        message = consumer.poll(0.1)
        if message is None or message.topic() is None:
            continue
        place = (names.ours(str(message.topic())), int(message.partition() or 0))
        error = message.error()
        if error is None:
            found.setdefault(place, datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC))
        elif error.code() == KafkaError._PARTITION_EOF:
            found.setdefault(place, None)
        else:
            failed.add(place)
    consumer.close()
    return found


def events_behind(
    bootstrap: str, readable: Mapping[PartitionName, int], reached: Mapping[PartitionName, int], seconds: float
) -> list[Behind]:
    """What a ledger that has ``reached`` so far lacks of what is ``readable``, and since when the first of it waits.

    A rest that is only markers of transactions is none.
    """
    behind = {place: reached.get(place, 0) for place, end in readable.items() if end > reached.get(place, 0)}
    times = first_times(bootstrap, behind, seconds, committed=True)
    return [
        Behind(*place, readable[place] - start, times.get(place))
        for place, start in behind.items()
        if place not in times or times[place] is not None
    ]
