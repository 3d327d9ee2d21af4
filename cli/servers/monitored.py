"""A port of loopback at which monitors see how a process is: its metrics, whether it lives, and whether it is ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.terminal.connect import ledger_address
from cli.terminal.output import err, fail
from infra.metrics.instruments import measure_with
from infra.metrics.loopback_server import LOOPBACK, LoopbackServer, MonitorAnswer
from infra.settings import Settings
from schemas.metrics import Metric, Process

MISSING = (
    "{variable} needs OpenTelemetry's SDK and its exporter for Prometheus, which are not installed: "
    "pip install 'huzhu[metrics]', or unset it"
)

NOT_LISTENING = "it does not listen at its address yet"


@contextmanager
def monitored(
    settings: Settings, process: Process, hindered: Callable[[], str | None] = lambda: None
) -> Iterator[None]:
    """While the block runs, answers monitors at the port that the settings name; without one, does nothing.

    ``hindered`` says why the process, whose ledger answers, cannot do its work now; None while it can. Ends the command
    where the port is taken or the extra is not installed.
    """
    port = getattr(settings, f"{process.value}_metrics_port")
    if port is None:
        yield
        return
    variable = f"HUZHU_{process.name}_METRICS_PORT"
    try:
        from infra.metrics.prometheus_page import CONTENT_TYPE, PrometheusPage
    except ModuleNotFoundError:
        fail(MISSING.format(variable=variable))
    from stream.measured_state import MeasuredState

    bootstrap = settings.kafka_bootstrap if process in Metric.KAFKA_UP.form.told_by else None
    state = MeasuredState(ledger_address(settings), bootstrap)
    page = PrometheusPage(process, state)
    answers = {
        "/metrics": lambda: MonitorAnswer(200, page.text(), CONTENT_TYPE),
        "/health/live": lambda: MonitorAnswer(200, b"alive\n"),
        "/health/ready": lambda: _readiness(state.hindered() or hindered()),
    }
    try:
        server = LoopbackServer(port, answers)
    except OSError as error:
        fail(f"{variable}: cannot listen at {LOOPBACK}:{port}: {error.strerror}")
    before = measure_with(page.instruments)
    try:
        with server:
            err.print(f"metrics are at {server.url}/metrics", soft_wrap=True)
            yield
    finally:
        measure_with(before)
        state.close()


def _readiness(why: str | None) -> MonitorAnswer:
    return MonitorAnswer(200, b"ready\n") if why is None else MonitorAnswer(503, f"not ready: {why}\n".encode())
