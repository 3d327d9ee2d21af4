"""Spans: to which trace they belong, and that they hold nothing about anybody."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infra.json_lines_log import JsonLines
from infra.tracing import LINKS_MAX, SpanKind, current_traceparent, trace_with, traced, traced_request
from schemas.traceparent import read_traceparent, trace_id
from tests.support.traceparents import traceparent

BATCH = ("worker batch", SpanKind.CONSUMER)


class Recorded:
    """The spans that an SDK would send."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.tracer = provider.get_tracer("test")

    def only(self) -> ReadableSpan:
        (span,) = self._kept.get_finished_spans()
        return span


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    made = Recorded()
    before = trace_with(made.tracer)
    yield made
    trace_with(before)


def said() -> dict[str, str]:
    """A line of the log as it is written now."""
    record = logging.LogRecord("a", logging.INFO, "", 0, "said", None, None)
    line: dict[str, str] = json.loads(JsonLines("worker").format(record))
    return line


def test_what_all_messages_have_is_the_batchs_without_an_sdk() -> None:
    """And stands in the log."""
    with traced(*BATCH, [traceparent(1)] * 3):
        assert traceparent(1) == current_traceparent()
        assert trace_id(traceparent(1)) == said()["trace_id"]
    assert "trace_id" not in said()


@pytest.mark.parametrize("given", [[], [None], [traceparent(1), None], [traceparent(1), traceparent(2)]])
def test_a_batch_of_several_traces_is_of_none(given: list[str | None]) -> None:
    with traced(*BATCH, given):
        assert current_traceparent() is None
        assert "trace_id" not in said()


def test_a_request_goes_on_under_its_traceparent() -> None:
    with traced_request("request", traceparent(7)):
        assert traceparent(7) == current_traceparent()


def test_a_request_without_one_gets_its_own() -> None:
    found = []
    for _ in range(2):
        with traced_request("request", None):
            found.append(current_traceparent())
    assert all(read_traceparent(each) for each in found)
    assert found[0] != found[1]


def test_an_sdk_sees_the_request_in_the_senders_trace(recorded: Recorded) -> None:
    """What goes on names the gateway's own span."""
    with traced_request("request", traceparent(7)):
        goes_on = current_traceparent()
    span = recorded.only()
    assert span.context is not None
    assert span.parent is not None
    assert (7, 7) == (span.context.trace_id, span.parent.span_id)
    assert goes_on == f"00-{7:032x}-{span.context.span_id:016x}-01"


def test_an_sdk_sees_links_to_the_messages_of_a_batch(recorded: Recorded) -> None:
    with traced(*BATCH, [traceparent(1), None, traceparent(2), traceparent(1)]):
        pass
    span = recorded.only()
    assert span.parent is None
    assert [1, 2] == [link.context.trace_id for link in span.links]


def test_a_batch_has_no_more_links_than_are_kept(recorded: Recorded) -> None:
    with traced(*BATCH, [traceparent(number) for number in range(1, LINKS_MAX + 2)]):
        pass
    assert LINKS_MAX == len(recorded.only().links)


def test_a_span_does_not_say_what_an_error_says(recorded: Recorded) -> None:
    """Databases quote in it what was sent."""
    with pytest.raises(ValueError, match="320211199001011234"), traced(*BATCH, [None]):
        raise ValueError("320211199001011234 张三")
    span = recorded.only()
    assert "ValueError" == span.status.description
    assert "320211199001011234" not in span.to_json()
    assert () == tuple(span.events)
