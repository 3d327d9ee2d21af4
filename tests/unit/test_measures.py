"""What a reading of ledger and Kafka comes to as numbers for a monitor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handlers.health.measures import of_kafka, of_ledger
from schemas.bilingual import Saying
from schemas.health import Behind, MonitoredLedger, ShardAudit, ShardOutbox, Tables, Unanswered
from schemas.metrics import Measured, Metric
from schemas.outbound import AlertCode

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
AWAY = Unanswered("connection refused")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def outbox(shard: int, messages: int, oldest: datetime | None) -> ShardOutbox:
    return ShardOutbox(shard, messages, oldest, None, None)


TABLES = Tables(
    4,
    "c",
    {},
    [outbox(0, 9, ago(2.5)), outbox(1, 0, None), outbox(2, 7, None)],
    inbox=5,
    inbox_oldest=ago(6),
    starts=[],
    households=3,
    households_oldest=ago(40),
    pools=2,
    pools_oldest=None,
    alerts=4,
    alerts_oldest=ago(90_000),
)
LEDGER = MonitoredLedger(
    NOW, TABLES, 2, 123_456, 7, {"NO_POOL": 4}, [ShardAudit(0, 11, ago(30)), ShardAudit(1, 12, None)]
)


def numbers(metric: Metric) -> dict[tuple[str | int, ...], float]:
    return {each.labels: each.value for each in of_ledger(LEDGER) if each.metric is metric}


def test_money_is_told_in_yuan() -> None:
    """Fen are its decimals."""
    assert ({(): 1234.56}, {(): 0.07}) == (numbers(Metric.HELD_MONEY), numbers(Metric.WAITING_MONEY))


def test_what_waits_has_its_age_in_seconds() -> None:
    assert [{(): 6}, {(): 40}, {(): 90_000}] == [
        numbers(metric) for metric in (Metric.INBOX_SECONDS, Metric.PERSONS_SECONDS, Metric.ALERTS_SECONDS)
    ]


def test_an_unknown_age_is_left_out_and_nothing_that_waits_is_no_age() -> None:
    """Shard 1 has nothing to send; what shard 2 has to send was written nobody knows when."""
    assert {(0,): 9, (1,): 0, (2,): 7} == numbers(Metric.OUTBOX)
    assert {(0,): 2.5, (1,): 0} == numbers(Metric.OUTBOX_SECONDS)


def test_every_alert_code_is_told() -> None:
    """Also those without an alert, so that the first one is a rise."""
    assert {(code,): 4 * (code is AlertCode.NO_POOL) for code in AlertCode} == numbers(Metric.ALERTS)


def test_a_shard_that_nobody_ever_signed_has_no_age() -> None:
    assert ({(0,): 11, (1,): 12}, {(0,): 30}) == (numbers(Metric.UNSIGNED), numbers(Metric.CHECKPOINT_SECONDS))


def test_a_clock_that_is_ahead_makes_no_age_below_zero() -> None:
    """The ledger's and the signer's can differ."""
    audits = [ShardAudit(0, 0, ago(-3))]
    told = {each.metric: each.value for each in of_ledger(LEDGER._replace(audits=audits))}
    assert 0 == told[Metric.CHECKPOINT_SECONDS]


@pytest.mark.parametrize("found", [AWAY, Saying("升级", "an upgrade")])
def test_of_a_ledger_that_says_nothing_only_that_is_told(found: Unanswered | Saying) -> None:
    assert [Measured(Metric.LEDGER_UP, 0)] == list(of_ledger(found))


def test_of_a_kafka_that_says_nothing_only_that_is_told() -> None:
    assert [Measured(Metric.KAFKA_UP, 0)] == list(of_kafka(AWAY, NOW))


def test_the_lag_of_a_partition_has_its_age_where_that_is_known() -> None:
    """One waits for a minute, one since nobody knows when, one has nothing to wait for."""
    behind = [Behind("a", 0, 5, ago(60)), Behind("a", 1, 6, None), Behind("b", 0, 0, None)]
    assert [
        Measured(Metric.KAFKA_UP, 1),
        Measured(Metric.LAG_EVENTS, 5, ("a", 0)),
        Measured(Metric.LAG_SECONDS, 60, ("a", 0)),
        Measured(Metric.LAG_EVENTS, 6, ("a", 1)),
        Measured(Metric.LAG_EVENTS, 0, ("b", 0)),
        Measured(Metric.LAG_SECONDS, 0, ("b", 0)),
    ] == list(of_kafka(behind, NOW))
