"""Spans over OpenTelemetry's interface: without its SDK nothing is recorded, and only the traceparents go along.

A span never holds what an error says: databases and models quote personal data in it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

__all__ = ["Span", "SpanKind", "current_traceparent", "trace_with", "traced", "traced_request"]

LINKS_MAX = 128
"""As many as an SDK keeps, unless it is told otherwise."""

_in_use = trace.get_tracer("huzhu")


def trace_with(tracer: trace.Tracer) -> trace.Tracer:
    """From now on this process makes its spans there. Returns where it made them before."""
    global _in_use
    before, _in_use = _in_use, tracer
    return before


@contextmanager
def traced(name: str, kind: SpanKind, traceparents: Iterable[str | None]) -> Iterator[Span]:
    """A span around work on messages with these traceparents.

    Where all have the same one, the span belongs to that trace. Otherwise it is linked to each of them, up to 128.
    """
    distinct = list(dict.fromkeys(traceparents))
    same = distinct[0] if len(distinct) == 1 else None
    known = [] if same else [each for each in distinct if each is not None]
    links = [Link(_span_context(each)) for each in known[:LINKS_MAX]]
    with _span(name, kind, _context_of(same), links) as span:
        yield span


@contextmanager
def traced_request(name: str, traceparent: str | None) -> Iterator[Span]:
    """A span around a request, which goes on under its traceparent, or under a new one if it has none."""
    with _span(name, SpanKind.SERVER, _context_of(traceparent)) as span:
        if span.get_span_context().is_valid:
            yield span
            return
        # no SDK makes ids
        made = SpanContext(secrets.randbits(128) or 1, secrets.randbits(64) or 1, is_remote=False)
        with trace.use_span(NonRecordingSpan(made)) as unrecorded:
            yield unrecorded


def current_traceparent() -> str | None:
    """That of the span in which the caller works, if any."""
    at = trace.get_current_span().get_span_context()
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}" if at.is_valid else None


@contextmanager
def _span(name: str, kind: SpanKind, context: Context, links: Sequence[Link] = ()) -> Iterator[Span]:
    with _in_use.start_as_current_span(
        name, context, kind, links=links, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def _context_of(traceparent: str | None) -> Context:
    """The context of whoever sent a traceparent; an empty one where there is none."""
    if traceparent is None:
        return Context()
    return trace.set_span_in_context(NonRecordingSpan(_span_context(traceparent)), Context())


def _span_context(traceparent: str) -> SpanContext:
    _, of_trace, of_span, flags = traceparent.split("-")
    return SpanContext(int(of_trace, 16), int(of_span, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
