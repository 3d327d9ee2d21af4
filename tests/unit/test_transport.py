"""What the ledger has is dropped where it comes from the broker, and the consumer goes on behind it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stream.inbound.transport import unreached

PLACE = SimpleNamespace(topic="hospital.expenses", partition=1)


class Consumer:
    """The two things that the thread asks of aiokafka's consumer."""

    def __init__(self, *assigned: Any) -> None:
        self.assigned, self.sought = assigned, list[int]()

    def assignment(self) -> tuple[Any, ...]:
        return self.assigned

    def seek(self, place: Any, offset: int) -> None:
        self.sought.append(offset)


class Ledger:
    """Where the ledger stands, everywhere."""

    reads_backlog = False

    def __init__(self, reached: int) -> None:
        self._reached = reached

    def reached(self, topic: str, partition: int) -> int:
        return self._reached


def news(reached: int, consumer: Consumer, offsets: range) -> list[int]:
    found = [SimpleNamespace(offset=offset) for offset in offsets]
    return [record.offset for record in unreached(consumer, PLACE, found, Ledger(reached))]


@pytest.mark.parametrize(
    ("reached", "kept", "sought"),
    [(0, [10, 11, 12], []), (10, [10, 11, 12], []), (11, [11, 12], []), (13, [], []), (90, [], [90])],
)
def test_only_what_the_ledger_has_is_dropped(reached: int, kept: list[int], sought: list[int]) -> None:
    """Offsets from the ledger's on are kept; the consumer is moved only where all that came lies behind it."""
    consumer = Consumer(PLACE)
    assert news(reached, consumer, range(10, 13)) == kept
    assert consumer.sought == sought


def test_a_partition_that_is_no_longer_assigned_is_not_sought() -> None:
    """Another member has it by now."""
    consumer = Consumer()
    assert news(90, consumer, range(10, 13)) == []
    assert consumer.sought == []
