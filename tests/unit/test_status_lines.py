"""What `huzhu status` calls well: judged from given answers of ledger and Kafka."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from handlers.health.judgement import Limits, exit_status, judged
from handlers.health.status_line import NAMES, Concern, StatusLine, since_when
from schemas.bilingual import Saying
from schemas.health import (
    SNAPSHOT,
    Behind,
    HealthReading,
    KafkaReading,
    LedgerReading,
    LedgerSession,
    Member,
    Partition,
    ShardOutbox,
    Starts,
    Tables,
    Unanswered,
)
from tests.support.languages import difference

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIMITS = Limits(60 * SECOND, 15 * SECOND, 600 * SECOND)
GONE = 75
AWAY = Unanswered("connection refused")
RELAY, WORKER = LedgerSession(7, "huzhu relay a/1"), LedgerSession(8, "huzhu worker a/2")


def ago(seconds: float) -> datetime:
    return NOW - seconds * SECOND


def outbox(shard: int, messages: int = 0, oldest: datetime | None = None) -> ShardOutbox:
    return ShardOutbox(shard, messages, oldest, "huzhu relay a/1", ago(100))


TABLES = Tables(4, "c", {}, [outbox(shard) for shard in range(4)], 0, None, [], 0, None)
PARTITIONS = {("hospital.expenses", shard): Partition(0, 9, 9) for shard in range(4)}
KAFKA = KafkaReading("c", PARTITIONS, [], "STABLE", [Member("a", 3), Member("b", 1)])
LEDGER = LedgerReading(NOW, [RELAY, WORKER], 0, TABLES)
WELL = HealthReading(NOW, LEDGER, KAFKA, None, [], [])


def told(reading: HealthReading, concern: Concern) -> list[StatusLine]:
    return [line for line in judged(reading, LIMITS) if line.concern is concern]


def verdicts(lines: Iterable[StatusLine]) -> list[bool | None]:
    return [line.well for line in lines]


def with_tables(**changes: Any) -> HealthReading:
    return WELL._replace(ledger=LEDGER._replace(tables=TABLES._replace(**changes)))


def with_kafka(**changes: Any) -> HealthReading:
    return WELL._replace(kafka=KAFKA._replace(**changes))


def test_all_is_well() -> None:
    """One good line for each concern, in a fixed order, and exit status 0."""
    lines = judged(WELL, LIMITS)
    assert list(Concern) == [line.concern for line in lines]
    assert [True] * len(Concern) == verdicts(lines)
    assert 0 == exit_status(lines, GONE)


def test_a_timer_that_runs_tonight_is_not_late() -> None:
    """The day before yesterday is the last closed one until then; today in Shanghai counts."""
    night = datetime(2027, 2, 28, 16, 0, tzinfo=UTC)
    reading = with_tables(closed_days=dict.fromkeys(range(4), date(2027, 2, 27)))
    assert isinstance(reading.ledger, LedgerReading)
    (line,) = told(reading._replace(ledger=reading.ledger._replace(now=night)), Concern.DAYS)
    assert (True, "closed up to 2027-02-27") == (line.well, line.said.en)
    late = reading._replace(ledger=reading.ledger._replace(now=night + timedelta(days=1)))
    assert [False] == verdicts(told(late, Concern.DAYS))


def test_alerts_are_counted_and_no_trouble() -> None:
    """They are the office's work: an old one leaves the line well, and the exit status 0."""
    lines = judged(with_tables(alerts=1234, alerts_oldest=ago(9_000)), LIMITS)
    (line,) = (each for each in lines if each.concern is Concern.ALERTS)
    assert (True, {"alerts": 1234}, 0) == (line.well, line.details, exit_status(lines, GONE))
    assert "1,234 条待查看,最早的自" in line.said.zh
    assert "1,234 to look at, the oldest since" in line.said.en


