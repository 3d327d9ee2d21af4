"""What a worker does when Kafka does not hold what the ledger expects."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pytest
from sqlalchemy import Engine

from infra.ledger.write import move_offsets
from infra.settings import Settings
from schemas.records import Delivery, Range
from schemas.topics import EXPENSES
from stream.inbound.intake import Intake, OffsetsLost
from tests.support.builders import SHARDS
from tests.support.ledgers import offsets

REACHED = 10


class Topics:
    """Topics whose partitions are empty, but for the expenses of shard 0, which hold the offsets ``[first, end)``."""

    def __init__(self, first: int, end: int) -> None:
        self.held = (first, end)
        self.asked: list[int] = []

    def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        return {place: self.held if place == (EXPENSES.name, 0) else (0, 0) for place in partitions}

    def unsettled(self, partitions: Collection[tuple[str, int]]) -> list[tuple[str, int]]:
        return []

    def undecided(self, topic: str, partition: int) -> list[Delivery]:
        return []

    def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Range:
        self.asked.append(start)
        return Range(topic, partition, start, end, ())


def caught_up(ledger: Engine, topics: Topics) -> None:
    """A worker that holds all shards compares the ledger, which has come to REACHED, with the topics."""
    with ledger.begin() as connection:
        move_offsets(connection, {(EXPENSES.name, 0): REACHED})
    intake = Intake(ledger, topics, Settings())
    intake.assigned(range(SHARDS))
    intake.catch_up()


@pytest.mark.parametrize(("first", "end"), [(0, REACHED - 1), (0, 0), (REACHED + 1, REACHED + 5)])
def test_a_topic_without_what_the_ledger_expects_ends_the_worker(ledger: Engine, first: int, end: int) -> None:
    """Shorter than what was taken in (made anew), or begun after it (deleted): nothing is read, and nothing moves."""
    topics = Topics(first, end)
    with pytest.raises(OffsetsLost, match=f"{first} to {end}, but the ledger is at {REACHED}"):
        caught_up(ledger, topics)
    assert [] == topics.asked
    assert {(EXPENSES.name, 0): REACHED} == offsets(ledger)


@pytest.mark.parametrize(("first", "end"), [(0, REACHED), (REACHED, REACHED), (REACHED, REACHED + 3)])
def test_a_topic_that_goes_on_where_the_ledger_stopped_is_read(ledger: Engine, first: int, end: int) -> None:
    """Also where everything before was deleted by its age."""
    caught_up(ledger, Topics(first, end))
    assert {(EXPENSES.name, 0): end} == offsets(ledger)


def test_a_long_backlog_gives_way_to_a_new_assignment(ledger: Engine) -> None:
    """The group waits for the worker's answer: it reads on after it has taken the shards that it is given."""

    class Backlog(Topics):
        def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Range:
            if start == 3:
                intake.give_way()  # as the worker's other thread does when Kafka assigns partitions
            return super().read(topic, partition, start, start + 1, limit)

    intake = Intake(ledger, Backlog(0, REACHED), Settings())
    intake.assigned(range(SHARDS))
    intake.catch_up()
    intake.catch_up()
    assert {(EXPENSES.name, 0): 4} == offsets(ledger)
    intake.assigned([0])
    intake.catch_up()
    assert {(EXPENSES.name, 0): REACHED} == offsets(ledger)
