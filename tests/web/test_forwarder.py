"""From the inbox to Kafka: in order for each person, by one forwarder or several, and at least once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from kafka import TopicPartition
from sqlalchemy import Engine

from infra.ledger import inbox
from infra.settings import Settings
from schemas.access.callers import ApiRole
from stream.inbound.forwarder import Forwarder
from tests.support.acts import create_key
from tests.support.builders import SHARDS, Json, bill
from tests.support.servers import Consumer, await_true, execute
from tests.web.door import open_door
from tests.web.site import Site

SETTINGS = Settings(shards=SHARDS, batch_events=20, relay_poll=0.05)
VERSIONS, PERSONS = 12, 20


def post(site: Site, versions: range) -> None:
    """Posts versions of a bill of each person, one request a version."""
    token = create_key(site.engine, ApiRole.HOSPITAL, ["H1"], "", "test", lambda: datetime.now(UTC))[1]
    with open_door(site.engine) as door, door.client(token) as client:
        for version in versions:
            bills = [bill(f"S{n}", f"E{n}", version=version, person_id=f"P{n}", copay=version) for n in range(PERSONS)]
            assert 202 == client.post("/v1/events", json=bills).status_code


def in_kafka(site: Site) -> list[Json]:
    """The expenses' values, each partition in order."""
    consumer = Consumer(bootstrap_servers=site.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    places = [TopicPartition("hospital.expenses", shard) for shard in range(SHARDS)]
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    found: list[Json] = []
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=500).values():
            for each in records:
                assert each.key == json.loads(each.value)["person_id"].encode()
                found.append(json.loads(each.value))
    consumer.close()
    return found


def test_several_forwarders_send_each_event_once_and_in_order(kafka: str, postgres_url: str) -> None:
    """Three at once on one inbox, while it is filled: every version of every bill once, the older one first."""
    with Site(kafka, postgres_url) as site:
        with Forwarder(site.engine, kafka, SETTINGS), Forwarder(site.engine, kafka, SETTINGS):
            post(site, range(1, VERSIONS // 2))
            with Forwarder(site.engine, kafka, SETTINGS):
                post(site, range(VERSIONS // 2, VERSIONS))
                assert await_true(lambda: site.waiting() == 0, 60)
        lines: dict[str, list[int]] = defaultdict(list)
        for each in in_kafka(site):
            lines[each["settlement_id"]].append(each["version"])
        assert {f"S{n}": list(range(1, VERSIONS)) for n in range(PERSONS)} == lines


class Killed(Exception):
    """The process is gone."""


def test_a_forwarder_that_dies_after_kafka_s_acknowledgement_sends_again(
    kafka: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once: the second copy is a duplicate to the worker, and the row leaves when the ledger has had it."""
    with Site(kafka, postgres_url) as site:
        before = len(in_kafka(site))
        site.start("worker")
        site.await_left(lambda left: left == 0)
        post(site, range(50, 51))
        dying = Forwarder(site.engine, kafka, SETTINGS)
        with monkeypatch.context() as patched:

            def die(*_: object) -> None:
                raise Killed

            patched.setattr(inbox, "mark_sent", die)
            with pytest.raises(Killed):
                dying.step()
        assert PERSONS == site.waiting()
        assert PERSONS == Forwarder(site.engine, kafka, SETTINGS).step()
        assert before + 2 * PERSONS == len(in_kafka(site))
        site.await_left(lambda left: left == 0)
        rows = site.rows("SELECT disposition, count(*) FROM events WHERE value LIKE '%\"50.00\"%' GROUP BY 1")
        taken = {row[0]: row[1] for row in rows}
        assert {"accepted": PERSONS, "duplicate": PERSONS} == taken
        with site.engine.begin() as connection:
            assert PERSONS == inbox.forget_taken_in(connection, timedelta(0))
        assert 0 == site.rows("SELECT count(*) FROM inbox")[0][0]


class BrokenProducer:
    """A producer of confluent_kafka whose broker acknowledges the first message and no other."""

    made: list[BrokenProducer]

    def __init__(self, _: object) -> None:
        self.held: list[tuple[bytes, Callable[[Any, Any], None]]] = []
        self.acknowledged = False
        self.made.append(self)

    def produce(self, topic: str, *, value: bytes, on_delivery: Callable[[Any, Any], None], **_: object) -> None:
        self.held.append((value, on_delivery))

    def flush(self, _: float) -> int:
        if self.held and not self.acknowledged:
            self.held.pop(0)[1](None, self)
            self.acknowledged = True
        return len(self.held)

    def offset(self) -> int:
        return 0

    def purge(self) -> None:
        """Messages on their way cannot be called back."""


def test_a_producer_that_failed_is_never_used_again(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it still holds would arrive after newer events; what it had acknowledged is not sent twice."""
    monkeypatch.setattr("stream.inbound.forwarder.Producer", BrokenProducer)
    monkeypatch.setattr(BrokenProducer, "made", [], raising=False)
    token = create_key(ledger, ApiRole.HOSPITAL, ["H1"], "", "test", lambda: datetime.now(UTC))[1]
    with open_door(ledger) as door, door.client(token) as client:
        assert 202 == client.post("/v1/events", json=[bill(f"S{n}") for n in range(3)]).status_code
    forwarder = Forwarder(ledger, "nowhere:9", SETTINGS)
    for _ in range(2):
        with pytest.raises(KafkaException) as told:
            forwarder.step()
        assert KafkaError._TIMED_OUT == told.value.args[0].code()
    first, second = ([json.loads(value)["settlement_id"] for value, _ in each.held] for each in BrokenProducer.made)
    assert (["S1", "S2"], ["S2"]) == (first, second)


def test_a_ledger_that_is_away_is_not_taken_for_kafka(
    kafka: str, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """While PostgreSQL lets nobody in, and afterwards, Kafka counts as there: nobody has to post for that."""
    with Site(kafka, postgres_url) as site, Forwarder(site.engine, kafka, SETTINGS) as forwarder:
        assert await_true(lambda: forwarder.kafka_answers)
        name = site.engine.url.database
        execute(postgres_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", alone=True)
        execute(postgres_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        assert await_true(lambda: "waiting for the ledger for" in caplog.text)
        assert forwarder.kafka_answers
        execute(postgres_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true", alone=True)
        post(site, range(70, 71))
        assert await_true(lambda: site.waiting() == 0)
        assert forwarder.kafka_answers


def test_kafka_is_seen_to_be_back_without_a_post(kafka: str, postgres_url: str) -> None:
    """A forwarder that last found Kafka away asks again, though there is nothing to send."""
    with Site(kafka, postgres_url) as site, Forwarder(site.engine, kafka, SETTINGS) as forwarder:
        assert await_true(lambda: forwarder.kafka_answers)
        forwarder.kafka_answers = False
        assert await_true(lambda: forwarder.kafka_answers)
