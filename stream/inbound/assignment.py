"""Whether Kafka has given a worker partitions: one that has none looks as if nothing happened, and says so."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection

from infra.waiting import Wait
from stream.deadline import SAYS_SECONDS

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
NOT_YET = "the group has not distributed them yet"
NONE_LEFT = "Kafka has given this worker none: others have them all, or it does not know the topics yet"


class Assignment:
    """The partitions that a worker has, watched by a thread that says for how long it has had none."""

    def __init__(self, every: float = SAYS_SECONDS) -> None:
        """``every``: seconds between two lines."""
        self._waiting = Wait(log, "partitions", every)
        self._why: str | None = NOT_YET
        self._ended = threading.Event()

    def given(self, shards: Collection[int]) -> None:
        """Kafka has distributed the partitions."""
        self._why = None if shards else NONE_LEFT

    def taken(self) -> None:
        """Kafka has taken all partitions back, to distribute them again."""
        self._why = NOT_YET

    def watch(self) -> None:
        """Starts the thread."""
        threading.Thread(target=self._watch, name="assignment", daemon=True).start()

    def end(self) -> None:
        """The worker stops: having no partitions is what it wants."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Says that the worker waits if it does."""
        if self._why is None:
            self._waiting.over()
        else:
            self._waiting.still(self._why)
