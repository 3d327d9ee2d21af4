"""Closed days in a real ledger: in order on each shard, refused ones kept, guarded by the database, replayed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from acts.rebuild_books import rebuild_books
from acts.remembered_persons import RememberedPersons
from acts.verify_audit_log import Trust, verify_ledger
from infra.ledger.day_rows import days_of_shards
from infra.ledger.day_tables import closed_days
from infra.ledger.ledger_health import ledger_reading
from schemas.closed_days import ClosedDays
from schemas.health import Tables
from tests.support.acts import publish
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, Json, bill, coverage, discharge
from tests.support.closed_days import DayTopic, day_closed
from tests.support.ledgers import contents, dispositions, give, held, in_order, ticking
from tests.support.outbox import waiting_messages
from tests.support.replayed import assert_replays

FIRST = date(2025, 2, 25)


def rows(ledger: Engine, sql: str) -> list[Any]:
    with ledger.connect() as connection:
        return list(connection.execute(text(sql)))


def test_each_shard_closes_its_own_days_in_order(ledger: Engine) -> None:
    """In one batch and over several, by a worker that has just started or remembers."""
    held(ledger)
    topic, remembered = DayTopic(), RememberedPersons()
    give(ledger, [*topic.post(0, "2025-02-25", "2025-02-26"), *topic.post(2, "2025-02-26")], remembered=remembered)
    give(ledger, topic.post(0, "2025-02-26", "2025-02-27"), remembered=remembered)
    give(ledger, topic.post(2, "2025-02-28", "2025-02-27", "2025-02-26", "2025-02-25"))
    with ledger.connect() as connection:
        found = days_of_shards(connection, range(SHARDS))
        assert {} == days_of_shards(connection, [1, 3])
    second = FIRST + timedelta(days=1)
    assert {0: ClosedDays(FIRST, date(2025, 2, 27)), 2: ClosedDays(second, date(2025, 2, 27))} == found
    assert ["accepted", "accepted", "accepted", "duplicate", "accepted"] == dispositions(ledger)[:5]
    assert ["refused", "accepted", "duplicate", "refused"] == dispositions(ledger)[5:]
    assert_replays(ledger)


def test_a_refused_day_is_kept_with_its_reason(ledger: Engine) -> None:
    """In the ledger and as a dead letter, in both languages."""
    held(ledger)
    topic = DayTopic()
    late = day_closed("2025-03-02", occurred_at="2025-03-01T12:00:00+08:00")
    give(ledger, [*topic.post(1, "2025-02-25", "2025-02-27", late), *topic.post(1, "2025-02-26", key=b"2025-02-26")])
    kept = rows(ledger, "SELECT code, pointers FROM refusals ORDER BY event_no")
    assert [("DAY_OUT_OF_ORDER", ["/day"]), ("DAY_AHEAD", ["/day"]), ("KEY_MISMATCH", [])] == kept
    sent = [json.loads(row.value) for row in waiting_messages(ledger) if row.topic == "claims.deadletter"]
    assert ["DAY_OUT_OF_ORDER", "DAY_AHEAD", "KEY_MISMATCH"] == [each["code"] for each in sent]
    assert all(each["zh"] and each["en"] and each["topic"] == "calendar.days" for each in sent)
    assert_replays(ledger)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_days_between_facts_give_the_same_bytes_again(ledger: Engine, size: int) -> None:
    """However a worker cuts the stream: on a replay, in the books that are made again, and for who checks the log."""
    publish(ledger, POLICY, "test", SHARDS, lambda: RECORDED_AT)
    held(ledger)
    events: list[Json] = [
        each
        for name in ("P1", "P2", "P3")
        for each in (
            coverage(f"C-{name}", person_id=name),
            discharge(f"E-{name}", person_id=name),
            bill(f"S-{name}", f"E-{name}", person_id=name),
        )
    ]
    topic, stream = DayTopic(), []
    for number, fact in enumerate(in_order(events)):
        day = str(FIRST + timedelta(days=number // SHARDS))
        stream += [fact, *topic.post(number % SHARDS, day)]
    remembered, clock = RememberedPersons(), ticking()
    for start in range(0, len(stream), size):
        give(ledger, stream[start : start + size], clock, remembered)
    assert len(events) == len(rows(ledger, "SELECT * FROM closed_days"))
    assert 3 == len(rows(ledger, "SELECT * FROM instructions"))
    assert_replays(ledger)
    assert rebuild_books(ledger, SHARDS).good
    assert [] == verify_ledger(ledger, Trust([], use=False), lambda _: None).findings


def test_a_restored_ledger_reads_the_days_again(ledger: Engine, copies: Callable[[Engine], Engine]) -> None:
    """From Kafka, as it reads facts: days are no acts, which are lost with what a backup lacks."""
    held(ledger)
    topic = DayTopic()
    give(ledger, [*topic.post(0, "2025-02-25"), *topic.post(1, "2025-02-25", "2025-02-26")])
    restored = copies(ledger)
    rest = [*topic.post(1, "2025-02-26", "2025-02-27", "2025-03-02"), *topic.post(0, "2025-02-26", "2025-02-28")]
    for each in (ledger, restored):
        give(each, rest)
        assert_replays(each)
    kept = ("closed_days", "audit_entries", "refusals", "offsets", "events", "shards")
    found = [contents(each) for each in (ledger, restored)]
    assert 5 == len(found[0]["closed_days"])
    assert [found[0][name] for name in kept] == [found[1][name] for name in kept]


def test_a_day_touches_nothing_but_the_log(ledger: Engine) -> None:
    """No claim, benefit or instruction: nothing is due on a day yet."""
    publish(ledger, POLICY, "test", SHARDS, lambda: RECORDED_AT)
    held(ledger)
    give(ledger, in_order([coverage(), discharge(), bill()]))
    before = contents(ledger)
    topic = DayTopic()
    give(ledger, [each for shard in range(SHARDS) for each in topic.post(shard, "2025-02-25", "2025-02-26")])
    changed = {name for name, rows in contents(ledger).items() if rows != before[name]}
    assert {"events", "closed_days", "audit_entries", "shards", "outbox_batches", "offsets"} == changed


def _refused(ledger: Engine, **row: Any) -> str:
    """What the database says to a row of closed days."""
    with pytest.raises(DBAPIError) as raised, ledger.begin() as connection:
        connection.execute(insert(closed_days).values(row))
    return str(raised.value.orig)


@pytest.fixture
def closed(ledger: Engine) -> Engine:
    """Shard 1 has closed two days by events 1 and 2; event 3 was a duplicate, event 4 refused, and 5 a fact."""
    held(ledger)
    topic = DayTopic()
    give(ledger, topic.post(1, "2025-02-25", "2025-02-26", "2025-02-26", "2025-02-28"))
    give(ledger, in_order([coverage()]))
    return ledger


@pytest.mark.parametrize(
    ("shard", "day", "event_no", "said"),
    [
        (1, "2025-02-28", 2, "2025-02-26 is closed and the next day follows"),
        (1, "2025-02-24", 2, "2025-02-26 is closed and the next day follows"),
        (1, "2025-02-26", 2, "2025-02-26 is closed and the next day follows"),
        (0, "2025-02-27", 2, "closes no day of it"),
        (1, "2025-02-27", 3, "closes no day of it"),
        (1, "2025-02-27", 4, "closes no day of it"),
        (1, "2025-02-27", 5, "closes no day of it"),
        (1, "2025-02-27", 99, "closes no day of it"),
        (1, "2025-03-02", 2, "it was 2025-03-01 when that was recorded"),
    ],
)
def test_the_database_refuses_a_day_that_does_not_follow(
    closed: Engine, shard: int, day: str, event_no: int, said: str
) -> None:
    """Out of order, ahead of the day of its event, or not closed by an accepted event of its shard."""
    assert said in _refused(closed, shard=shard, day=date.fromisoformat(day), event_no=event_no)


@pytest.mark.parametrize(
    "change", ["UPDATE closed_days SET day = day - 1", "DELETE FROM closed_days", "TRUNCATE closed_days"]
)
def test_a_closed_day_never_changes(closed: Engine, change: str) -> None:
    """Not even by hand."""
    with pytest.raises(DBAPIError), closed.begin() as connection:
        connection.execute(text(change))
    assert 2 == len(rows(closed, "SELECT * FROM closed_days"))


def test_the_status_is_told_the_last_day_of_each_shard(closed: Engine) -> None:
    """Of those that have any."""
    tables = ledger_reading(closed, timedelta(minutes=10)).tables
    assert isinstance(tables, Tables)
    assert {1: date(2025, 2, 26)} == tables.closed_days
