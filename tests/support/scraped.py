"""A page of metrics as Prometheus reads it."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from cli.servers.monitored import monitored
from infra.settings import Settings
from schemas.metrics import Process


class MetricsPage(NamedTuple):
    """``values`` by name and labels, ``kinds`` and ``helps`` by the name of a family as it is written on the page."""

    values: dict[tuple[str, tuple[tuple[str, str], ...]], float]
    kinds: dict[str, str]
    helps: dict[str, str]

    def value(self, name: str, **labels: str) -> float | None:
        """What a sample shows; None where there is none."""
        return self.values.get((name, tuple(sorted(labels.items()))))

    def labels(self) -> set[tuple[str, str]]:
        """Every label with every value that it has anywhere, without the bounds of buckets."""
        return {pair for _, labels in self.values for pair in labels if pair[0] != "le"}


def page_of(text: str) -> MetricsPage:
    """The page taken apart by Prometheus's own reader."""
    page = MetricsPage({}, {}, {})
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        page.kinds[name], page.helps[name] = family.type, family.documentation
        for sample in family.samples:
            page.values[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return page


def get(url: str) -> tuple[int, str]:
    """The status and the text of an answer."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@contextmanager
def watched(
    ledger_url: str, process: Process, hindered: Callable[[], str | None] = lambda: None, **settings: Any
) -> Iterator[str]:
    """This process answers monitors like one of Huzhu's, of a ledger; where it does."""
    known = Settings(**{"database_url": ledger_url, f"{process}_metrics_port": 0, **settings})
    said = StringIO()
    with redirect_stderr(said), monitored(known, process, hindered):
        yield said.getvalue().split()[-1].removesuffix("/metrics")


def scrape(address: str) -> MetricsPage:
    """What Prometheus gets there."""
    status, text = get(f"{address}/metrics")
    assert status == 200, text
    return page_of(text)
