"""`huzhu day close` on a real broker, and a worker that takes the days into the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from subprocess import CompletedProcess

import pytest

from schemas.dates import shanghai_date
from tests.support.builders import SHARDS
from tests.support.processes import huzhu
from tests.support.replayed import assert_replays
from tests.support.spine import Spine

CLOSED = "SELECT shard, day FROM closed_days ORDER BY shard, event_no"


@pytest.fixture(scope="module")
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    """A ledger that belongs to the broker; no worker yet."""
    with Spine(kafka, postgres_url) as spine:
        assert spine.engine
        yield spine


def close(spine: Spine, day: date) -> CompletedProcess[str]:
    return huzhu(
        *("day", "close", str(day), "--language", "en"),
        HUZHU_DATABASE_URL=spine.url,
        HUZHU_KAFKA_BOOTSTRAP=spine.bootstrap,
        HUZHU_SHARDS=str(SHARDS),
    )


def test_days_go_through_the_broker_into_the_ledger(spine: Spine) -> None:
    """On every shard, in order, those that were left out too; before the worker starts and while it runs."""
    today = shanghai_date(datetime.now(UTC))
    first, second, last = (today - timedelta(days=before) for before in (5, 4, 1))
    for day in (first, second):
        done = close(spine, day)
        assert (0, f"Closed {day}: sent to 4 partitions.\n") == (done.returncode, done.stdout), done.stderr
    spine.start("worker")
    spine.await_left(lambda left: left == 0)
    done = close(spine, last)
    assert f"Closed {second + timedelta(days=1)} to {last}: sent to 4 partitions.\n" == done.stdout, done.stderr
    spine.await_left(lambda left: left == 0)
    days = [first + timedelta(days=n) for n in range(5)]
    assert [(shard, day) for shard in range(SHARDS) for day in days] == spine.rows(CLOSED)
    again = close(spine, last)
    assert (0, f"{last} is closed already, nothing to do.\n") == (again.returncode, again.stdout)
    for day, said in (
        (first - timedelta(days=1), "was the first day that was closed"),
        (today + timedelta(days=2), "has not come yet"),
    ):
        wrong = close(spine, day)
        assert (2, "") == (wrong.returncode, wrong.stdout)
        assert said in wrong.stderr
    assert [] == spine.rows("SELECT 1 FROM events WHERE disposition NOT IN ('accepted', 'duplicate')")
    assert_replays(spine.engine)
