"""CloudEvents 1.0 headers (Kafka binding, binary mode) of outbound messages: a pure function of topic and value.

Every tool that shows a topic shows its headers, and a claim id leads to a person for anyone with the hospital's books.
So only a payout id, which is derived and reveals nothing, becomes a ``subject``.
"""

from __future__ import annotations

import re

from schemas.topics import INSTRUCTIONS, OUTBOUND

Headers = list[tuple[str, str | bytes | None]]

SOURCE = b"/huzhu"
# Values are canonical JSON, where a quote inside a string is always escaped: these bytes can only be the member itself,
# and what is nested before it has no member of that name. A search costs a tenth of parsing a decision.
_EVENT_ID = re.compile(rb'"event_id":"([!-!#-\[\]-~]+)"')
_OCCURRED_AT = re.compile(rb'"occurred_at":"([0-9TZ:.+-]+)"')
_FIXED: dict[str, Headers] = {
    topic.name: [
        ("ce_specversion", b"1.0"),
        ("ce_type", topic.event_types[0].encode()),
        ("ce_source", SOURCE),
        ("content-type", b"application/json"),
    ]
    for topic in OUTBOUND
}


def headers_of(topic: str, value: bytes) -> Headers | None:
    """The headers of one message; None on inbound topics, to which refused events are sent again."""
    fixed = _FIXED.get(topic)
    if fixed is None:
        return None
    event_id, occurred_at = _EVENT_ID.search(value), _OCCURRED_AT.search(value)
    assert event_id, "every outbound event has an id"
    assert occurred_at, "every outbound event has a time"
    headers = [*fixed, ("ce_id", event_id[1]), ("ce_time", occurred_at[1])]
    if topic == INSTRUCTIONS.name:
        headers.append(("ce_subject", event_id[1]))  # the event of an instruction has the payout's id
    return headers
