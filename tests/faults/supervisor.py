"""The supervisor of a fault run: workers and relays as processes, started again when they die."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from infra.servers.local.guard_client import Guarded

LOOK_S = 0.1


class Supervisor:
    """Starts `huzhu worker` and `huzhu relay` and keeps those running that are wanted."""

    def __init__(self, folder: Path, environment: Mapping[str, str], database_url: str) -> None:
        self.folder = folder
        self._environment = environment
        self._database_url = database_url
        self._guarded = Guarded(folder, temporary=False, patience_seconds=5.0)
        self._pids: dict[str, int] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="supervisor", daemon=True)
        self.exits: Counter[tuple[str, int]] = Counter()

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(10.0)
        for name in list(self._pids):
            self.signal(name, signal.SIGCONT)
        self._guarded.close()

    def start(self, name: str) -> int:
        """Starts ``worker-1``, ``relay-2`` and the like, and keeps it running; its pid."""
        command = name.split("-")[0]
        variables = {**self._environment, "HUZHU_DATABASE_URL": self._database_url}
        argv = ["/usr/bin/env", *(f"{key}={value}" for key, value in variables.items())]
        with self._lock:
            self._pids[name] = self._guarded.start(
                name, [*argv, sys.executable, "-m", "cli.main", command], self.log(name)
            )
            return self._pids[name]

    def dismiss(self, name: str, signum: signal.Signals = signal.SIGTERM) -> None:
        """Ends a process for good."""
        with self._lock:
            if self._pids.pop(name, None) is not None:
                self._guarded.stop(name, signum)
                self._note(name)

    def signal(self, name: str, signum: signal.Signals) -> None:
        """Sends a signal at once; nothing happens when the process is gone."""
        self._guarded.send(name, signum)

    def pid(self, name: str) -> int:
        """The process as it runs now."""
        with self._lock:
            return self._pids[name]

    def log(self, name: str) -> Path:
        """Everything that the processes of that name have printed."""
        return self.folder / f"{name}.log"

    def running(self) -> list[str]:
        """The names that are kept running."""
        with self._lock:
            return sorted(self._pids)

    def kill(self, name: str) -> None:
        """kill -9; the supervisor starts the next one."""
        os.kill(self.pid(name), signal.SIGKILL)

    def _look_after(self) -> None:
        while not self._stopping.wait(LOOK_S):
            with self._lock:
                for name in list(self._pids):
                    if self._guarded.exit_code(name) is not None:
                        self._note(name)
                        self.start(name)

    def _note(self, name: str) -> None:
        code = self._guarded.exit_code(name)
        if code is not None:
            self.exits[name.split("-")[0], code] += 1
