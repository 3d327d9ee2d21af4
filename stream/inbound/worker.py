"""The worker: a Faust app with one agent that passes raw messages to the intake and acknowledges after the commit.

Faust provides membership, assignment and delivery. It may repeat, skip or lose messages; the intake keeps its offsets
in the ledger and corrects all three. Business rules are elsewhere: see `acts.take_in`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import faust
from confluent_kafka import KafkaException

from infra.kafka import client_security
from infra.kafka.names import KafkaNames
from infra.settings import Settings
from schemas.access.kafka_rights import WORKER_GROUP
from schemas.records import Delivery
from schemas.topics import INBOUND, MESSAGE_BYTES_MAX
from schemas.traceparent import traceparent_in
from stream.deadline import INFRASTRUCTURE_GONE
from stream.inbound.assignment import Assignment
from stream.inbound.intake import Intake, OffsetsLost
from stream.inbound.open_transactions import OpenTransactions
from stream.inbound.transport import CommittedTransport, InKafka
from stream.kafka_health import readable_and_written
from stream.outbound.cursors import LEDGER_REFUSED, LedgerRefused
from stream.retry import TROUBLE

log = logging.getLogger(__name__)
Result = TypeVar("Result")

METADATA_MS = 5_000


class _App(faust.App):
    """A Faust app whose stop, and whose share in a rebalance, does not wait for the intake to catch up."""

    def __init__(self, intake: Intake, assignment: Assignment, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._intake = intake
        self._watched_assignment = assignment

    async def on_start(self) -> None:
        self._watched_assignment.watch()
        await super().on_start()

    async def _on_partitions_revoked(self, revoked: Any) -> None:
        # Faust now waits for events that may wait for the intake's thread, and the group waits for Faust.
        self._intake.give_way()
        if self._intake.epochs:  # not when it joins
            log.info("the group distributes its partitions again: a catch-up ends with its transaction")
        await super()._on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        self._watched_assignment.end()
        self._intake.stop()
        await super().on_stop()


def create_app(intake: Intake, bootstrap: str, settings: Settings, datadir: str) -> faust.App:
    """The Faust app around an intake."""
    assignment = Assignment()
    names = KafkaNames(settings.prefix)
    app = _App(
        intake,
        assignment,
        names.in_kafka(WORKER_GROUP),
        **client_security.faust(bootstrap),
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=settings.session_timeout / 3,
        broker_request_timeout=max(90.0, settings.session_timeout * 2),
        consumer_auto_offset_reset="earliest",
        # A worker that joins while a broker comes back may find no topics, and gets no partitions until it looks again.
        consumer_metadata_max_age_ms=METADATA_MS,
        consumer_max_fetch_size=MESSAGE_BYTES_MAX,
        stream_buffer_maxsize=settings.batch_events * 2,
        topic_allow_declare=False,  # provisioned by `huzhu topics apply`
        topic_disable_leader=True,
        web_enabled=False,
        datadir=datadir,
        store="memory://",
    )
    app.transport = CommittedTransport(app.conf.broker_consumer, app, InKafka(intake, names))
    one_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake")
    inbound = app.topic(
        *(names.in_kafka(topic.name) for topic in INBOUND),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
    )

    async def in_intake(work: Callable[[], Result]) -> Result:
        """Runs work in the intake's thread; after a lasting failure, exits with nothing acknowledged."""
        try:
            return await asyncio.get_running_loop().run_in_executor(one_thread, work)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - Faust would acknowledge the events and continue
            if intake.stopping and isinstance(error, TROUBLE):
                log.warning("worker stops, nothing acknowledged: %s", _for_log(error))
                logging.shutdown()
                os._exit(0)
            log.critical("worker exits, nothing acknowledged: %s", _for_log(error))
            logging.shutdown()
            os._exit(LEDGER_REFUSED if isinstance(error, LedgerRefused) else INFRASTRUCTURE_GONE)

    @app.agent(inbound, concurrency=1, name="huzhu.intake")
    async def intake_agent(stream: Any) -> None:
        async for events in stream.noack_take(settings.batch_events, within=settings.batch_wait):
            deliveries = [delivery_of(event.message, names) for event in events]
            await in_intake(partial(intake.deliver, deliveries))
            for event in events:  # of released shards too: an unacknowledged event blocks every rebalance and shutdown
                event.ack()

    async def on_assigned(_app: Any, /, *given: Any, **_: Any) -> None:
        shards = {place.partition for place in given[0]}
        assignment.given(shards)
        intake.give_way()  # a long backlog must not hold up the group, which would take this worker for dead
        await in_intake(lambda: intake.assigned(shards))
        app.add_future(in_intake(intake.catch_up))

    open_transactions = OpenTransactions(lambda places: readable_and_written(bootstrap, places, METADATA_MS / 1000))

    def look_for_open_transactions() -> None:
        with suppress(KafkaException):  # the intake says when Kafka is away
            open_transactions.look([(topic.name, shard) for topic in INBOUND for shard in tuple(intake.epochs)])

    async def on_revoked(_app: Any, /, *_: Any, **__: Any) -> None:
        assignment.taken()

    async def compare_with_topics() -> None:
        missed = await in_intake(intake.catch_up)
        if missed:
            log.warning("recorded %s messages that Faust had not delivered", missed)
        await asyncio.to_thread(look_for_open_transactions)

    app.on_partitions_assigned.connect(on_assigned)
    app.on_partitions_revoked.connect(on_revoked)
    app.timer(interval=settings.idle_check)(compare_with_topics)
    return app


def delivery_of(message: Any, names: KafkaNames) -> Delivery:
    """A message as Faust hands it over, under our name of its topic."""
    topic, traceparent = names.ours(message.topic), traceparent_in(message.headers)
    return Delivery(topic, message.partition, message.offset, message.key, message.value, traceparent)


def _for_log(error: BaseException) -> str:
    """What failed and where, without the error's own text: databases and models quote personal data in it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    cause = type(getattr(error, "orig", None) or error).__name__
    detail = f": {error}" if isinstance(error, OffsetsLost | LedgerRefused) else ""
    return f"{cause} at {place.filename}:{place.lineno}{detail}"


def _thread_died(died: threading.ExceptHookArgs) -> None:
    """A worker whose consumer thread died only looks alive. It exits, which is safe at any moment."""
    log.critical("worker exits, a thread died: %s", _for_log(died.exc_value) if died.exc_value else died.exc_type)
    logging.shutdown()
    os._exit(INFRASTRUCTURE_GONE)


def run(app: faust.App, loglevel: str, log_format: str = "text") -> None:
    """Runs the app until a signal stops it. Listens on no port. Faust sets the log up anew, unless that is JSON."""
    # A batch's objects are freed by reference counts; the collector only scans them, for a tenth of the worker's time.
    gc.freeze()
    gc.set_threshold(100_000)
    threading.excepthook = _thread_died
    try:
        as_json = log_format == "json"
        faust.Worker(
            app, loglevel=loglevel, blocking_timeout=None, override_logging=not as_json, quiet=as_json
        ).execute_from_commandline()
    except SystemExit as ended:
        # Faust ends with other statuses when Kafka goes away while it starts. Nothing is acknowledged then either.
        raise SystemExit(INFRASTRUCTURE_GONE if ended.code else 0) from ended.__context__
