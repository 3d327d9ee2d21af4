"""What a process waits for and since when, in one line of its log."""

from __future__ import annotations

import logging
import time


class Wait:
    """One thing that a process can wait for, such as Kafka. Used by one thread at a time."""

    def __init__(self, log: logging.Logger, what: str, every: float = 0.0) -> None:
        """``every``: the least number of seconds between two lines, and before the first."""
        self._log = log
        self._what = what
        self._every = every
        self._since: float | None = None
        self._said = 0.0

    def still(self, why: str) -> None:
        """Says that the process waits, why, and for how long it has; to be called whenever it has tried."""
        now = time.monotonic()
        if self._since is None:
            self._since, self._said = now, now
            if self._every:
                return
        if now - self._said >= self._every:
            self._said = now
            self._log.warning("waiting for %s for %.0f s now: %s", self._what, now - self._since, why)

    def over(self) -> None:
        """Says, if it waited and has said so, that it goes on."""
        if self._since is not None and (self._said > self._since or not self._every):
            self._log.warning("no longer waiting for %s, after %.0f s", self._what, time.monotonic() - self._since)
        self._since = None
