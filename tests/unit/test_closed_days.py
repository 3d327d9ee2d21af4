"""Days that are closed: what is read as one, what becomes of it, and what `huzhu day close` sends."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from handlers.claims.read import read
from handlers.days.close_day import admit_day
from handlers.days.days_to_send import days_to_send
from handlers.days.read_day import read_day, read_message
from schemas.bilingual import Saying
from schemas.closed_days import ClosedDays, DayClosed
from schemas.policy.model import Policies
from schemas.records import Delivery
from schemas.refusals import Refusal
from schemas.topics import EVENT_BYTES_MAX
from tests.support.builders import Json, death, empty_world, encode, take, values
from tests.support.closed_days import DayTopic, day_closed

CLOSED = ClosedDays(date(2025, 1, 10), date(2025, 1, 20))
TODAY = date(2025, 1, 31)


def said(found: object) -> tuple[str, tuple[str, ...]]:
    assert isinstance(found, Refusal), found
    return found.code, found.pointers


def test_a_closed_day_is_read_as_it_is_written() -> None:
    """Unknown fields are allowed; in its topic it is a day, and in every other and in a file an unknown event."""
    event = encode(day_closed("2025-02-28", note="x"))
    found = read_message(Delivery("calendar.days", 2, 0, None, event))
    assert isinstance(found, DayClosed)
    assert (date(2025, 2, 28), "timer") == (found.day, found.source)
    for refused in (read(event), read_message(Delivery("registry.persons", 2, 0, None, event))):
        assert ("UNKNOWN_EVENT_TYPE", ("/event_type",)) == said(refused)
        assert isinstance(refused, Refusal)
        assert "huzhu day close" in refused.zh
        assert "huzhu day close" in refused.en


@pytest.mark.parametrize(
    ("value", "code", "pointers"),
    [
        (None, "MALFORMED_JSON", ()),
        (b"{", "MALFORMED_JSON", ()),
        (b" " * (EVENT_BYTES_MAX + 1), "TOO_LARGE", ()),
        (b"[]", "SCHEMA_INVALID", ("",)),
        (encode(day_closed(event_type=1.5)), "SCHEMA_INVALID", ("/event_type",)),
        (encode(death()), "UNKNOWN_EVENT_TYPE", ("/event_type",)),
        (encode({**day_closed(), "day": "2025-02-29"}), "SCHEMA_INVALID", ("/day",)),
        (encode({**day_closed(), "day": 20250228}), "SCHEMA_INVALID", ("/day",)),
        (encode(day_closed(source="", occurred_at="2025-02-28")), "SCHEMA_INVALID", ("/occurred_at", "/source")),
    ],
)
def test_what_is_no_closed_day_is_refused(value: bytes | None, code: str, pointers: tuple[str, ...]) -> None:
    """As a fact is, by the rules that look at the message alone, in the same order."""
    assert (code, pointers) == said(read_day(value))


@pytest.mark.parametrize("key", [b"", b"2025-02-28", b"P1"])
def test_a_closed_day_has_no_key(key: bytes) -> None:
    """A partitioner would send it to one shard only."""
    assert ("KEY_MISMATCH", ()) == said(read_day(encode(day_closed()), key))


@pytest.mark.parametrize(
    ("day", "closed", "becomes"),
    [
        ("2025-01-31", None, "accepted"),
        ("2010-01-01", None, "accepted"),
        ("2025-02-01", None, "DAY_AHEAD"),
        ("2025-01-21", CLOSED, "accepted"),
        ("2025-01-20", CLOSED, "duplicate"),
        ("2025-01-10", CLOSED, "duplicate"),
        ("2025-01-09", CLOSED, "DAY_OUT_OF_ORDER"),
        ("2025-01-22", CLOSED, "DAY_OUT_OF_ORDER"),
        ("2025-02-01", CLOSED, "DAY_AHEAD"),
    ],
)
def test_days_are_closed_one_after_the_other_up_to_today(day: str, closed: ClosedDays | None, becomes: str) -> None:
    """The first may be any that has come; then each once, none left out, none before the first."""
    found = admit_day(date.fromisoformat(day), closed, TODAY)
    assert becomes == (found.code if isinstance(found, Refusal) else found)


@pytest.mark.parametrize(
    ("day", "named"), [("2025-02-01", "2025-01-31"), ("2025-01-09", "2025-01-10"), ("2025-01-22", "2025-01-21")]
)
def test_a_refusal_names_the_day_that_would_be_right(day: str, named: str) -> None:
    """Today, the first day, or the next one; in both languages."""
    found = admit_day(date.fromisoformat(day), CLOSED, TODAY)
    assert isinstance(found, Refusal)
    assert named in found.zh
    assert named in found.en


@pytest.mark.parametrize(
    ("recorded_at", "disposition"),
    [
        (datetime(2025, 2, 27, 15, 59, 59, tzinfo=UTC), "refused"),
        (datetime(2025, 2, 27, 16, 0, 0, tzinfo=UTC), "accepted"),
    ],
)
def test_a_day_has_come_at_midnight_in_shanghai(recorded_at: datetime, disposition: str) -> None:
    """By the moment at which the ledger records it, whatever the sender's clock says."""
    event = day_closed("2025-02-28", occurred_at="2025-02-27T23:00:00+08:00")
    outcome = take(empty_world(Policies()), DayTopic().post(1, event), recorded_at)
    assert [disposition] == [row.disposition for row in outcome.events]
    assert (disposition == "accepted") == (len(outcome.closed_days) == 1)


