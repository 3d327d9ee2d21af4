"""Waiting for a condition, with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_S = 0.05


def await_true(condition: Callable[[], bool], within_s: float, poll_s: float = POLL_S) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_s)
    return True


def pause(seconds: float) -> None:
    """Lets a fault last: its length is the fault, there is nothing to wait for."""
    time.sleep(seconds)
