"""What a process measures when a monitor asks: the ledger's state, and how far it is behind Kafka."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from handlers.health.measures import of_kafka, of_ledger
from infra.ledger.ledger_health import observer, schema_trouble
from infra.ledger.monitored_rows import monitored_ledger
from schemas.health import Behind, MonitoredLedger, PartitionName, Unanswered
from schemas.metrics import Measured
from schemas.topics import INBOUND
from stream.ask_health import at_the_same_time
from stream.kafka_health import events_behind, readable_and_written

FRESH_SECONDS = 5.0
"""For so long an answer is good for other monitors too."""

KAFKA_SECONDS = 3.0
"""How long Kafka has for each of two questions: a scrape is given up after ten seconds."""


class MeasuredState:
    """The state of a ledger, and of a Kafka unless ``bootstrap`` is None, as monitors see it."""

    def __init__(self, url: str, bootstrap: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = observer(url, "metrics")
        self._bootstrap = bootstrap
        self._clock = clock
        self._lock = threading.Lock()
        self._latest: list[Measured] = []
        self._until = clock()

    def __call__(self) -> list[Measured]:
        """What is so now, or was so a moment ago."""
        with self._lock:
            if self._clock() >= self._until:
                self._latest = list(self._measure())
                self._until = self._clock() + FRESH_SECONDS
            return self._latest

    def _measure(self) -> Iterator[Measured]:
        found = _answer(lambda: monitored_ledger(self._engine))
        yield from of_ledger(found)
        if self._bootstrap is None or not isinstance(found, MonitoredLedger):
            return
        bootstrap, reached = self._bootstrap, found.tables.offsets
        places = [(topic.name, shard) for topic in INBOUND for shard in range(found.tables.shards)]
        yield from of_kafka(_answer(lambda: _behind(bootstrap, places, reached), 2 * KAFKA_SECONDS), found.now)

    def hindered(self) -> str | None:
        """Why nothing can be done with the ledger; None if it answers with tables of this version."""
        found = _answer(lambda: schema_trouble(self._engine))
        if isinstance(found, Unanswered):
            return f"the ledger does not answer: {found.why}"
        return None if found is None else found.en

    def close(self) -> None:
        """Ends its session of the ledger."""
        self._engine.dispose()


def _answer(question: Callable[[], Any], seconds: float = KAFKA_SECONDS) -> Any:
    (answer,) = at_the_same_time(question, seconds=seconds)
    return answer


def _behind(bootstrap: str, places: list[PartitionName], reached: dict[PartitionName, int]) -> list[Behind]:
    """One for each partition that answers; of one with nothing to wait for, no messages."""
    ends = readable_and_written(bootstrap, places, KAFKA_SECONDS - 1)
    late = events_behind(bootstrap, {place: end for place, (end, _) in ends.items()}, reached, KAFKA_SECONDS - 1)
    return [
        *late,
        *(Behind(*place, 0, None) for place in ends.keys() - {(each.topic, each.partition) for each in late}),
    ]
