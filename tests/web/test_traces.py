"""One id from a request through Kafka to the instruction, on real servers; and nothing else that came with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from kafka import TopicPartition
from sqlalchemy import Engine

from infra.json_lines_log import JsonLines
from schemas.access.callers import ApiRole
from schemas.topics import DECISIONS, DISCHARGES, EXPENSES, INSTRUCTIONS
from schemas.traceparent import read_traceparent, trace_id
from stream.inbound.partition_reader import RangeReader
from tests.support.builders import SHARDS, bill, discharge
from tests.support.posting import insured, person_of, post, shard_of_key, stay, to_post
from tests.support.servers import Consumer, Producer
from tests.support.traceparents import traceparent
from tests.web.door import Door, open_door
from tests.web.site import Site

CANARY = "320211199001011234"
SENT_ALONG = {"tracestate": f"huzhu={CANARY}", "baggage": f"person={CANARY}"}


def headers_on(bootstrap: str, topic: str) -> list[dict[str, bytes]]:
    """The headers of every message of a topic."""
    consumer = Consumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    places = [TopicPartition(topic, shard) for shard in range(SHARDS)]
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    found: list[dict[str, bytes]] = []
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=500).values():
            found += [dict(each.headers) for each in records]
    consumer.close()
    return found


def traces_on(bootstrap: str, topic: str) -> set[str | None]:
    """The trace ids on a topic's messages."""
    found = [read_traceparent(each.get("traceparent")) for each in headers_on(bootstrap, topic)]
    return {each and trace_id(each) for each in found}


def test_the_instruction_has_the_trace_id_of_the_request_and_nothing_else_of_its_headers(site: Site) -> None:
    """Through the gateway, the inbox, the forwarder, Kafka, the worker, the outbox and the relay."""
    person = person_of(0, "P-traced")
    post(site.bootstrap, map(to_post, insured(person)))
    with site.client(site.h1, traceparent=traceparent(77), **SENT_ALONG) as client:
        answer = client.post("/v1/events", json=stay(person, "E-traced", 5000, 1001))
        assert 202 == answer.status_code, answer.text
    site.await_idle()
    asked = trace_id(traceparent(77))
    for topic in (DISCHARGES, EXPENSES, DECISIONS, INSTRUCTIONS):
        assert asked in traces_on(site.bootstrap, topic.name), topic.name
        names = {name for each in headers_on(site.bootstrap, topic.name) for name in each}
        assert names.isdisjoint(SENT_ALONG)
    assert CANARY not in site.logs()
    assert [] == site.rows("SELECT 1 FROM inbox WHERE inbox::text LIKE :canary", canary=f"%{CANARY}%")


def test_what_a_hospital_posts_to_kafka_has_its_traceparent_from_the_header(site: Site) -> None:
    """Whether Faust delivers it or the worker reads it itself."""
    person = person_of(1, "P-header")
    post(site.bootstrap, map(to_post, insured(person)))
    with Producer(bootstrap_servers=site.bootstrap, acks="all") as producer:
        for each in map(to_post, stay(person, "E-header", 5000, 1001)):
            headers = [("traceparent", traceparent(78).encode()), ("baggage", CANARY.encode())]
            sent = producer.send(each.topic, value=each.value, key=each.key, headers=headers)
            offset = sent.get(timeout=60).offset
    site.await_idle()
    assert trace_id(traceparent(78)) in traces_on(site.bootstrap, INSTRUCTIONS.name)
    with RangeReader(site.bootstrap) as reader:
        read = reader.read(EXPENSES.name, shard_of_key(person), offset, offset + 1, 1)
    assert [traceparent(78)] == [each.traceparent for each in read.deliveries]


@pytest.fixture
def door(ledger: Engine) -> Iterator[Door]:
    with open_door(ledger) as opened:
        yield opened


def kept(door: Door) -> list[Any]:
    """The traceparents of what waits for Kafka."""
    return [row.traceparent for row in door.rows("SELECT traceparent FROM inbox ORDER BY inbox_no")]


@pytest.mark.parametrize("given", [None, "nonsense", f"00-{CANARY}-01", f"{traceparent(5)}-{CANARY}"])
def test_a_request_without_a_readable_traceparent_gets_one(door: Door, given: str | None) -> None:
    """It is posted all the same."""
    headers = {} if given is None else {"traceparent": given}
    with door.client(door.key(ApiRole.HOSPITAL, "H1"), **headers) as client:
        assert 202 == client.post("/v1/events", json=discharge()).status_code
    (made,) = kept(door)
    assert read_traceparent(made) == made
    assert made[:52] != traceparent(5)[:52]


def test_a_retry_under_another_traceparent_is_the_same_request(door: Door) -> None:
    """The first one counts: the answer is repeated, and nothing is posted twice."""
    key = door.key(ApiRole.HOSPITAL, "H1")
    answers = []
    for number in (1, 2):
        with door.client(key, traceparent=traceparent(number), **{"Idempotency-Key": "night-1"}) as client:
            answers.append(client.post("/v1/events", json=[discharge(), bill()]))
    assert answers[0].content == answers[1].content
    assert "true" == answers[1].headers["Idempotent-Replayed"]
    assert [traceparent(1)] * 2 == kept(door)


def test_what_goes_wrong_in_a_request_is_logged_with_its_trace_id(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    said = StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(JsonLines("gateway"))
    monkeypatch.setattr(logging.getLogger("web.api.api_app"), "handlers", [handler])
    monkeypatch.setattr("web.api.posting.admit_all", lambda *_: 1 / 0)
    with door.client(door.key(ApiRole.HOSPITAL, "H1"), traceparent=traceparent(9)) as client:
        assert 500 == client.post("/v1/events", json=discharge()).status_code
    (line,) = [json.loads(each) for each in said.getvalue().splitlines()]
    assert trace_id(traceparent(9)) == line["trace_id"]
