"""When the world is down: try again a bounded number of times, then give up for good.

Only trouble of the infrastructure is tried again. A broken invariant or a fenced shard is raised at once: the process
ends, and the next one goes on from the ledger.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaException
from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from infra.ledger.write import Contended
from stream.deadline import deadline

log = logging.getLogger(__name__)
Result = TypeVar("Result")

WAIT_SECONDS_MAX = 5.0


class Retry:
    """Calls again after trouble that may pass: ``attempts`` tries, the waits doubling from ``wait`` seconds."""

    def __init__(
        self,
        attempts: int,
        wait: float,
        sleep: Callable[[float], None] = time.sleep,
        seconds_max: float | None = None,
    ) -> None:
        """``seconds_max`` is how long one try may take before the process ends (`stream.deadline`)."""
        self._attempts = attempts
        self._wait = wait
        self._sleep = sleep
        self._seconds_max = seconds_max

    def __call__(self, act: Callable[[], Result]) -> Result:
        """The result of ``act``, or what its last try raised. ``act`` must leave nothing behind when it raises."""
        wait = self._wait
        for attempt in range(1, self._attempts + 1):
            try:
                with deadline(self._seconds_max):
                    return act()
            except (DBAPIError, KafkaException, Contended) as error:
                if attempt == self._attempts or not may_pass(error):
                    raise
                log.warning("try %s of %s failed: %s", attempt, self._attempts, type(error).__name__)
                self._sleep(wait)
                wait = min(wait * 2, WAIT_SECONDS_MAX)
        raise AssertionError("unreachable")


def may_pass(error: Exception) -> bool:
    """Whether the trouble is of a kind that may be over at the next try."""
    if isinstance(error, DBAPIError):
        passing = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
        return passing or isinstance(error.orig, DeadlockDetected | SerializationFailure)
    return True
