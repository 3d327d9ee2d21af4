"""The page that Prometheus reads, from OpenTelemetry's SDK and its exporter, which are an extra of the installation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from infra.metrics.instruments import SCOPE, Instruments, attributes
from schemas.metrics import FROM_ZERO, Measured, Metric, MetricKind, Process

CONTENT_TYPE = CONTENT_TYPE_LATEST


class PrometheusPage:
    """The metrics of one process: what it counted, and what ``measure`` finds whenever the page is asked for."""

    def __init__(self, process: Process, measure: Callable[[], Iterable[Measured]]) -> None:
        self._measure = measure
        self._found: list[Measured] = []
        self._one_at_a_time = threading.Lock()
        self._registry = CollectorRegistry()
        reader = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=self._registry)
        resource = Resource({SERVICE_NAME: f"{SCOPE}-{process.value}"})
        provider = MeterProvider([reader], resource, shutdown_on_exit=False)
        meter = provider.get_meter(SCOPE)
        self.instruments = Instruments(meter)
        """Where this process counts."""
        for metric in Metric:
            form = metric.form
            if process not in form.told_by:
                continue
            for labels in FROM_ZERO.get(metric, ()):
                self.instruments.count(metric, 0, *labels)
            if form.kind is MetricKind.GAUGE:
                meter.create_observable_gauge(form.name, [self._observations(metric)], form.unit, form.help)

    def _observations(self, metric: Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def found(_: CallbackOptions) -> Iterable[Observation]:
            for each in self._found:
                if each.metric is metric:
                    yield Observation(each.value, attributes(metric, each.labels))

        return found

    def text(self) -> bytes:
        """The page as it is now."""
        with self._one_at_a_time:
            self._found = list(self._measure())
            return generate_latest(self._registry)
