"""Asking servers at the same time, some of which do not answer."""

from __future__ import annotations

import threading

import pytest
from confluent_kafka import KafkaError, KafkaException
from sqlalchemy.exc import OperationalError

from schemas.health import Unanswered
from stream.ask_health import at_the_same_time


def refused() -> str:
    raise OperationalError("SELECT secret", {}, Exception("connection refused\nmore"))


def timed_out() -> str:
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "no broker"))


def test_each_has_its_answer() -> None:
    """In the order of the questions, or in one line why there is none; without the statement."""
    answers = at_the_same_time(lambda: "a", refused, timed_out, lambda: None)
    assert ["a", Unanswered("connection refused"), Unanswered("no broker"), None] == answers


def test_who_never_answers_keeps_nobody() -> None:
    """What the others said is told, whichever comes first."""
    never = threading.Event()
    answers = at_the_same_time(never.wait, lambda: "b", seconds=0.2)
    never.set()
    assert [Unanswered("no answer within 0 s"), "b"] == answers


def test_a_bug_is_no_missing_answer() -> None:
    """It is raised, so that it is seen."""
    with pytest.raises(ZeroDivisionError):
        at_the_same_time(lambda: "a", lambda: 1 / 0)
