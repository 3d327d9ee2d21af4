"""Reads the events in a request body, by content type."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handlers.national.convert import parse
from handlers.national.settlement_batch import convert_all
from handlers.words.field_hints import json_hint
from infra.clock import utc_now
from schemas.bilingual import Saying
from schemas.national.mapping import NationalMappings
from schemas.national.national_refusal import NationalRefusal
from schemas.refusals import RefusalCode, refuse
from schemas.topics import EVENT_BYTES_MAX
from web.api.json_slices import array_items
from web.api.problems import Problem, of_national, of_refusal, problem

BATCH_EVENTS_MAX = 1000
BODY_BYTES_MAX = 16 * EVENT_BYTES_MAX
"""A batch of 1,000 events of 2 KiB is 2 MiB; eight times that leaves room for a few long ones."""


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a request: each as the bytes that were sent, or the Problem with a record that cannot be mapped.

    ``single`` means that the sender wrote one event, not a batch.
    """

    items: list[bytes | Problem]
    single: bool


BodyReader = Callable[[bytes], Events]
"""Reads a body; raises Problem when it contains no events at all."""


def read_json(body: bytes) -> Events:
    """One event, or a JSON array of them; each event is the exact slice of the body."""
    if body.lstrip(b" \t\r\n")[:1] != b"[":
        return Events([body.strip(b" \t\r\n")], single=True)
    try:
        items = array_items(body.decode("utf-8"))
    except ValueError as error:
        raise of_refusal(refuse(RefusalCode.MALFORMED_JSON, json_hint(error))) from None
    return _batch([item.encode("utf-8") for item in items])


def read_ndjson(body: bytes) -> Events:
    """One event per line; blank lines are skipped."""
    return _batch([line for line in (line.strip(b" \t\r") for line in body.split(b"\n")) if line])


def national_reader(mappings: NationalMappings) -> BodyReader:
    """A reader of national settlement lists (docs/national-list.md): each record becomes its events, or a Problem."""

    def read_national(body: bytes) -> Events:
        records = parse(body)
        if isinstance(records, NationalRefusal):
            raise of_national(records)
        answers = convert_all(records, mappings, utc_now())
        items: list[bytes | Problem] = []
        for answer in answers:
            if isinstance(answer, NationalRefusal):
                items.append(of_national(answer))
            else:
                items += [json.dumps(event, ensure_ascii=False).encode("utf-8") for event in answer.events]
        return _batch(items)

    return read_national


NATIONAL = "application/vnd.huzhu.national+json"


def body_readers(mappings: NationalMappings | None) -> dict[str, BodyReader]:
    """The reader of each content type. National lists need the operator's mappings."""
    readers: dict[str, BodyReader] = {
        "application/json": read_json,
        "application/x-ndjson": read_ndjson,
        "application/jsonl": read_ndjson,
    }
    return readers if mappings is None else readers | {NATIONAL: national_reader(mappings)}


def events_of(readers: dict[str, BodyReader], content_type: str | None, body: bytes) -> Events:
    """The events of a body: at least one, at most 1,000. Raises Problem."""
    reader = readers.get(_media_type(content_type))
    if reader is None:
        raise problem("UNSUPPORTED_MEDIA_TYPE")
    return reader(body)


def require_json(content_type: str | None) -> None:
    """Raises Problem unless the content type is JSON."""
    if _media_type(content_type) != "application/json":
        raise problem("UNSUPPORTED_MEDIA_TYPE")


def _media_type(content_type: str | None) -> str:
    """The media type in lower case; JSON by default, and empty for any charset other than UTF-8."""
    name, _, parameters = (content_type or "application/json").partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    return name.strip().lower() if charset in ("", "charset=utf-8") else ""


def _batch(items: Sequence[bytes | Problem]) -> Events:
    if not items:
        raise problem("REQUEST_INVALID", Saying("批内没有报文", "the batch is empty"))
    if len(items) > BATCH_EVENTS_MAX:
        raise problem("BATCH_TOO_LONG")
    return Events(list(items), single=False)
