"""A contestant's processes, under the guard that ends them even if the benchmark is killed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.servers.local.guard_client import Guarded, tail
from tests.bench.beside import processor_seconds
from tests.bench.contestants import Contestant
from tests.bench.stage import Stage


class Died(Exception):
    """A contestant's process ended by itself."""


class Running:
    """Started processes by name."""

    def __init__(self, guarded: Guarded, folder: Path, pids: dict[str, int]) -> None:
        self._guarded, self._folder, self.pids = guarded, folder, pids

    def check(self) -> None:
        """Raises Died with the end of the log if one of them is gone."""
        for name in self.pids:
            code = self._guarded.exit_code(name)
            if code is not None:
                raise Died(f"{name} ended with {code}:\n{tail(self._folder / f'{name}.log')}")

    def said(self) -> str:
        """The ends of their logs."""
        return "\n".join(f"{name}: {tail(self._folder / f'{name}.log')}" for name in self.pids)

    def begun(self) -> float | None:
        """When a peer took its first message, on the monotonic clock; Huzhu does not say."""
        noted = self._folder / "state.begun"
        if not noted.exists():
            return None
        return time.monotonic() - (time.time() - float(noted.read_text("utf-8")))

    def cpu_seconds(self) -> dict[str, float]:
        """What each of them and its children have used of the processors so far."""
        return {name: processor_seconds(pid) for name, pid in self.pids.items()}


@contextmanager
def running(entry: Contestant, stage: Stage, run: str, ledger: str) -> Iterator[Running]:
    """Starts a contestant, and stops it at the end of the block; its state folder goes too."""
    folder = Path(tempfile.mkdtemp(prefix="huzhu-bench-"))
    with _environment(entry.surroundings(stage, run, ledger, folder / "state")):
        guarded = Guarded(folder, temporary=False)
    try:
        pids = {
            name: guarded.start(name, command, folder / f"{name}.log") for name, command in entry.commands().items()
        }
        yield Running(guarded, folder, pids)
    finally:
        guarded.close()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """The guard hands its environment on to its children."""
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
