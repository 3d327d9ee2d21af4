"""What an adopted ledger lacks, in the order in which the ledger before it took it in.

Which payouts lead to what is due depends on the order in which a person's events of several topics were taken in, and
their ids count revisions. A ledger that decided the lost hours in another order would order other amounts under ids
that insurers have paid, and more of them beside. So the order is read from the audit log in Kafka. It is that of each
shard; between shards, where households meet, there is none.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from acts.reader import Reader, messages
from schemas.records import Delivery, Range
from schemas.topics import AUDIT

Read = Callable[[str, int, int, int], Range]
"""Reads messages of ``[start, end)`` of a topic's partition, as many as come at once."""


def former_order(reader: Reader, shard: int, reached: Callable[[str, int], int]) -> list[tuple[str, int]]:
    """Topic and offset of the shard's events that the audit log has and the ledger lacks, as they were taken in.

    Reads the shard's whole audit log. Raises KafkaException.
    """
    order: dict[tuple[str, int], None] = {}
    for piece in messages(reader, AUDIT.name, shard):
        for each in piece:
            subject: Mapping[str, Any] = json.loads(each.value or b"{}").get("subject", {})
            if "offset" in subject and subject.get("partition") == str(shard):
                topic, offset = subject["topic"], int(subject["offset"])
                if offset >= reached(topic, shard):
                    order[topic, offset] = None
    return list(order)


def batches(
    read: Read, shard: int, order: list[tuple[str, int]], reached: Callable[[str, int], int], size: int
) -> Iterator[list[Range]]:
    """The messages up to these places, one place after the other, some ``size`` of them at once.

    Ends early where a topic no longer holds what it held: the rest is read as always.
    """
    last = {topic: max(offset for of, offset in order if of == topic) for topic in dict(order)}
    ahead = {topic: _Ahead(read, topic, shard, reached(topic, shard), end + 1) for topic, end in last.items()}
    batch: list[Range] = []
    for topic, offset in order:
        part = ahead[topic].up_to(offset)
        if part is None:
            break
        batch.append(part)
        if sum(len(each.deliveries) for each in batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


class _Ahead:
    """What was read of a partition and not handed out yet."""

    def __init__(self, read: Read, topic: str, shard: int, start: int, end: int) -> None:
        self._read, self._topic, self._shard = read, topic, shard
        self._start, self._end = start, end
        self._come_to = start
        self._held: deque[Delivery] = deque()

    def up_to(self, offset: int) -> Range | None:
        """The messages from where the last range ended up to this one; None if it cannot be read."""
        while self._come_to <= offset:
            part = self._read(self._topic, self._shard, self._come_to, self._end)
            if part.end == self._come_to:
                return None
            self._held.extend(part.deliveries)
            self._come_to = part.end
        taken = []
        while self._held and self._held[0].offset <= offset:
            taken.append(self._held.popleft())
        start, self._start = self._start, max(self._start, offset + 1)
        return Range(self._topic, self._shard, start, self._start, tuple(taken))
