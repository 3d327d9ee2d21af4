"""The parent's side of the guard: starts servers that cannot outlive this process."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from infra.servers.local.errors import PartFailed
from infra.servers.local.guard import remove

GUARD = Path(__file__).with_name("guard.py")
START_SECONDS_MAX = 20.0  # a fork takes milliseconds; this is for an overloaded machine
LOG_LINES_QUOTED = 20

User = tuple[int, int]
"""A user id and a group id."""


class Guarded:
    """Named children under one guard, and the folder they share.

    `close` stops the children and removes a temporary folder; both happen even if this process is killed. Closing twice
    is harmless. Thread-safe.
    """

    def __init__(self, folder: Path, *, temporary: bool, patience_seconds: float = 10.0) -> None:
        self._folder = folder
        self._temporary = temporary
        self._patience_s = patience_seconds
        self._lock = threading.RLock()
        self._unread = b""
        self._pids: dict[str, int] = {}
        self._exits: dict[str, int] = {}
        self._refusals: dict[str, str] = {}
        options = ["--patience", str(patience_seconds), *(["--cleanup", str(folder)] if temporary else [])]
        with (folder / "guard.log").open("ab") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,  # not ours: readers of our stderr must see its end when we end
                cwd="/",
                start_new_session=True,
            )

    def start(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        orphan_signal: signal.Signals = signal.SIGKILL,
        user: User | None = None,
    ) -> int:
        """Start a child with its output appended to `log`, and return its pid.

        `stop_signal` asks it to stop at the end; `orphan_signal` is sent if the guard is killed.
        """
        with self._lock:
            for outcome in (self._pids, self._exits, self._refusals):
                outcome.pop(name, None)
            self._order(
                start=name,
                argv=list(argv),
                log=str(log),
                stop_signal=int(stop_signal),
                orphan_signal=int(orphan_signal),
                user=user,
            )
            deadline = time.monotonic() + START_SECONDS_MAX
            while name not in self._pids:
                self._read_events(deadline)
                if name in self._refusals:
                    raise PartFailed(f"{argv[0]} could not be started: {self._refusals[name]}")
                if time.monotonic() > deadline:
                    raise PartFailed(f"{argv[0]} could not be started within {START_SECONDS_MAX:.0f} s")
            return self._pids[name]

    def run(
        self, name: str, argv: Sequence[str], log: Path, *, timeout_seconds: float, user: User | None = None
    ) -> None:
        """Run a command to its end. Raises `PartFailed` with the end of its log unless it succeeds."""
        self.start(name, argv, log, stop_signal=signal.SIGKILL, user=user)
        outcome = self.wait(name, timeout_seconds)
        if outcome != 0:
            self.send(name, signal.SIGKILL)
            how = f"did not end within {timeout_seconds:.0f} s" if outcome is None else f"ended with {outcome}"
            raise PartFailed(f"{name} {how}. The end of its log:\n{tail(log)}")

    def send(self, name: str, signum: signal.Signals) -> None:
        """Send a signal to a child, unless it has ended."""
        with self._lock:
            if name not in self._exits:
                self._order(signal=int(signum), to=name)

    def exit_code(self, name: str) -> int | None:
        """The child's exit code (negative: the signal that killed it), or None while it runs."""
        with self._lock:
            self._read_events(time.monotonic())
            return self._exits.get(name)

    def wait(self, name: str, timeout_seconds: float) -> int | None:
        """Wait for the child to end and return its exit code, or None when it has not ended in time."""
        deadline = time.monotonic() + timeout_seconds
        with self._lock:
            while name not in self._exits and time.monotonic() < deadline:
                self._read_events(deadline)
            return self._exits.get(name)

    def stop(self, name: str, signum: signal.Signals) -> None:
        """Ask one child to stop, and kill it if it does not stop in time."""
        self.send(name, signum)
        if self.wait(name, self._patience_s) is None:
            self.send(name, signal.SIGKILL)
            if self.wait(name, self._patience_s) is None:
                raise PartFailed(f"{name} survived SIGKILL for {self._patience_s:.0f} s")

    def close(self) -> None:
        """Stop all children, and wait until they and the temporary folder are gone."""
        with self._lock:
            assert self._guard.stdin is not None
            assert self._guard.stdout is not None
            with contextlib.suppress(BrokenPipeError):  # the guard was killed with an order unread
                self._guard.stdin.close()
            try:
                self._guard.wait(self._patience_s + 10.0)
            except subprocess.TimeoutExpired:
                self._guard.kill()
                self._guard.wait()
            self._guard.stdout.close()
            if self._temporary:
                remove(str(self._folder))  # already gone, unless the guard itself was killed

    def _order(self, **order: object) -> None:
        assert self._guard.stdin is not None
        try:
            self._guard.stdin.write(json.dumps(order).encode() + b"\n")
            self._guard.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise self._guard_is_gone() from None

    def _read_events(self, deadline: float) -> None:
        """Process the guard's events, waiting for one until the deadline."""
        assert self._guard.stdout is not None
        if self._guard.stdout.closed:
            raise self._guard_is_gone()
        descriptor = self._guard.stdout.fileno()
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return
        chunk = os.read(descriptor, 65536)
        if not chunk:
            raise self._guard_is_gone()
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            match json.loads(line):
                case {"started": str(name), "pid": int(pid)}:
                    self._pids[name] = pid
                case {"ended": str(name), "exit": int(code)}:
                    self._exits[name] = code
                case {"failed": str(name), "why": str(why)}:
                    self._refusals[name] = why

    def _guard_is_gone(self) -> PartFailed:
        return PartFailed(f"the guard of {self._folder} is gone. {tail(self._folder / 'guard.log')}".rstrip())


def tail(log: Path, start: int = 0) -> str:
    """The last lines of a log, from byte `start` on."""
    if not log.exists():
        return ""
    text = log.read_bytes()[start:].decode(errors="replace")
    return "\n".join(text.splitlines()[-LOG_LINES_QUOTED:])
