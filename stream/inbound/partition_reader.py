"""Reading a range of a partition directly, whatever Faust delivered or lost.

Ranges are half-open in offsets. Some offsets inside a range never have a message (transaction markers, compaction), so
a range is *complete* when the reader has passed its end, not when it has counted messages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from types import TracebackType

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from acts.reader import messages
from infra.kafka import client_security
from infra.kafka.names import KafkaNames
from schemas.access.kafka_rights import RANGES_GROUP
from schemas.records import Delivery, Range
from schemas.topics import MESSAGE_BYTES_MAX
from schemas.traceparent import traceparent_in
from stream.kafka_health import readable_and_written

READ_SECONDS_MAX = 30.0
"""A broker that sends nothing for this long counts as down."""


class RangeReader:
    """Reads ranges as a read_committed consumer without a group."""

    def __init__(self, bootstrap: str, isolation_level: str = "read_committed") -> None:
        self._bootstrap = bootstrap
        self._names = KafkaNames.in_force()
        self._consumer = Consumer(
            {
                **client_security.confluent(bootstrap),
                # Required by the client; nothing is ever committed under it.
                "group.id": self._names.in_kafka(RANGES_GROUP),
                "enable.auto.commit": False,
                "log_level": 3,
                "enable.partition.eof": True,
                "isolation.level": isolation_level,
                "auto.offset.reset": "error",
                "fetch.message.max.bytes": MESSAGE_BYTES_MAX,
                "fetch.wait.max.ms": 20,
                "queued.max.messages.kbytes": 32 * 1024,  # what is read ahead of a batch
            }
        )
        self._place: tuple[str, int, int] | None = None
        """The consumer's position, if the next range can continue from it."""

    def __enter__(self) -> RangeReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        """First kept and next offset of each partition; messages of an open transaction are not counted yet."""
        return {
            (topic, partition): self._consumer.get_watermark_offsets(
                TopicPartition(self._names.in_kafka(topic), partition), timeout=READ_SECONDS_MAX
            )
            for topic, partition in partitions
        }

    def unsettled(self, partitions: Collection[tuple[str, int]]) -> list[tuple[str, int]]:
        """Those with an undecided transaction, or no answer. A commit can be read some time after it is done."""
        ends = readable_and_written(self._bootstrap, partitions, READ_SECONDS_MAX)
        return [place for place in partitions if place not in ends or ends[place][0] < ends[place][1]]

    def undecided(self, topic: str, partition: int) -> Sequence[Delivery]:
        """The messages from the first one on that is neither committed nor taken back."""
        _, start = self.ends([(topic, partition)])[topic, partition]
        with RangeReader(self._bootstrap, "read_uncommitted") as everything:
            _, end = everything.ends([(topic, partition)])[topic, partition]
            return [each for piece in messages(everything, topic, partition, (start, end)) for each in piece]

    def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Range:
        """The messages of ``[start, end)``, or of a shorter range that holds ``limit`` of them.

        Raises KafkaException if the broker is down or no longer has offset ``start``.
        """
        if self._place != (topic, partition, start):
            self._consumer.assign([TopicPartition(self._names.in_kafka(topic), partition, start)])
        self._place = None
        deliveries: list[Delivery] = []
        while len(deliveries) < limit:
            for message in self._next(limit - len(deliveries)):
                passed = _end_of_partition(message)
                if passed is None and (delivery := self._delivery(message)).offset < end:
                    deliveries.append(delivery)
                else:
                    self._consumer.unassign()
                    return Range(topic, partition, start, min(end, passed or end), tuple(deliveries))
        # A longer read continues here: what the client has read ahead is not thrown away.
        self._place = (topic, partition, deliveries[-1].offset + 1)
        return Range(topic, partition, start, deliveries[-1].offset + 1, tuple(deliveries))

    def _next(self, limit: int) -> list[Message]:
        """Up to ``limit`` messages that are there already, else the first one that arrives."""
        messages = self._consumer.consume(limit, 0.0)
        if messages:
            return messages
        message = self._consumer.poll(READ_SECONDS_MAX)
        if message is None:
            self._consumer.unassign()
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "nothing read for too long"))
        return [message]

    def _delivery(self, message: Message) -> Delivery:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        headers = message.headers()
        traceparent = traceparent_in(headers) if isinstance(headers, list) else None
        return Delivery(self._names.ours(topic), partition, offset, message.key(), message.value(), traceparent)


def _end_of_partition(message: Message) -> int | None:
    """The offset of the partition's end if this is its end-of-partition event, None for a message."""
    error = message.error()
    if error is None:
        return None
    if error.code() == KafkaError._PARTITION_EOF:
        return message.offset()
    raise KafkaException(error)
