"""How a worker ends when Faust does, and how it takes part in a rebalance."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest

from infra.settings import Settings
from stream.deadline import INFRASTRUCTURE_GONE
from stream.inbound import worker


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """What `run` changes for its whole process is as before."""
    threshold, hook = gc.get_threshold(), threading.excepthook
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    threading.excepthook = hook


@pytest.mark.parametrize(("faust_status", "status"), [(0, 0), (1, INFRASTRUCTURE_GONE), (71, INFRASTRUCTURE_GONE)])
def test_a_crash_of_faust_asks_for_a_new_start(monkeypatch: pytest.MonkeyPatch, faust_status: int, status: int) -> None:
    """When Kafka goes away while Faust starts, it ends with 1; a supervisor is told 75, as for every such end."""
    app: Any = SimpleNamespace()

    def crash() -> None:
        raise SystemExit(faust_status)

    monkeypatch.setattr(faust, "Worker", lambda *_, **__: SimpleNamespace(execute_from_commandline=crash))
    with pytest.raises(SystemExit) as ended:
        worker.run(app, "info")
    assert ended.value.code == status


def test_a_worker_gives_way_before_it_waits_for_its_events(tmp_path: Path) -> None:
    """A rebalance waits for events that may wait for a catch-up, which therefore has to end first."""
    done: list[str] = []

    async def wait_empty() -> None:
        done.append("waits for its events")

    intake: Any = SimpleNamespace(give_way=lambda: done.append("gives way"), epochs={0: 1})
    app: Any = worker.create_app(intake, "127.0.0.1:1", Settings(), str(tmp_path))
    consumer = SimpleNamespace(
        assignment=lambda: {("hospital.expenses", 0)},
        stop_flow=lambda: None,
        pause_partitions=lambda _: None,
        wait_empty=wait_empty,
    )

    async def rebalance() -> None:
        app._consumer = consumer
        await app._on_partitions_revoked(set())

    asyncio.run(rebalance())
    assert done == ["gives way", "waits for its events"]
