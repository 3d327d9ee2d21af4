"""What a process tells monitors, over HTTP and read by Prometheus's own reader, with a real ledger behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Engine

from cli.servers.monitored import monitored
from infra.settings import Settings
from schemas.metrics import Metric, Process
from schemas.topics import COVERAGES, EXPENSES
from tests.support.builders import bill, coverage, discharge
from tests.support.ledgers import give, held, in_order
from tests.support.scraped import Page, get, page_of

Scrape = Callable[[], Page]


@pytest.fixture
def address(ledger_url: str, capsys: pytest.CaptureFixture[str]) -> Iterator[str]:
    """Where a worker that runs on the ledger, with no Kafka, answers monitors."""
    settings = Settings(database_url=ledger_url, worker_metrics_port=0)
    with ExitStack() as stack:
        stack.enter_context(monitored(settings, Process.WORKER))
        yield capsys.readouterr().err.split()[-1].removesuffix("/metrics")


def scrape(address: str) -> Page:
    status, text = get(f"{address}/metrics")
    assert status == 200
    return page_of(text)


def test_a_batch_is_counted_once_it_is_committed(ledger: Engine, address: str) -> None:
    """Its events by topic, its refusals by code, its size and its times."""
    held(ledger)
    give(ledger, in_order([coverage(), discharge(), bill(), bill(personal_burden=-1)]))
    page = scrape(address)
    assert page.value(Metric.EVENTS.form.name, topic=COVERAGES.name) == 1
    assert page.value(Metric.EVENTS.form.name, topic=EXPENSES.name) == 2
    assert page.value("huzhu_batch_events_count") == 1
    assert page.value("huzhu_batch_events_sum") == 4
    assert 0 < (page.value("huzhu_commit_seconds_sum") or 0) < (page.value("huzhu_batch_seconds_sum") or 0)
