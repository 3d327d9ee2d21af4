"""The last resort against a peer that accepts every byte and never answers: exit, and be restarted.

No timeout of PostgreSQL or TCP detects a hung pooler or proxy that still confirms what it receives. Exiting is safe at
any point: uncommitted work is gone, and the next process continues from the ledger.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

INFRASTRUCTURE_GONE = 75
"""Exit status (EX_TEMPFAIL) when the ledger or Kafka stayed unreachable or an invariant broke: restart the process."""

LEASES_MAX = 10.0
"""How many ledger leases one transaction can last: more than twice the longest wait for a lock."""


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Exits with status 75 if the block takes longer than ``seconds``; None sets no limit."""
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
    log.critical("no answer from the ledger or Kafka for %.0f s: exiting; nothing half-done is kept", seconds)
    logging.shutdown()
    os._exit(INFRASTRUCTURE_GONE)
