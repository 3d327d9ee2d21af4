"""One site for the tests of a module: Kafka, a ledger of its own with the sample policy, and all processes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine

from tests.support.debian import missing
from tests.web.desk import Desk, open_desk
from tests.web.door import Door, open_door
from tests.web.site import Site
from tests.web.town import filled_ledger


@pytest.fixture(scope="module")
def site(kafka: str, postgres_url: str) -> Iterator[Site]:
    """Gateway, worker and relay that run, with the sample policy published."""
    with Site(kafka, postgres_url) as made:
        made.publish()
        for command in ("worker", "relay"):
            made.start(command)
        made.start_gateway(gateway_rate=100_000, gateway_burst=100_000)
        yield made


@pytest.fixture
def door(ledger: Engine) -> Iterator[Door]:
    """The API on a fresh ledger, without Kafka and worker."""
    with open_door(ledger) as opened:
        yield opened


@pytest.fixture
def desk(ledger: Engine, tmp_path: Path) -> Iterator[Desk]:
    """The console on a fresh ledger."""
    with open_desk(ledger, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def town(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The console on a town's ledger, with payouts reported; tests must not change its contents."""
    with filled_ledger(postgres_url) as engine, open_desk(engine, tmp_path_factory.mktemp("console")) as opened:
        opened.catch_up()
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    absent = missing("chromium")
    if absent:
        pytest.skip(absent)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield opened
        opened.close()
