"""The last resort against a peer that takes every byte and never answers: end, and be started again.

No timeout of PostgreSQL or TCP finds a hung pooler or proxy that confirms what it is sent. Ending is safe at any point:
what was not committed is gone, and the next process goes on from the ledger.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

INFRASTRUCTURE_GONE = 75
"""Exit status (EX_TEMPFAIL) when the ledger or Kafka stayed away or an invariant broke: start the process again."""

LEASES_MAX = 10.0
"""Leases of the ledger that one transaction may take: more than twice the longest wait for a lock."""


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Ends the process with status 75 if the block takes longer; None waits for ever."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, _end, (seconds,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(seconds: float) -> None:
    log.critical("no answer from the ledger or Kafka for %.0f s: the process ends, nothing half-done is kept", seconds)
    logging.shutdown()
    os._exit(INFRASTRUCTURE_GONE)
