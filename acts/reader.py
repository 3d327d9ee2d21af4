"""What verifying, the intake and the relay need of Kafka: direct access to partitions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from schemas.records import Delivery, Range


class Reader(Protocol):
    """Direct access to partitions (`stream.inbound.partition_reader.RangeReader`)."""

    def ends(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]: ...

    def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Range: ...

    def settled(self, topic: str, partition: int) -> bool: ...

    def undecided(self, topic: str, partition: int) -> Sequence[Delivery]: ...
