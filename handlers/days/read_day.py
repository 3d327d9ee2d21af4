"""From the bytes of any inbound message to what it says, looking at the message alone."""

from __future__ import annotations

from typing import TypeAlias

from pydantic import ValidationError

from handlers.claims.event_json import parse_event
from handlers.claims.read import Reading, event_type_of, pointer_of, read
from handlers.words.field_hints import field_hint
from schemas.bilingual import Saying
from schemas.closed_days import DayClosed
from schemas.records import Delivery
from schemas.refusals import Refusal, RefusalCode, refuse
from schemas.topics import DAYS, EVENT_BYTES_MAX

Read: TypeAlias = Reading | DayClosed | Refusal
"""A fact, a day that is closed, or why the message is neither."""

_NO_KEY = Saying("日终报文不带消息键,每个分区各发一条", "a closed day has no key: each partition gets one of its own")


def read_message(delivery: Delivery) -> Read:
    """What a message of an inbound topic says."""
    if delivery.topic == DAYS.name:
        return read_day(delivery.value, delivery.key)
    return read(delivery.value, delivery.key, delivery.topic)


def read_day(value: bytes | None, key: bytes | None = None) -> DayClosed | Refusal:
    """The closed day in the bytes of one message, or why there is none. Total, and in the order of `read`."""
    value = value or b""
    if len(value) > EVENT_BYTES_MAX:
        return refuse(RefusalCode.TOO_LARGE)
    document = parse_event(value)
    if isinstance(document, Refusal):
        return document
    event_type = event_type_of(document)
    if isinstance(event_type, Refusal):
        return event_type
    if event_type not in DAYS.event_types:
        return refuse(RefusalCode.UNKNOWN_EVENT_TYPE, pointers=("/event_type",))
    try:
        event = DayClosed.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        pointers = tuple(dict.fromkeys(pointer_of(detail["loc"]) for detail in details))
        return refuse(RefusalCode.SCHEMA_INVALID, field_hint(details[0]), pointers)
    if key is not None:
        return refuse(RefusalCode.KEY_MISMATCH, _NO_KEY)
    return event
