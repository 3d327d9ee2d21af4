"""The W3C traceparent: an id that goes along with a request, so that what it caused can be found; it decides nothing.

It is a header, of HTTP and of Kafka alike. Of what W3C Trace Context defines only this is read: ``tracestate`` and
``baggage`` could hold anything about anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

TRACEPARENT = "traceparent"

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def read_traceparent(given: str | bytes | None) -> str | None:
    """A traceparent of version 00: trace id, span id and flags; None for anything else."""
    text = given.decode("latin-1") if isinstance(given, bytes) else given
    return text if text is not None and _FORM.fullmatch(text) else None


def traceparent_in(headers: Iterable[tuple[str, str | bytes | None]] | None) -> str | None:
    """The traceparent among a message's headers; None where there is none, an unreadable one, or several."""
    if not headers:
        return None
    found = [value for name, value in headers if name == TRACEPARENT]
    return read_traceparent(found[0]) if len(found) == 1 else None


def trace_id(traceparent: str) -> str:
    """The id of the whole trace: 32 hexadecimal digits."""
    return traceparent[3:35]
