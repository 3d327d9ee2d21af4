"""Spans as a collector gets them from a process: the trace that was asked for, and nothing about anybody."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import Engine

from infra.servers.local.ports import free_ports
from tests.support.builders import SHARDS
from tests.support.paths import REPOSITORY
from tests.support.processes import huzhu
from tests.support.servers import await_true
from tests.support.traceparents import traceparent

CANARY = "320211199001011234"
RUN = "from cli.main import main; main()"
WITHOUT_EXTRA = f"import sys; sys.modules['opentelemetry.exporter'] = None; {RUN}"
INSTRUMENTED = f"""
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
{RUN}
"""
"""The program with an SDK that all libraries find, as `opentelemetry-instrument` runs one."""


class Collector:
    """Takes what is posted to it; its address is ``url``."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        taken = self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                taken.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """By trace id: the name of the service, and the span's attributes."""
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for each in self.taken:
            for of in ExportTraceServiceRequest.FromString(each).resource_spans:
                resource = {item.key: item.value.string_value for item in of.resource.attributes}
                for span in (span for scope in of.scope_spans for span in scope.spans):
                    told = {item.key: item.value.string_value or item.value.int_value for item in span.attributes}
                    found[span.trace_id.hex()] = (resource["service.name"], told)
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@contextmanager
def running(command: str, ledger: Engine, folder: Path, program: str = RUN, **more: str) -> Iterator[httpx.Client]:
    """A process, whom a client asks with a traceparent and with more headers than that."""
    (port,) = free_ports(1)
    assert 0 == huzhu("people", "newkey", folder / "console.keys").returncode
    environment = {
        "PATH": "/usr/bin:/bin",
        "HUZHU_DATABASE_URL": ledger.url.render_as_string(hide_password=False),
        "HUZHU_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "HUZHU_SHARDS": str(SHARDS),
        "HUZHU_CONSOLE_KEY_FILE": str(folder / "console.keys"),
        f"HUZHU_{command.upper()}_PORT": str(port),
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        **more,
    }
    headers = {"traceparent": traceparent(11), "tracestate": f"a={CANARY}", "baggage": f"a={CANARY}"}
    argv, said = [sys.executable, "-c", program, command], folder / "log"
    with said.open("wb") as log, httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
        process = subprocess.Popen(argv, cwd=REPOSITORY, env=environment, stderr=log)
        try:
            assert await_true(lambda: answers(client)), said.read_text()
            yield client
        finally:
            process.terminate()
            process.wait()


def answers(client: httpx.Client) -> bool:
    """Asked for a claim, the process says who may ask."""
    try:
        return client.get(f"/v1/claims/{CANARY}").status_code in (303, 401, 404)
    except httpx.TransportError:
        return False


def test_a_gateway_sends_its_spans_and_nothing_of_what_was_asked(
    ledger: Engine, collector: Collector, tmp_path: Path
) -> None:
    """The id of a claim is in the address, and a person's in headers that a sender should not have filled."""
    to = {"HUZHU_TRACES": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with running("gateway", ledger, tmp_path, **to):
        assert await_true(lambda: f"{11:032x}" in collector.spans())
    sent = collector.spans()[f"{11:032x}"]
    assert ("huzhu-gateway", {"http.response.status_code": 401, "http.route": "/v1/claims/{claim_id:path}"}) == sent
    assert not [each for each in collector.taken if CANARY.encode() in each]


@pytest.mark.parametrize("command", ["gateway", "console"])
def test_fastapi_tells_nothing_by_itself(ledger: Engine, collector: Collector, tmp_path: Path, command: str) -> None:
    """Its spans would hold the address."""
    with running(command, ledger, tmp_path, INSTRUMENTED, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url):
        pass
    assert not [each for each in collector.taken if CANARY.encode() in each]


def test_without_the_extra_the_sentence_says_what_to_install() -> None:
    """Exit status 2."""
    environment = {"PATH": "/usr/bin:/bin", "HUZHU_TRACES": "otlp"}
    argv = [sys.executable, "-c", WITHOUT_EXTRA, "gateway"]
    ended = subprocess.run(argv, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert 2 == ended.returncode
    assert "huzhu[traces]" in ended.stderr.replace("\n", "")
