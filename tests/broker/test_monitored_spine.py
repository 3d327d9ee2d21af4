"""Worker and relay as a monitor meets them, on a real Kafka: what they counted, and how far the ledger is behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.servers.local.ports import free_ports
from schemas.metrics import Process
from schemas.topics import COVERAGES, EXPENSES
from tests.support.posting import insured, person_of, post, stay, to_post
from tests.support.scraped import MetricsPage, get, scrape, watched
from tests.support.servers import await_true
from tests.support.spine import Spine

READY = (200, "ready\n")


@pytest.fixture
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    with Spine(kafka, postgres_url) as spine:
        spine.publish()
        yield spine


def test_worker_and_relay_tell_what_they_did_and_what_waits(spine: Spine) -> None:
    """First nobody works: the events wait, and a monitor knows since when. Then both do, and nothing waits."""
    person = person_of(1, "P-seen")
    post(spine.bootstrap, map(to_post, [*stay(person, "E-seen", 5000, 1001), *insured(person)]))
    with watched(spine.url, Process.CONSOLE, kafka_bootstrap=spine.bootstrap) as address:
        pages: list[MetricsPage] = []

        def told_by_kafka() -> bool:
            pages.append(scrape(address))
            return pages[-1].value("huzhu_kafka_up") == 1

        assert await_true(told_by_kafka)
    before = pages[-1]
    assert 2 == before.value("huzhu_lag_events", topic=COVERAGES.name, shard="1")
    assert 0 == before.value("huzhu_lag_events", topic=COVERAGES.name, shard="2")
    assert 0 < (before.value("huzhu_lag_seconds", topic=EXPENSES.name, shard="1") or 0) < 600
    ports = dict(zip(("worker", "relay"), free_ports(2), strict=True))
    for name, port in ports.items():
        spine.start(name, name, **{f"{name}_metrics_port": port})
    at = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    spine.await_idle()  # so both have listened by now
    assert await_true(lambda: [READY, READY] == [get(f"{each}/health/ready") for each in at.values()])

    def told_by_relay() -> bool:
        pages.append(scrape(at["relay"]))
        return pages[-1].value("huzhu_outbox_messages", shard="1") == 0

    assert await_true(told_by_relay)
    worker, relay = scrape(at["worker"]), pages[-1]
    assert 2 == worker.value("huzhu_events_total", topic=COVERAGES.name)
    assert (worker.value("huzhu_commit_seconds_count") or 0) > 0
    assert await_true(lambda: scrape(at["worker"]).value("huzhu_lag_events", topic=COVERAGES.name, shard="1") == 0)
    sent = spine.rows("SELECT relayed_seq FROM relays WHERE shard = 1")[0][0]
    assert sent == relay.value("huzhu_messages_sent_total", shard="1")
    assert relay.value("huzhu_kafka_up") is None
