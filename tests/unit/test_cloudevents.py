"""CloudEvents headers say what the value says, whatever stands in its strings."""

from __future__ import annotations

import json
import re

import pytest

from schemas.contract import asyncapi
from schemas.topics import CHECKPOINTS, DECISIONS, OUTBOUND, RELAY_CURSORS, STATEMENTS, insurer_topic
from stream.outbound.cloudevents import headers_of, source_of
from tests.support.builders import POLICY, Json, bill, coverage, death, discharge, policies, process
from tests.support.statement_messages import statement_messages


@pytest.mark.parametrize("name", ["E1", 'E","event_id":"x","occurred_at":"y', '\\"event_id":"x"', "住院一号"])
def test_headers_are_those_of_the_value(name: str) -> None:
    """Ids are the senders' own: one that looks like a member of the event is still only text."""
    events: list[Json | bytes] = [coverage(), discharge(name), bill("S1", name), b"{", death("2024-02-01")]
    sent = process(events, policies(POLICY)).outbox
    taken = [{"scheme_id": "village_mutual_aid", "amount": "900.00"}]
    withdrawn = [*events[:2], bill("S1", name, advances=taken), bill("S1", name, version=2)]
    sent += process(withdrawn, policies(POLICY)).outbox
    sent += statement_messages()
    elsewhere = {CHECKPOINTS.name}  # made by whoever signs the audit log
    assert {"alert.raised", "alert.withdrawn"} <= {json.loads(row.value)["event_type"] for row in sent}
    assert {topic.name for topic in OUTBOUND} - elsewhere == {row.topic for row in sent}
    for row in sent:
        value, headers = json.loads(row.value), headers_of(row.topic, row.value)
        assert headers is not None
        found = {key: each.decode() for key, each in headers if isinstance(each, bytes)}
        assert (value["event_type"], value["event_id"], value["occurred_at"]) == (
            found["ce_type"],
            found["ce_id"],
            found["ce_time"],
        )
        if row.topic == STATEMENTS.name:
            assert headers == headers_of(insurer_topic("insurer-a", STATEMENTS).name, row.value)
        assert value.get("payout_id") == found.get("ce_subject") or row.topic != "payouts.instructions"


def test_the_source_tells_installations_apart() -> None:
    """Without a prefix it is what it was before there were any. Both are as the contract says."""
    declared = asyncapi.document()["components"]["schemas"]["cloudevents"]
    outbox = process([discharge(), bill()], policies(POLICY)).outbox
    sent = next(row for row in outbox if row.topic == DECISIONS.name)
    for prefix, source in (("", b"/huzhu"), ("wuxi.", b"/huzhu/wuxi")):
        assert source == dict(headers_of(sent.topic, sent.value, source_of(prefix)) or [])["ce_source"]
        assert re.fullmatch(declared["properties"]["ce_source"]["pattern"], source.decode())


@pytest.mark.parametrize("topic", ["hospital.expenses", RELAY_CURSORS.name])
def test_what_is_not_an_event_of_ours_has_no_headers(topic: str) -> None:
    """A refused event that is sent again is its sender's, and a cursor is no event."""
    assert headers_of(topic, b"anything") is None
