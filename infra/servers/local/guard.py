"""The guard: a small process that outlives its parent just long enough to clean up after it.

A program that starts servers can die without warning (kill -9, the out-of-memory killer). So it does not start them
itself. It starts a guard and holds the other end of the guard's standard input, which the operating system closes
however the parent dies. On end of file the guard asks its children to stop, waits a limited time, kills those that
are still there, and removes the temporary folder.

Three details make this reliable:

* The guard has its own session, so Ctrl-C at the terminal reaches the parent but not the servers: the parent decides
  in which order to stop them.
* On Linux each child asks the kernel for a signal when the guard dies. The kernel sends it when the *thread* that
  forked ends, so the guard has a single thread.
* A forked copy of the parent would keep the pipe open, so the guard also checks every half second whether its parent
  is still alive.

The file is run by its path, with only the standard library, so that it starts within some 50 ms:

    python -I -S guard.py [--cleanup FOLDER] [--patience SECONDS]

Orders come in and events go out as lines of JSON (`guard_client.py` is the other side):

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
CLEANUP_ATTEMPTS = 100  # x 0.05 s = 5 s for the last writers of a killed server to end
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Watch until the parent is gone or has closed the pipe, then clean up."""
    options = argparse.ArgumentParser(description="Run servers that end with the process that started them.")
    options.add_argument("--cleanup", help="a folder to remove at the end")
    options.add_argument(
        "--patience", type=float, default=10.0, help="seconds between asking a server to stop and killing it"
    )
    arguments = options.parse_args()
    guard = Guard()
    try:
        guard.watch()
    finally:
        guard.finish(arguments.patience)
        if arguments.cleanup:
            remove(arguments.cleanup)


class Guard:
    """The children by name, and the signal that asks each of them to stop."""

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
        """Execute orders until the parent is gone."""
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
                    self._execute(json.loads(line))
            self._reap()

    def _execute(self, order: dict[str, Any]) -> None:
        if "signal" in order:
            child = self._children.get(order["to"])
            if child is not None:  # not reaped yet, so its pid cannot belong to another process
                child.send_signal(order["signal"])
            return
        name = order["start"]
        try:
            child = self._fork(order)
        except (OSError, subprocess.SubprocessError) as error:
            send_event({"failed": name, "why": str(error)})
            return
        self._children[name] = child
        self._stop_signals[name] = order["stop_signal"]
        send_event({"started": name, "pid": child.pid})

    def _fork(self, order: dict[str, Any]) -> subprocess.Popen[bytes]:
        uid, gid = order["user"] or (None, None)
        # Python runs preexec_fn after changing the user; changing it later would make the kernel forget the request.
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
                send_event({"ended": name, "exit": child.returncode})

    def finish(self, patience_seconds: float) -> None:
        """Ask every child to stop, wait, and kill those that are still running."""
        for name, child in self._children.items():
            child.send_signal(self._stop_signals[name])
        deadline = time.monotonic() + patience_seconds
        for child in self._children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def tie_to_guard(libc: ctypes.CDLL | None, orphan_signal: int, guard_pid: int) -> None:
    """In the new child: arrange to die with the guard."""
    if libc is not None:
        libc.prctl(PR_SET_PDEATHSIG, orphan_signal, 0, 0, 0)
        if os.getppid() != guard_pid:  # the guard died between the fork and the line above
            os._exit(1)


def listen_to_signals(dismiss: Any) -> int:
    """Make signals wake the poll, those of ending children and those to the guard. Returns the descriptor to poll."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: dismiss())
    signal.signal(signal.SIGHUP, lambda *_: dismiss())
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # do not inherit the parent's signal mask, nor pass it on
    return reading


def send_event(event: dict[str, object]) -> None:
    """Send an event to the parent, which might be gone."""
    with contextlib.suppress(BrokenPipeError):  # the next read will see the end of file
        os.write(1, json.dumps(event).encode() + b"\n")


def remove(folder: str) -> None:
    """Remove the folder, even if a dying server still writes into it."""
    for _ in range(CLEANUP_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main()
