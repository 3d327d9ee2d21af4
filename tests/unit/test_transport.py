"""What the ledger has is dropped where it comes from the broker, and the consumer goes on behind it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stream.inbound.transport import _Thread

PLACE = SimpleNamespace(topic="hospital.expenses", partition=1)


class Consumer:
    """The two things that the thread asks of aiokafka's consumer."""

    def __init__(self, *assigned: Any) -> None:
        self.assigned, self.sought = assigned, list[int]()

    def assignment(self) -> tuple[Any, ...]:
        return self.assigned

    def seek(self, place: Any, offset: int) -> None:
        self.sought.append(offset)


def news(reached: int, consumer: Consumer, offsets: range) -> list[int]:
    position = SimpleNamespace(reached=lambda topic, partition: reached)
    thread: Any = SimpleNamespace(_position=position)
    found = [SimpleNamespace(offset=offset) for offset in offsets]
    return [record.offset for record in _Thread._news(thread, consumer, PLACE, found)]


@pytest.mark.parametrize(
    ("reached", "kept", "sought"),
    [(0, [10, 11, 12], []), (10, [10, 11, 12], []), (11, [11, 12], []), (13, [], []), (90, [], [90])],
)
def test_only_what_the_ledger_has_is_dropped(reached: int, kept: list[int], sought: list[int]) -> None:
    consumer = Consumer(PLACE)
    assert news(reached, consumer, range(10, 13)) == kept
    assert consumer.sought == sought


def test_a_partition_that_is_no_longer_assigned_is_not_sought() -> None:
    consumer = Consumer()
    assert news(90, consumer, range(10, 13)) == []
    assert consumer.sought == []
