"""From a request body to events, by content type."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handlers.national.convert import parse
from handlers.national.settlement_batch import convert_all
from infra.clock import utc_now
from schemas.national.mapping import NationalMappings
from schemas.national.national_refusal import NationalRefusal
from schemas.refusals import RefusalCode, refuse
from schemas.topics import EVENT_BYTES_MAX
from web.api.json_slices import array_items
from web.api.problems import Problem, of_national, of_refusal, problem

BATCH_EVENTS_MAX = 1000
BODY_BYTES_MAX = 16 * EVENT_BYTES_MAX
"""A batch of 1,000 events of 2 KiB is 2 MiB; eight times that, so that a few long ones fit too."""


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a request, each the bytes as they were sent (or why a record could not be mapped to events).

    ``single`` says that the sender wrote one event and not a batch.
    """

    items: list[bytes | Problem]
    single: bool


Format = Callable[[bytes], Events]
"""Reads a body; raises Problem when it holds no events at all."""


def read_json(body: bytes) -> Events:
    """One event, or a JSON array of them; each event is the exact slice of the body."""
    if body.lstrip(b" \t\r\n")[:1] != b"[":
        return Events([body.strip(b" \t\r\n")], single=True)
    try:
        items = array_items(body.decode("utf-8"))
    except ValueError:
        raise of_refusal(refuse(RefusalCode.MALFORMED_JSON)) from None
    return _batch([item.encode("utf-8") for item in items])


def read_ndjson(body: bytes) -> Events:
    """One event a line; blank lines are passed over."""
    return _batch([line for line in (each.strip(b" \t\r") for each in body.split(b"\n")) if line])


def national_reader(mappings: NationalMappings) -> Format:
    """A reader of national settlement lists (docs/national-list.md): a record becomes its events, or a refusal."""

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


def formats(mappings: NationalMappings | None) -> dict[str, Format]:
    """How each content type is read. National lists only where the operator has said how they are to be counted."""
    known: dict[str, Format] = {
        "application/json": read_json,
        "application/x-ndjson": read_ndjson,
        "application/jsonl": read_ndjson,
    }
    return known if mappings is None else known | {NATIONAL: national_reader(mappings)}


def events_of(known: dict[str, Format], content_type: str | None, body: bytes) -> Events:
    """The events of a body, at most 1,000 and at least one. Raises Problem."""
    reader = known.get(_media_type(content_type))
    if reader is None:
        raise problem("UNSUPPORTED_MEDIA_TYPE")
    return reader(body)


def require_json(content_type: str | None) -> None:
    """Raises Problem unless the body is said to be JSON."""
    if _media_type(content_type) != "application/json":
        raise problem("UNSUPPORTED_MEDIA_TYPE")


def _media_type(content_type: str | None) -> str:
    """The media type in lower case, JSON where none is given; none at all for another charset than UTF-8."""
    name, _, parameters = (content_type or "application/json").partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    return name.strip().lower() if charset in ("", "charset=utf-8") else ""


def _batch(items: Sequence[bytes | Problem]) -> Events:
    if not items:
        raise problem("REQUEST_INVALID", "the batch is empty")
    if len(items) > BATCH_EVENTS_MAX:
        raise problem("BATCH_TOO_LONG")
    return Events(list(items), single=False)
