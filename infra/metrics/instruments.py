"""What is counted while the program works, over OpenTelemetry's interface: without its SDK all of it does nothing.

Called once for a batch, never for an event.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.metrics import Counter, Histogram, Meter, get_meter

from schemas.metrics import Metric, MetricKind, told

SCOPE = "huzhu"


class Instruments:
    """The counters and histograms of a meter."""

    def __init__(self, meter: Meter) -> None:
        self._counters: dict[Metric, Counter] = {}
        self._histograms: dict[Metric, Histogram] = {}
        for metric in Metric:
            form = metric.form
            if form.kind is MetricKind.COUNTER:
                self._counters[metric] = meter.create_counter(form.name, form.unit, form.help)
            elif form.kind is MetricKind.HISTOGRAM:
                self._histograms[metric] = meter.create_histogram(
                    form.name, form.unit, form.help, explicit_bucket_boundaries_advisory=form.bounds
                )

    def count(self, metric: Metric, number: float, *labels: str | int) -> None:
        """Adds to a counter."""
        self._counters[metric].add(number, attributes(metric, labels))

    def record(self, metric: Metric, value: float, *labels: str | int) -> None:
        """Notes a value of a histogram."""
        self._histograms[metric].record(value, attributes(metric, labels))


def attributes(metric: Metric, labels: tuple[str | int, ...]) -> Mapping[str, str]:
    """The labels of a measurement, each with a value of its closed set."""
    return {label.value: told(label, value) for label, value in zip(metric.form.labels, labels, strict=True)}


_in_use = Instruments(get_meter(SCOPE))


def instruments() -> Instruments:
    """Those of this process: `measure_with` chooses them, and otherwise the provider that somebody set globally."""
    return _in_use


def measure_with(chosen: Instruments) -> Instruments:
    """From now on this process counts there. Returns where it counted before."""
    global _in_use
    before, _in_use = _in_use, chosen
    return before
