"""What a process that cannot go on says: what it waits for, and since when."""

from __future__ import annotations

import logging
import time

import pytest

from infra.waiting import Wait
from stream import deadline
from stream.inbound.assignment import Assignment
from stream.inbound.open_transactions import OpenTransactions
from tests.support.servers import await_true

LOG = logging.getLogger("huzhu")


class Watch:
    """A clock that a test sets."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.seconds = 100.0
        patch.setattr(time, "monotonic", lambda: self.seconds)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


def test_a_wait_says_since_when_and_that_it_is_over(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    """Each time with the seconds since it began; afterwards that it is over, and the next wait begins anew."""
    wait = Wait(LOG, "Kafka")
    wait.over()
    wait.still("no broker answers")
    watch.seconds += 7
    wait.still("no broker answers")
    wait.over()
    wait.over()
    watch.seconds += 3600
    wait.still("it did not acknowledge")
    assert [
        "waiting for Kafka for 0 s now: no broker answers",
        "waiting for Kafka for 7 s now: no broker answers",
        "no longer waiting for Kafka, after 7 s",
        "waiting for Kafka for 0 s now: it did not acknowledge",
    ] == caplog.messages


def test_a_wait_that_is_short_or_tried_often_fills_no_log(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    """With a least time between lines there is none before it has passed, and one each time it has."""
    wait = Wait(LOG, "partitions", every=15)
    for _ in range(40):
        wait.still("none")
        watch.seconds += 1
    wait.over()
    wait.still("none")
    wait.over()
    assert [
        "waiting for partitions for 15 s now: none",
        "waiting for partitions for 30 s now: none",
        "no longer waiting for partitions, after 40 s",
    ] == caplog.messages


def test_an_act_without_an_answer_says_what_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While a try takes long, as behind a lock, a line now and then says what it tries."""
    monkeypatch.setattr(deadline, "SAYS_SECONDS", 0.01)
    with deadline.deadline(None, "take shards 0, 2"):
        assert await_true(lambda: len(caplog.messages) > 1)
    assert all(said.startswith("waiting for an answer for ") for said in caplog.messages)
    assert all(said.endswith(" now: to take shards 0, 2") for said in caplog.messages)


def test_a_worker_without_partitions_says_so(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    """From its start until Kafka gives it some, after Kafka took them back, and when others have them all."""
    assignment = Assignment(every=15)
    reasons = []

    def seconds(many: int) -> None:
        for _ in range(many):
            assignment.look()
            watch.seconds += 1
        reasons.append([said.partition(" now: ")[2].partition(" ")[0] for said in caplog.messages])
        caplog.clear()

    seconds(20)
    assignment.given({0, 2})
    seconds(20)
    assignment.taken()
    seconds(20)
    assignment.given(set())
    seconds(15)
    assert [["the"], [""], ["the"], ["Kafka"]] == reasons


def test_a_sender_that_does_not_end_its_transaction_is_said(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    """Once a partition's end has stood still between two looks; one that moves is only busy."""
    hangs, busy = ("hospital.expenses", 1), ("hospital.expenses", 2)
    ends = {hangs: (5, 9), busy: (5, 9)}
    transactions = OpenTransactions(lambda places: {place: ends[place] for place in places})
    for readable in (5, 6, 7):
        ends[busy] = (readable, 9)
        transactions.look([hangs, busy])
        watch.seconds += 60
    ends[hangs] = (9, 9)
    transactions.look([hangs, busy])
    assert [
        "waiting for a transaction on hospital.expenses-1 to end for 0 s now: 4 offsets behind it cannot be read yet",
        "waiting for a transaction on hospital.expenses-1 to end for 60 s now: 4 offsets behind it cannot be read yet",
        "no longer waiting for a transaction on hospital.expenses-1 to end, after 120 s",
        "waiting for a transaction on hospital.expenses-2 to end for 0 s now: 2 offsets behind it cannot be read yet",
    ] == caplog.messages
