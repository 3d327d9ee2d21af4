"""What verifying, the intake and the relay need of Kafka: direct access to partitions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from schemas.records import Delivery, Range

PIECE = 1000
"""So many messages are read at once."""


class Reader(Protocol):
    """Direct access to partitions (`stream.inbound.partition_reader.RangeReader`)."""

    def ends(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]: ...

    def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Range: ...

    def unsettled(self, partitions: Collection[tuple[str, int]]) -> list[tuple[str, int]]: ...

    def undecided(self, topic: str, partition: int) -> Sequence[Delivery]: ...


def messages(
    reader: Reader, topic: str, partition: int, offsets: tuple[int, int] | None = None
) -> Iterator[Sequence[Delivery]]:
    """What a partition holds, or what ``[start, end)`` of its offsets hold, in pieces. Raises KafkaException."""
    start, end = offsets or reader.ends([(topic, partition)])[topic, partition]
    while start < end:
        part = reader.read(topic, partition, start, end, PIECE)
        if part.deliveries:
            yield part.deliveries
        if part.end == start:
            return  # the rest belongs to a transaction that is still open
        start = part.end
