"""One site for the tests of a module: Kafka, a ledger of its own with the sample policy, and all processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.web.door import Door, open_door
from tests.web.site import Site


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
