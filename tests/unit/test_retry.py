"""How long the processes wait for a server that is away, and when they do not."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import KafkaError, KafkaException
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from infra.settings import Settings
from stream.retry import Retry

AWAY = OperationalError("SELECT 1", {}, Exception("the database system is starting up"))
FAILOVER_SECONDS = 60.0
"""What managed PostgreSQL and Patroni state as the time until the standby is the primary: 30 to 60 seconds."""


class Server:
    """Fails for a number of times, and then answers; notes how long was waited between."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.waited: list[float] = []

    def ask(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def test_the_retries_outlast_a_failover() -> None:
    """With the settings as they come, a server may be away for a minute before the process gives up."""
    server, settings = Server(*[AWAY] * 100), Settings()
    with pytest.raises(OperationalError):
        Retry(settings.retry_attempts, settings.retry_wait, server.waited.append)(server.ask)
    assert sum(server.waited) > FAILOVER_SECONDS


@pytest.mark.parametrize("trouble", [AWAY, PoolTimeout(), KafkaException(KafkaError(KafkaError._TIMED_OUT))])
def test_what_can_pass_is_tried_again(trouble: Exception) -> None:
    """A ledger or a Kafka that is away, and a pool whose connections are all in use."""
    server = Server(trouble, trouble)
    assert Retry(3, 1.0, server.waited.append)(server.ask) == "answer"
    assert server.waited == [1.0, 2.0]


def test_who_waits_says_for_what_and_for_how_long(caplog: pytest.LogCaptureFixture) -> None:
    """One line a try: the ledger or Kafka, since when, what was to be done, and what the server said."""
    Retry(3, 1.0, lambda _: False)(Server(AWAY).ask, "take shards 0, 2")
    Retry(3, 1.0, lambda _: False)(Server(KafkaException(KafkaError(KafkaError._TIMED_OUT, "slow"))).ask, "read")
    ledger, kafka = caplog.messages
    said = "waiting for the ledger for 0 s now: to take shards 0, 2: the database system is starting up; next try (2 of"
    assert ledger.startswith(said)
    assert kafka.startswith("waiting for Kafka for 0 s now: to read: ")


def test_the_wait_is_counted_from_its_beginning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not from the last try: so each line says since when nothing goes on."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    Retry(9, 1.0, lambda seconds: now.append(now.pop() + seconds))(Server(*[AWAY] * 5).ask)
    assert [0, 1, 3, 7, 12] == [int(said.split()[5]) for said in caplog.messages]


def test_a_fenced_relay_is_not_tried_again() -> None:
    """It would fence the one that took over."""
    server = Server(KafkaException(KafkaError(KafkaError._FENCED, "a newer producer", fatal=True)))
    with pytest.raises(KafkaException):
        Retry(3, 1.0, server.waited.append)(server.ask)
    assert server.waited == []


def test_a_process_that_is_to_stop_does_not_wait() -> None:
    """When the wait ends because of a signal, the error is raised at once."""
    server = Server(AWAY, AWAY)
    with pytest.raises(OperationalError):
        Retry(100, 1.0, lambda _: True)(server.ask)
    assert len(server.failures) == 1