WRONG: dict[str, tuple[HealthReading, dict[Concern, list[bool | None]]]] = {
    "an old event waits": (
        WELL._replace(lags=[Behind("t", 0, 3, ago(60)), Behind("t", 1, 2, ago(59))]),
        {Concern.INBOUND: [False]},
    ),
    "nobody knows since when it waits": (WELL._replace(lags=[Behind("t", 0, 3, None)]), {Concern.INBOUND: [False]}),
    "what is missing was deleted": (WELL._replace(lost=(("t", 2),)), {Concern.INBOUND: [False]}),
    "a transaction hangs": (WELL._replace(open=[Behind("t", 0, 3, ago(61))]), {Concern.TRANSACTIONS: [False]}),
    "two shards stand": (
        with_tables(outboxes=[outbox(0, 5, ago(60)), outbox(1, 5, ago(10)), outbox(2, 1, None), outbox(3)]),
        {Concern.OUTBOUND: [False, False]},
    ),
    "posts wait": (with_tables(inbox=4, inbox_oldest=ago(60)), {Concern.INBOX: [False]}),
    "persons wait": (with_tables(households=4, households_oldest=ago(60)), {Concern.HOUSEHOLDS: [False]}),
    "pools wait": (with_tables(pools=2, pools_oldest=ago(60)), {Concern.POOLS: [False]}),
    "the timer stands still": (
        with_tables(closed_days=dict.fromkeys(range(4), date(2027, 2, 26))),
        {Concern.DAYS: [False]},
    ),
    "the timer leaves a shard out": (
        with_tables(closed_days=dict.fromkeys(range(3), date(2027, 3, 1))),
        {Concern.DAYS: [False]},
    ),
    "no worker": (with_kafka(members=[], group_state="EMPTY"), {Concern.WORKERS: [False]}),
    "a group that was never there": (with_kafka(members=[], group_state="DEAD"), {Concern.WORKERS: [False]}),
    "a group without a coordinator": (with_kafka(members=[], group_state=AWAY), {Concern.WORKERS: [None]}),
    "the group rebalances": (with_kafka(group_state="PREPARING_REBALANCING"), {Concern.WORKERS: [False]}),
    "a worker without partitions": (
        with_kafka(members=[Member("a", 4), Member("b", 0)]),
        {Concern.WORKERS: [False]},
    ),
    "partitions without a worker": (
        with_kafka(members=[Member("a", 3)] + [Member("b", 0)] * 5),
        {Concern.WORKERS: [False] * 6},
    ),
    "a partition without a leader": (with_kafka(unanswered=[("t", 1), ("t", 2)]), {Concern.KAFKA: [False, False]}),
    "no relay": (WELL._replace(ledger=LEDGER._replace(sessions=[WORKER])), {Concern.RELAYS: [False]}),
    "refused": (WELL._replace(refused="it is a copy", lags=None), {Concern.OWNER: [False], Concern.INBOUND: [None]}),
    "nobody can say whose": (WELL._replace(refused=AWAY), {Concern.OWNER: [None]}),
    "starts again and again": (with_tables(starts=[Starts("worker", 3, ago(5))]), {Concern.RESTARTS: [False]}),
    "old tables": (
        WELL._replace(ledger=LEDGER._replace(tables=Saying("旧", "old")), lags=None),
        {
            Concern.LEDGER: [False],
            Concern.OWNER: [None],
            Concern.INBOUND: [None],
            Concern.OUTBOUND: [None],
            Concern.RELAYS: [None],
            Concern.INBOX: [None],
            Concern.HOUSEHOLDS: [None],
            Concern.POOLS: [None],
            Concern.DAYS: [None],
            Concern.ALERTS: [None],
            Concern.RESTARTS: [None],
        },
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_has_a_line_and_nothing_else_has(name: str) -> None:
    """A line for each thing, exit status 1, and every other concern is well."""
    reading, expected = WRONG[name]
    lines = judged(reading, LIMITS)
    found = {concern: verdicts(each for each in lines if each.concern is concern) for concern in Concern}
    assert found == {concern: expected.get(concern, [True]) for concern in Concern}
    assert 1 == exit_status(lines, GONE)


@pytest.mark.parametrize(
    ("session", "good"),
    [
        (LedgerSession(1, "psql", ago(99), idle_since=ago(15)), False),
        (LedgerSession(1, "psql", ago(99), idle_since=ago(14)), True),
        (LedgerSession(1, SNAPSHOT, ago(99), idle_since=ago(99)), True),
        (
            LedgerSession(1, "huzhu worker a/2", ago(99), waits_since=ago(15), waits_for="shards", blocked_by=(7,)),
            False,
        ),
        (LedgerSession(1, "huzhu worker a/2", ago(99), waits_since=ago(14), waits_for="shards", blocked_by=(7,)), True),
    ],
)
def test_a_session_may_wait_for_a_lease(session: LedgerSession, good: bool) -> None:
    """After that PostgreSQL should have ended one that does nothing, and a lock should have been free."""
    reading = WELL._replace(ledger=LEDGER._replace(sessions=[RELAY, session]))
    assert [good] == verdicts(told(reading, Concern.SESSIONS))


def test_a_short_patience_holds_for_sessions_too() -> None:
    """The shorter of patience and lease counts."""
    session = LedgerSession(1, "psql", ago(9), idle_since=ago(9))
    reading = WELL._replace(ledger=LEDGER._replace(sessions=[RELAY, session]))
    lines = judged(reading, LIMITS._replace(patience=9 * SECOND))
    assert [False] == verdicts(line for line in lines if line.concern is Concern.SESSIONS)


def test_sessions_of_other_users_are_counted() -> None:
    """Nobody can say that they are well."""
    (line,) = told(WELL._replace(ledger=LEDGER._replace(hidden=3)), Concern.SESSIONS)
    assert line.said.en.endswith("(3 are other users' and do not show what they do)")


def test_more_workers_than_shards_stand_by() -> None:
    """As many as there are shards have work: that is well."""
    (line,) = told(with_kafka(members=[Member("a", 1)] * 4 + [Member("b", 0)] * 2), Concern.WORKERS)
    assert (True, "6 hold 4 shards, 2 of them stand by") == (line.well, line.said.en)


@pytest.mark.parametrize(("starts", "running", "good"), [(2, 0, True), (3, 1, False), (4, 2, True), (5, 2, False)])
def test_an_upgrade_is_no_trouble(starts: int, running: int, good: bool) -> None:
    """Each process that runs may have been started twice, or two in all, whichever is more."""
    sessions = [LedgerSession(number, f"huzhu worker a/{number}") for number in range(running)]
    ledger = LEDGER._replace(
        sessions=[RELAY, *sessions], tables=TABLES._replace(starts=[Starts("worker", starts, NOW)])
    )
    assert [good] == verdicts(told(WELL._replace(ledger=ledger), Concern.RESTARTS))


def test_a_server_that_is_away_has_a_line_and_the_rest_is_told() -> None:
    """What depends on it is unknown, what does not is judged; exit status 75 when nothing can be asked."""
    no_kafka = judged(WELL._replace(kafka=AWAY, lags=None, open=None), LIMITS)
    unknown = {line.concern for line in no_kafka if line.well is None}
    assert {Concern.OWNER, Concern.WORKERS, Concern.INBOUND, Concern.TRANSACTIONS} == unknown
    assert [Concern.KAFKA] == [line.concern for line in no_kafka if line.well is False]
    no_ledger = judged(WELL._replace(ledger=AWAY, lags=None), LIMITS)
    known = {line.concern for line in no_ledger if line.well}
    assert {Concern.KAFKA, Concern.WORKERS, Concern.TRANSACTIONS} == known
    assert [Concern.LEDGER] == [line.concern for line in no_ledger if line.well is False]
    neither = judged(HealthReading(NOW, AWAY, AWAY), LIMITS)
    assert list(Concern) == [line.concern for line in neither]
    assert (1, 1, GONE) == (exit_status(no_kafka, GONE), exit_status(no_ledger, GONE), exit_status(neither, GONE))


def test_every_line_stands_in_both_languages() -> None:
    """In every state, and with the same hints."""
    readings = [WELL, HealthReading(NOW, AWAY, AWAY), *(reading for reading, _ in WRONG.values())]
    waits = LedgerSession(1, "psql", ago(99), waits_since=ago(15), waits_for="shards", blocked_by=(7, 9))
    readings.append(WELL._replace(ledger=LEDGER._replace(sessions=[waits])))
    said = {line.said for reading in readings for line in judged(reading, LIMITS)} | set(NAMES.values())
    assert {""} == {difference(*each) for each in said if each.zh != each.en}
    assert {"Kafka", AWAY.why} >= {each.zh for each in said if each.zh == each.en}


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (119, "(119 秒)", "(119 s)"),
        (120, "(2 分钟)", "(2 min)"),
        (7199, "(119 分钟)", "(119 min)"),
        (7200, "(2 小时)", "(2 h)"),
    ],
)
def test_a_length_of_time(seconds: float, zh: str, en: str) -> None:
    """In seconds, minutes or hours, after the moment in Shanghai."""
    said = since_when(ago(seconds), NOW)
    assert (zh, en) == (said.zh[-len(zh) :], said.en[-len(en) :])
    assert "since 2027-03-01 18:00:00 +08:00 (2 h)" == since_when(ago(7200), NOW).en
