"""The last resort against a peer that accepts every byte and never answers: exit, and be restarted.

No timeout of PostgreSQL or TCP detects a hung pooler or proxy that still confirms what it receives. Exiting is safe at
any point: uncommitted work is gone, and the next process continues from the ledger.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

INFRASTRUCTURE_GONE = 75
"""Exit status (EX_TEMPFAIL) when the ledger or Kafka stayed unreachable or an invariant broke: restart the process."""

LEASES_MAX = 10.0
"""How many ledger leases one transaction can last: more than twice the longest wait for a lock."""


SAYS_SECONDS = 15.0
"""How often a block that has not ended says so."""


@contextmanager
def deadline(seconds: float | None, what: str = "go on") -> Iterator[None]:
    """Exits with status 75 if the block takes longer than ``seconds``, and says now and then that it waits.

    ``what`` it does, as in "to take shards 0, 2". None sets no limit.
    """
    done = threading.Event()
    threading.Thread(target=_watch, args=(done, seconds, what), daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _watch(done: threading.Event, seconds: float | None, what: str) -> None:
    began = time.monotonic()
    while seconds is None or time.monotonic() - began < seconds:
        if done.wait(SAYS_SECONDS if seconds is None else min(SAYS_SECONDS, began + seconds - time.monotonic())):
            return
        if (waited := time.monotonic() - began) >= SAYS_SECONDS:
            log.warning("waiting for an answer for %.0f s now: to %s", waited, what)
    log.critical("no answer from the ledger or Kafka for %.0f s: exiting; nothing half-done is kept", seconds)
    logging.shutdown()
    os._exit(INFRASTRUCTURE_GONE)
