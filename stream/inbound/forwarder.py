"""From the inbox to Kafka: events acknowledged over HTTP go to their topics, in order for each person.

At least once: a forwarder that dies between Kafka's acknowledgement and its own commit leaves rows that the next one
sends again. That is correct here: the worker recognises the second copy as a duplicate, by id, version and content.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from infra.kafka import client_security, topic_setup
from infra.kafka.names import KafkaNames
from infra.ledger import idempotency, inbox
from infra.ledger.schema import LedgerMismatch, bind
from infra.settings import Settings
from infra.waiting import Wait
from schemas.topics import MESSAGE_BYTES_MAX
from schemas.traceparent import TRACEPARENT

log = logging.getLogger(__name__)

SEND_SECONDS_MAX = 8.0
KEPT_AFTER_SENDING = timedelta(minutes=1)
"""How long a row stays after the ledger has its event, for requests that wait for the decision."""

TIDY_SECONDS = 15.0
ASK_SECONDS = 5.0
"""How often Kafka is asked whether it is there while nothing is sent."""


class Forwarder:
    """Sends the inbox to Kafka in its own thread until it is stopped. Several can run, on several machines.

    Kafka or the ledger can be down for any time: it retries until both are back. A ledger that belongs to another Kafka
    cluster is not retried: ``mismatch`` then holds the error, ``gave_up`` is called, and nothing is sent.
    """

    def __init__(
        self, engine: Engine, bootstrap: str, settings: Settings, gave_up: Callable[[], None] = lambda: None
    ) -> None:
        self._engine = engine
        self._bootstrap = bootstrap
        self._settings = settings
        self._names = KafkaNames(settings.prefix)
        self._gave_up = gave_up
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._producer: Producer | None = None
        self._thread = threading.Thread(target=self._run, name="forwarder")
        self._heard_at = -ASK_SECONDS
        self._waiting = {what: Wait(log, what) for what in ("Kafka", "the ledger")}
        self.kafka_answers = False
        """Whether Kafka answered when it was last sent to or asked. Says nothing about the ledger."""
        self.mismatch: Exception | None = None

    def ring(self) -> None:
        """Says that there is something to send. Can be called from any thread."""
        self._bell.set()

    def __enter__(self) -> Forwarder:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self.ring()
        self._thread.join()

    def _run(self) -> None:
        tidied = -TIDY_SECONDS
        bound = False
        while not self._stopping.is_set():
            self._bell.clear()
            try:
                if not bound:
                    self._check_cluster()
                    bound = True
                while self.step() and not self._stopping.is_set():
                    pass
                self._ask_kafka()
                tidied = self._tidy(tidied)
                for waiting in self._waiting.values():
                    waiting.over()
            except topic_setup.KafkaUnreachable:
                self.kafka_answers = False
                self._trouble("Kafka", "no broker answers")
            except KafkaException as error:
                self.kafka_answers = False
                self._trouble("Kafka", f"it did not acknowledge ({error.args[0].name()})")
            except (DBAPIError, PoolTimeout) as error:
                self._trouble("the ledger", f"it does not answer ({type(error).__name__})")
            except LedgerMismatch as error:
                self.mismatch = error
                self._gave_up()
                return
            self._bell.wait(self._settings.relay_poll)

    def step(self) -> int:
        """Sends the oldest events of free shards; returns how many. Raises KafkaException if Kafka refused one."""
        with self._engine.begin() as connection:
            unsent = inbox.take_unsent(connection, self._settings.batch_events)
            sent, failure = self._send(unsent) if unsent else ([], None)
            inbox.mark_sent(connection, sent)
        if failure is not None:
            self._producer = None  # whatever it still holds must not arrive late, after newer events
            raise KafkaException(failure)
        return len(sent)

    def _send(self, unsent: Sequence[inbox.Unsent]) -> tuple[list[tuple[int, int]], KafkaError | None]:
        """The acknowledged rows' numbers with their offsets, and the first failure."""
        producer = self._producer = self._producer or self._new_producer()
        sent: list[tuple[int, int]] = []
        failures: list[KafkaError] = []

        def acknowledged(number: int, error: KafkaError | None, message: Message) -> None:
            offset = message.offset()
            if error is not None or offset is None:
                failures.append(error or KafkaError(KafkaError._FAIL, "no offset"))
            else:
                sent.append((number, offset))

        for row in unsent:
            producer.produce(
                self._names.in_kafka(row.topic),
                value=row.value,
                key=row.person_id.encode("utf-8"),
                partition=row.shard,
                headers=[(TRACEPARENT, row.traceparent)] if row.traceparent else None,
                on_delivery=partial(acknowledged, row.inbox_no),
            )
        left = producer.flush(self._patience + 1)
        if left:
            producer.purge()
            producer.flush(1)
            failures.append(KafkaError(KafkaError._TIMED_OUT, f"{left} not acknowledged"))
        self._heard(not failures)
        return sent, failures[0] if failures else None

    @property
    def _patience(self) -> float:
        """Kafka gets less time than the ledger allows an idle transaction."""
        return min(SEND_SECONDS_MAX, self._settings.ledger_lease / 2)

    def _new_producer(self) -> Producer:
        return Producer(
            {
                **client_security.confluent(self._bootstrap),
                "acks": "all",
                "enable.idempotence": True,
                "message.max.bytes": MESSAGE_BYTES_MAX,
                "message.timeout.ms": int(self._patience * 1000),
                "queue.buffering.max.messages": 100_000,
                "queue.buffering.max.kbytes": 1024 * 1024,
                "linger.ms": 0,
                "log_level": 3,
                "logger": logging.getLogger("kafka"),
            }
        )

    def _check_cluster(self) -> None:
        cluster = topic_setup.cluster_id(self._bootstrap)
        self._heard(True)
        bind(self._engine, self._settings.shards, cluster)

    def _ask_kafka(self) -> None:
        """Asks whether Kafka is there, if it has been silent: otherwise only the next post would tell."""
        if self.kafka_answers and time.monotonic() - self._heard_at < ASK_SECONDS:
            return
        producer = self._producer = self._producer or self._new_producer()
        producer.list_topics(timeout=self._patience)
        self._heard(True)

    def _heard(self, answers: bool) -> None:
        self.kafka_answers = answers
        self._heard_at = time.monotonic()

    def _tidy(self, tidied: float) -> float:
        if time.monotonic() - tidied < TIDY_SECONDS:
            return tidied
        with self._engine.begin() as connection:
            inbox.forget_taken_in(connection, KEPT_AFTER_SENDING)
            idempotency.forget(connection, timedelta(days=self._settings.gateway_retention_days))
        return time.monotonic()

    def _trouble(self, what: str, why: str) -> None:
        self._waiting[what].still(f"{why}; acknowledged events wait in the ledger, retrying")
