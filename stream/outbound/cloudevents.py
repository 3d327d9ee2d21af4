"""CloudEvents 1.0 headers (Kafka binding, binary mode) of outbound messages: a pure function of topic and value.

Every tool that shows a topic shows its headers, and a claim id leads to a person for anyone with the hospital's books.
So only a payout id, which is derived and reveals nothing, becomes a ``subject``.
"""

from __future__ import annotations

from schemas.topics import INSTRUCTIONS, INSURERS, OUTBOUND

Headers = list[tuple[str, str | bytes | None]]

SOURCE = b"/huzhu"
# Values are canonical JSON, where a quote inside a string is always escaped: these bytes can only be the member itself,
# and what is nested before it has no member of that name. Looking for them costs far less than parsing a decision.
_EVENT_ID = b'"event_id":"'
_OCCURRED_AT = b'"occurred_at":"'
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
    instructs = topic == INSTRUCTIONS.name or topic.startswith(INSURERS)
    fixed = _FIXED[INSTRUCTIONS.name] if instructs else _FIXED.get(topic)
    if fixed is None:
        return None
    event_id = _text(_EVENT_ID, value)
    headers = [*fixed, ("ce_id", event_id), ("ce_time", _text(_OCCURRED_AT, value))]
    if instructs:
        headers.append(("ce_subject", event_id))  # the event of an instruction has the payout's id
    return headers


def _text(member: bytes, value: bytes) -> bytes:
    """What stands after a member's name. Ids and times of ours have no character that JSON escapes."""
    start = value.find(member) + len(member)
    assert start >= len(member), "every outbound event has an id and a time"
    return value[start : value.index(b'"', start)]
