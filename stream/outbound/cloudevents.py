"""CloudEvents 1.0 headers (Kafka binding, binary mode) of outbound messages: a pure function of topic and value.

Every tool that shows a topic shows its headers, and a claim id leads to a person for anyone with the hospital's books.
So only a payout id, which is derived and reveals nothing, becomes a ``subject``.
"""

from __future__ import annotations

from schemas.topics import INSTRUCTIONS, OUTBOUND, copied_from

Headers = list[tuple[str, str | bytes | None]]

SOURCE = b"/huzhu"
# Values are canonical JSON, where a quote inside a string is always escaped: these bytes can only be the member itself,
# and what is nested before it has no member of that name. Looking for them costs far less than parsing a decision.
_EVENT_ID = b'"event_id":"'
_EVENT_TYPE = b'"event_type":"'
_OCCURRED_AT = b'"occurred_at":"'
_NAMES = {topic.name: topic for topic in OUTBOUND}


def source_of(prefix: str) -> bytes:
    """Who sends: with the id it names an event, so that those of two installations cannot be taken for one."""
    return SOURCE + b"/" + prefix.rstrip(".").encode() if prefix else SOURCE


def headers_of(topic: str, value: bytes, source: bytes = SOURCE) -> Headers | None:
    """The headers of one message; None on inbound topics, to which refused events are sent again, and granted aid."""
    of = _NAMES.get(topic) or copied_from(topic)
    if of is None:
        return None
    event_id = _text(_EVENT_ID, value)
    headers: Headers = [("ce_specversion", b"1.0"), ("ce_source", source), ("content-type", b"application/json")]
    headers += [("ce_type", _text(_EVENT_TYPE, value)), ("ce_id", event_id)]
    headers.append(("ce_time", _text(_OCCURRED_AT, value)))
    if of is INSTRUCTIONS:
        headers.append(("ce_subject", event_id))  # the event of an instruction has the payout's id
    return headers


def _text(member: bytes, value: bytes) -> bytes:
    """What stands after a member's name. Ids and times of ours have no character that JSON escapes."""
    start = value.find(member) + len(member)
    assert start >= len(member), "every outbound event has an id and a time"
    return value[start : value.index(b'"', start)]
