"""How a worker ends when Faust does."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import faust
import pytest

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
