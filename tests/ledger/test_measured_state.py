"""How often the state of a ledger is read for monitors, however many ask."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from schemas.metrics import Measured, Metric
from stream.measured_state import FRESH_SECONDS, MeasuredState
from tests.support.builders import coverage, discharge
from tests.support.ledgers import give, held, in_order


class Watch:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def unsent(found: list[Measured]) -> float:
    return sum(each.value for each in found if each.metric is Metric.OUTBOX)


def test_an_answer_is_good_for_others_for_a_moment(ledger: Engine, ledger_url: str) -> None:
    """Then the next one who asks gets what is so now."""
    watch = Watch()
    state = MeasuredState(ledger_url, None, watch)
    assert 0 == unsent(state())
    held(ledger)
    give(ledger, in_order([coverage(), discharge()]))
    watch.now += FRESH_SECONDS - 0.1
    assert 0 == unsent(state())
    watch.now += 0.2
    assert unsent(state()) > 0
    state.close()


@pytest.mark.parametrize("bootstrap", [None, "127.0.0.1:1"])
def test_only_who_knows_kafka_tells_of_it(ledger: Engine, ledger_url: str, bootstrap: str | None) -> None:
    """That it does not answer, where it is away; no lag then, as nobody knows it."""
    state = MeasuredState(ledger_url, bootstrap)
    of_kafka = [each for each in state() if each.metric in (Metric.KAFKA_UP, Metric.LAG_EVENTS, Metric.LAG_SECONDS)]
    assert ([] if bootstrap is None else [Measured(Metric.KAFKA_UP, 0)]) == of_kafka
    state.close()
