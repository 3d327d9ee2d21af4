"""From a request body to events, by content type. A format that is mapped to events is added to the table here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.access import Caller
from schemas.refusals import Refusal, RefusalCode, refuse
from schemas.topics import EVENT_BYTES_MAX
from web.problems import of_refusal, problem
from web.slicing import array_items

BATCH_EVENTS_MAX = 1000
BODY_BYTES_MAX = 16 * EVENT_BYTES_MAX
"""A batch of 1,000 events of 2 KiB is 2 MiB; eight times that, so that a few long ones fit too."""


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a request, each the bytes as they were sent (or a refusal, where a mapping found none).

    ``single`` says that the sender wrote one event and not a batch.
    """

    items: list[bytes | Refusal]
    single: bool


Format = Callable[[bytes, Caller], Events]
"""Reads a body; raises Problem when it holds no events at all."""


def read_json(body: bytes, caller: Caller) -> Events:
    """One event, or a JSON array of them; each event is the exact slice of the body."""
    if body.lstrip(b" \t\r\n")[:1] != b"[":
        return Events([body.strip(b" \t\r\n")], single=True)
    try:
        items = array_items(body.decode("utf-8"))
    except ValueError:
        raise of_refusal(refuse(RefusalCode.MALFORMED_JSON)) from None
    return _batch([item.encode("utf-8") for item in items])


def read_ndjson(body: bytes, caller: Caller) -> Events:
    """One event a line; blank lines are passed over."""
    return _batch([line for line in (each.strip(b" \t\r") for each in body.split(b"\n")) if line])


FORMATS: dict[str, Format] = {
    "application/json": read_json,
    "application/x-ndjson": read_ndjson,
    "application/jsonl": read_ndjson,
}
"""How each content type is read. `application/vnd.huzhu.national+json` belongs here once it is mapped to events."""


def events_of(content_type: str | None, body: bytes, caller: Caller) -> Events:
    """The events of a body, at most 1,000 and at least one. Raises Problem."""
    reader = FORMATS.get(_media_type(content_type))
    if reader is None:
        raise problem("UNSUPPORTED_MEDIA_TYPE")
    return reader(body, caller)


def require_json(content_type: str | None) -> None:
    """Raises Problem unless the body is said to be JSON."""
    if _media_type(content_type) != "application/json":
        raise problem("UNSUPPORTED_MEDIA_TYPE")


def _media_type(content_type: str | None) -> str:
    """The media type in lower case, JSON where none is given; none at all for another charset than UTF-8."""
    name, _, parameters = (content_type or "application/json").partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    return name.strip().lower() if charset in ("", "charset=utf-8") else ""


def _batch(items: list[bytes]) -> Events:
    if not items:
        raise problem("REQUEST_INVALID", "the batch is empty")
    if len(items) > BATCH_EVENTS_MAX:
        raise problem("BATCH_TOO_LONG")
    return Events(list(items), single=False)
