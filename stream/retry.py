"""When the infrastructure fails: retry a bounded number of times, then give up.

Only infrastructure failures are retried. A broken invariant or a fenced shard is raised at once: the process exits, and
the next one continues from the ledger. By default the retries last longer than a standby takes to become the primary.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException
from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from infra.kafka.topic_setup import KafkaUnreachable
from infra.ledger.write import Contended
from stream.deadline import deadline

log = logging.getLogger(__name__)
Result = TypeVar("Result")

WAIT_SECONDS_MAX = 5.0

TROUBLE = (DBAPIError, PoolTimeout, KafkaException)
"""What the ledger's and Kafka's clients raise."""


class Retry:
    """Retries after failures that can pass: ``attempts`` tries, with waits that double from ``wait`` seconds."""

    def __init__(
        self,
        attempts: int,
        wait: float,
        sleep: Callable[[float], object] = time.sleep,
        seconds_max: float | None = None,
    ) -> None:
        """``sleep`` returns something true when the process is to stop: then the last error is raised.

        ``seconds_max`` is how long one try can take before the process exits (`stream.deadline`).
        """
        self._attempts = attempts
        self._wait = wait
        self._sleep = sleep
        self._seconds_max = seconds_max

    def __call__(self, act: Callable[[], Result], what: str = "go on") -> Result:
        """Returns the result of ``act``, or raises its last error. ``act`` must leave nothing behind on failure.

        ``what`` it does is for the line that says for how long this could not be done: "take shards 0, 2".
        """
        wait, began = self._wait, time.monotonic()
        for attempt in range(1, self._attempts + 1):
            try:
                with deadline(self._seconds_max, what):
                    return act()
            except (*TROUBLE, Contended, KafkaUnreachable) as error:
                if attempt == self._attempts or not may_pass(error):
                    raise
                log.warning(
                    "waiting for %s for %.0f s now: to %s: %s; next try (%s of %s) in %.1f s",
                    "the ledger" if isinstance(error, (DBAPIError, PoolTimeout, Contended)) else "Kafka",
                    time.monotonic() - began,
                    what,
                    in_one_line(error),
                    attempt + 1,
                    self._attempts,
                    wait,
                )
                if self._sleep(wait):
                    raise
                wait = min(wait * 2, WAIT_SECONDS_MAX)
        raise AssertionError("unreachable")


def may_pass(error: Exception) -> bool:
    """Whether the failure is of a kind that can be over by the next try."""
    if isinstance(error, DBAPIError):
        passing = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
        return passing or isinstance(error.orig, DeadlockDetected | SerializationFailure)
    return not is_fenced(error)


def is_fenced(error: BaseException) -> bool:
    """Whether another relay has taken over the shard. After other fatal errors a new producer can go on."""
    return isinstance(error, KafkaException) and bool(error.args) and error.args[0].code() == KafkaError._FENCED


def in_one_line(error: BaseException) -> str:
    """What the server said, without the statement that it was about."""
    return str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