def test_a_sender_whose_clock_is_ahead_is_refused() -> None:
    """As for a fact: by more than a day."""
    event = day_closed("2025-02-28", occurred_at="2025-03-02T12:00:01+08:00")
    outcome = take(empty_world(Policies()), DayTopic().post(1, event), datetime(2025, 3, 1, 4, tzinfo=UTC))
    assert [("FUTURE_DATED", ["/occurred_at"])] == [(row.code, row.pointers) for row in outcome.refusals]


def test_a_closed_day_is_audited_under_its_shard() -> None:
    """With its day and who sent it; one that comes again has an entry too, and closes nothing."""
    topic = DayTopic()
    outcome = take(empty_world(Policies()), topic.post(3, "2025-02-27", day_closed("2025-02-27", source="li.na")))
    assert [(3, date(2025, 2, 27))] == [(row.shard, row.day) for row in outcome.closed_days]
    place: Json = {"topic": "calendar.days", "partition": "3", "event_type": "day.closed", "kind": "day"}
    told: list[Any] = values(outcome.audit)
    assert [
        ("event.accepted", "timer", {**place, "offset": "0", "event_id": "day-2025-02-27", "id": "2025-02-27"}),
        ("event.duplicate", "li.na", {**place, "offset": "1", "event_id": "day-2025-02-27", "id": "2025-02-27"}),
    ] == [(each["kind"], each["actor"], each["subject"]) for each in told]
    assert [3, 3] == [json.loads(row.value)["shard"] for row in outcome.audit]


def sent(day: str, closed: dict[int, ClosedDays]) -> list[tuple[str, int]]:
    found = days_to_send(date.fromisoformat(day), TODAY, closed, 3)
    assert not isinstance(found, Saying), found
    return [(str(day)[-2:], shard) for day, shard in found]


def test_each_shard_gets_the_days_that_it_lacks() -> None:
    """In order. A ledger without any begins with the day; a shard without any begins where the others did."""
    assert [("15", 0), ("15", 1), ("15", 2)] == sent("2025-01-15", {})
    assert [("21", 0), ("21", 1), ("21", 2)] == sent("2025-01-21", dict.fromkeys(range(3), CLOSED))
    behind = ClosedDays(date(2025, 1, 19), date(2025, 1, 19))
    assert [("20", 1), ("21", 0), ("21", 1), ("21", 2)] == sent("2025-01-21", {0: CLOSED, 1: behind, 2: CLOSED})
    assert [("19", 0), ("19", 2), ("20", 0), ("20", 1), ("20", 2)] == sent("2025-01-20", {1: behind})
    assert [] == sent("2025-01-20", dict.fromkeys(range(3), CLOSED))


@pytest.mark.parametrize("day", ["2025-02-01", "2025-01-09"])
def test_a_day_that_cannot_be_closed_is_not_sent(day: str) -> None:
    """Ahead of today, or before the first."""
    assert isinstance(days_to_send(date.fromisoformat(day), TODAY, {1: CLOSED}, 3), Saying)
