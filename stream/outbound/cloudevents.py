"""CloudEvents 1.0 headers (Kafka binding, binary mode) of the messages that leave: a pure function of topic and value.

Headers stand in clear in every tool that shows a topic, and a claim's id leads to a person for whoever has the
hospital's books. So only a payout's id, which is derived and says nothing, becomes a ``subject``.
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
    """The headers of one message; None on topics that are not ours to write, as when a refused event is sent again."""
    fixed = _FIXED.get(topic)
    if fixed is None:
        return None
    event_id, occurred_at = _EVENT_ID.search(value), _OCCURRED_AT.search(value)
    assert event_id, "every event that leaves has an id"
    assert occurred_at, "every event that leaves has a time"
    headers = [*fixed, ("ce_id", event_id[1]), ("ce_time", occurred_at[1])]
    if topic == INSTRUCTIONS.name:
        headers.append(("ce_subject", event_id[1]))  # a payout.instructed is called like its payout
    return headers
