"""Transactions of senders that stay open: what is behind one cannot be read, and the worker waits for it unawares."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from infra.waiting import Wait
from schemas.health import PartitionName

log = logging.getLogger(__name__)

Ends = Callable[[Collection[PartitionName]], dict[PartitionName, tuple[int, int]]]
"""The end for ``read_committed`` and the end of all, by partition."""


class OpenTransactions:
    """Says of which partitions the end has not moved since the last look, although more is written."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self._seen: dict[PartitionName, int] = {}
        self._waits: dict[PartitionName, Wait] = {}

    def look(self, places: Collection[PartitionName]) -> None:
        """To be called now and then. Raises KafkaException."""
        seen = {}
        for (topic, partition), (readable, written) in self._ends(places).items():
            place = (topic, partition)
            wait = self._waits.setdefault(place, Wait(log, f"a transaction on {topic}-{partition} to end"))
            if readable < written:
                seen[place] = readable
            if readable < written and self._seen.get(place) == readable:
                wait.still(f"{written - readable} offsets behind it cannot be read yet")
            else:
                wait.over()
        self._seen = seen
