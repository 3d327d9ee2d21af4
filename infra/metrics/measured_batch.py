"""The size and the times of one batch of events, told once it is committed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from infra.metrics.instruments import instruments
from schemas.metrics import Metric


class MeasuredBatch:
    """A batch that begins now."""

    def __init__(self) -> None:
        self._began = self._written = time.perf_counter()
        self._topics: list[str] = []
        self._refused: list[str] = []

    @contextmanager
    def written(self) -> Iterator[None]:
        """A block after which only the commit is left to do."""
        yield
        self._written = time.perf_counter()

    def holds(self, topics: Iterable[str], refused: Iterable[str]) -> None:
        """Says of which topic each event is, and with which codes some were refused."""
        self._topics, self._refused = list(topics), list(refused)

    def committed(self) -> None:
        """Tells the batch; one without events is none."""
        if not self._topics:
            return
        now, tell = time.perf_counter(), instruments()
        for topic, events in Counter(self._topics).items():
            tell.count(Metric.EVENTS, events, topic)
        for code, events in Counter(self._refused).items():
            tell.count(Metric.REFUSED, events, code)
        tell.record(Metric.BATCH_EVENTS, len(self._topics))
        tell.record(Metric.BATCH_SECONDS, now - self._began)
        tell.record(Metric.COMMIT_SECONDS, now - self._written)
