"""The guard: a small process that outlives its parent just long enough to clear up after it.

A program that starts servers can die without a word (kill -9, the machine's out-of-memory killer). So it does
not start them itself. It starts a guard and holds the other end of the guard's standard input; the operating
system closes that end whatever the parent dies of. On end of file the guard asks its children to stop, waits
a bounded time, kills those that stay, and removes the temporary folder.

Three details make that hold:

* The guard leads a session of its own, so Ctrl-C at the terminal reaches the parent and not the servers:
  the parent decides in which order things end.
* On Linux each child asks the kernel for a signal at the guard's own death. The kernel sends it when the
  *thread* that forked ends, therefore the guard has one thread, forks from it, and never starts another.
* A forked copy of the parent would keep the pipe open, therefore the guard also looks every half second
  whether its parent is still the one that started it.

The file is run by its path, with the standard library alone, so that it is up in some 50 ms:

    python -I -S guard.py [--cleanup FOLDER] [--patience SECONDS]

Orders come in and events go out as lines of JSON (`guarded.py` is the other side):

    {"start": name, "argv": [...], "log": path, "user": [uid, gid] or null,
     "stop_signal": n, "orphan_signal": n}              (on one line)
    {"signal": n, "to": name}
    -> {"started": name, "pid": n}    {"ended": name, "exit": n}    {"failed": name, "why": text}
"""

import argparse
import contextlib
import ctypes
import functools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

PARENT_CHECK_MS = 500
CLEANUP_ATTEMPTS = 100  # x 0.05 s = 5 s for the last writers of a killed server to go away
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Watch until the parent is gone or has closed the pipe, then leave nothing behind."""
    options = argparse.ArgumentParser(description="Keep servers no longer than the process that wants them.")
    options.add_argument("--cleanup", help="a folder to remove at the end")
    options.add_argument("--patience", type=float, default=10.0, help="seconds between asking and killing")
    chosen = options.parse_args()
    guard = Guard()
    try:
        guard.watch()
    finally:
        guard.finish(chosen.patience)
        if chosen.cleanup:
            remove(chosen.cleanup)


class Guard:
    """The children by name, and the signal each understands as a polite request."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stop_signals: dict[str, int] = {}
        self._dismissed = False
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before any fork
        self._wakeup = listen_to_signals(self._dismiss)

    def _dismiss(self) -> None:
        self._dismissed = True

    def watch(self) -> None:
        """Obey orders until the parent is gone."""
        poller = select.poll()
        poller.register(0, select.POLLIN)
        poller.register(self._wakeup, select.POLLIN)
        unread = b""
        while os.getppid() == self._parent and not self._dismissed:
            ready = {descriptor for descriptor, _ in poller.poll(PARENT_CHECK_MS)}
            if self._wakeup in ready:
                os.read(self._wakeup, 4096)
            if 0 in ready:
                chunk = os.read(0, 65536)
                if not chunk:
                    return
                *lines, unread = (unread + chunk).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
            self._reap()

    def _obey(self, order: dict[str, Any]) -> None:
        if "signal" in order:
            child = self._children.get(order["to"])
            if child is not None:  # and so not reaped: its pid cannot belong to another process by now
                child.send_signal(order["signal"])
            return
        name = order["start"]
        try:
            child = self._fork(order)
        except (OSError, subprocess.SubprocessError) as error:
            tell({"failed": name, "why": str(error)})
            return
        self._children[name] = child
        self._stop_signals[name] = order["stop_signal"]
        tell({"started": name, "pid": child.pid})

    def _fork(self, order: dict[str, Any]) -> subprocess.Popen[bytes]:
        uid, gid = order["user"] or (None, None)
        # Python runs preexec_fn after the change of user, which would make the kernel forget the wish.
        tie = functools.partial(tie_to_guard, self._libc, order["orphan_signal"], os.getpid())
        with open(order["log"], "ab") as log:
            return subprocess.Popen(
                order["argv"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=uid,
                group=gid,
                extra_groups=None if uid is None else [],
                preexec_fn=tie,
            )

    def _reap(self) -> None:
        for name, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[name]
                tell({"ended": name, "exit": child.returncode})

    def finish(self, patience_s: float) -> None:
        """Ask every child to stop, wait, kill."""
        for name, child in self._children.items():
            child.send_signal(self._stop_signals[name])
        deadline = time.monotonic() + patience_s
        for child in self._children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def tie_to_guard(libc: ctypes.CDLL | None, orphan_signal: int, guard_pid: int) -> None:
    """In the new child: die with the guard."""
    if libc is not None:
        libc.prctl(PR_SET_PDEATHSIG, orphan_signal, 0, 0, 0)
        if os.getppid() != guard_pid:  # the guard died between the fork and the line above
            os._exit(1)


def listen_to_signals(dismiss: Any) -> int:
    """Make signals wake the poll: a child's end, and a request to the guard itself. Returns what to poll."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: dismiss())
    signal.signal(signal.SIGHUP, lambda *_: dismiss())
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # a mask of the parent's is not ours, nor our children's
    return reading


def tell(event: dict[str, object]) -> None:
    """Send an event; nobody may be there to read it any more."""
    with contextlib.suppress(BrokenPipeError):  # the next read of the orders sees the end of file
        os.write(1, json.dumps(event).encode() + b"\n")


def remove(folder: str) -> None:
    """Remove the folder, also when a dying server still writes into it."""
    for _ in range(CLEANUP_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main()
