"""Spans to a collector, by OTLP over HTTP; needs the extra `traces`.

Where to and how is said by OpenTelemetry's own variables, such as ``OTEL_EXPORTER_OTLP_ENDPOINT``.
"""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from infra.tracing import trace_with


def send_spans(process: str) -> None:
    """From now on the spans of this process are sent, under the name ``huzhu-`` and its kind; no library's own ones."""
    provider = TracerProvider(resource=Resource.create({"service.name": f"huzhu-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace_with(provider.get_tracer("huzhu"))
