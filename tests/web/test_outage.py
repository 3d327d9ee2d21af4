"""Kafka is away while hospitals post: what is acknowledged waits in the ledger, and is decided when Kafka is back."""

from __future__ import annotations

import os
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka import topic_setup
from infra.servers.local.kafka_server import LocalKafka
from infra.settings import Settings
from tests.support.builders import SHARDS, bill, discharge
from tests.support.servers import await_true
from tests.web.site import Site

CLIENTS = 4
BEFORE, DURING, AFTER = 10, 30, 10
HEALED_S_MAX = 120.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalKafka]:
    """A broker of our own, which can be killed and comes back on its port with its data."""
    with LocalKafka.start(tmp_path / "kafka") as running:
        topic_setup.apply(running.bootstrap, Settings(shards=SHARDS))
        yield running


class Hospital(threading.Thread):
    """Posts one event after the other, versions of five bills in turn; keeps what was acknowledged."""

    def __init__(self, site: Site, number: int, events: range) -> None:
        super().__init__()
        self.site, self.number, self.events = site, number, events
        self.acknowledged: list[tuple[str, int]] = []
        self.refused: list[str] = []

    def run(self) -> None:
        person = f"K{self.number}"
        with self.site.client(self.site.h1) as client:
            for version in self.events:
                name = f"S-{person}-{version % 5}"
                event = bill(name, f"E-{person}", 1000 + version, version=version + 1, person_id=person)
                answer = client.post("/v1/events", json=event)
                if answer.status_code == 202:
                    self.acknowledged.append((name, version + 1))
                else:
                    self.refused.append(answer.text)


def posted(site: Site, events: range) -> list[Hospital]:
    """What four hospitals posted at once."""
    hospitals = [Hospital(site, number, events) for number in range(CLIENTS)]
    for each in hospitals:
        each.start()
    for each in hospitals:
        each.join()
    return hospitals


def test_nothing_acknowledged_is_lost_in_an_outage_of_kafka(cluster: LocalKafka, postgres_url: str) -> None:
    """The broker is killed between posts and comes back; a gateway is killed and another starts while it is away.

    All posts are acknowledged throughout; in the end each is a fact, accepted in order for each person.
    """
    with Site(cluster.bootstrap, postgres_url) as site:
        site.publish()
        site.start("worker", session_timeout=6)
        site.start_gateway(ledger_lease=6)
        hospitals = posted(site, range(BEFORE))
        os.kill(cluster.pids[0], signal.SIGKILL)
        with site.client(site.h1) as client:  # although nobody posts meanwhile
            assert await_true(lambda: client.get("/readyz").json()["kafka"] == "away", 60)
        hospitals += posted(site, range(BEFORE, BEFORE + DURING))
        assert site.waiting() > 0
        with site.client(site.h1) as client:
            undecided = client.post("/v1/settlements?wait=200ms", json=bill("S-K", "E-K", person_id="K"))
            assert 202 == undecided.status_code
            assert "received" == client.get(undecided.headers["location"]).json()["state"]
            assert await_true(lambda: client.get("/readyz").json()["kafka"] == "away", 60)
        site.kill("gateway")
        site.start_gateway("second", ledger_lease=6)
        hospitals += posted(site, range(BEFORE + DURING, BEFORE + DURING + AFTER))
        cluster.restart_node(0)
        if not site.runs("worker"):
            site.start("worker", session_timeout=6)
        acknowledged = {each for hospital in hospitals for each in hospital.acknowledged} | {("S-K", 1)}
        assert [] == [text for hospital in hospitals for text in hospital.refused]
        assert CLIENTS * (BEFORE + DURING + AFTER) + 1 == len(acknowledged)

        def facts() -> set[tuple[str, int]]:
            if not site.runs("worker"):
                site.start("worker", session_timeout=6)
            return {(row.subject_id, row.version) for row in site.rows("SELECT * FROM facts WHERE kind = 'settlement'")}

        assert await_true(lambda: facts() == acknowledged, HEALED_S_MAX), site.logs()
        assert 0 == site.waiting()
        order: dict[str, list[int]] = defaultdict(list)
        for row in site.rows("SELECT subject_id, version FROM facts WHERE kind = 'settlement' ORDER BY event_no"):
            order[row.subject_id].append(row.version)
        assert all(versions == sorted(versions) for versions in order.values())
        with site.client(site.h1) as client:
            assert 202 == client.post("/v1/events", json=discharge("E-K", person_id="K")).status_code
        site.await_left(lambda left: left == 0)
        dispositions = {row[0] for row in site.rows("SELECT DISTINCT disposition FROM events")}
        assert dispositions <= {"accepted", "duplicate", "policy", "key"}
