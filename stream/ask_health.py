"""Asking the ledger and Kafka how they are, at the same time, and never longer than a few seconds."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from confluent_kafka import KafkaException
from sqlalchemy import Engine

from infra.clock import Clock
from infra.ledger.identity import foreseen
from infra.ledger.ledger_health import ledger_reading, observer
from infra.ledger.schema import elsewhere
from schemas.health import Behind, HealthReading, KafkaReading, LedgerReading, PartitionName, Tables, Unanswered
from schemas.topics import INBOUND
from stream.inbound.partition_reader import RangeReader
from stream.kafka_health import events_behind, first_times, kafka_reading, readable_and_written
from stream.outbound.cursors import LedgerRefused, look
from stream.retry import TROUBLE, in_one_line

ANSWER_SECONDS = 4.0
"""How long a server has to answer; there are two rounds of questions."""

STANDING_SECONDS = 1.0
"""A transaction whose age this user may not see is open if it still is after this: the relay's last much shorter."""

INBOUND_NAMES = {topic.name for topic in INBOUND}


def health_reading(
    url: str, bootstrap: str, shards: int, of_late: timedelta, now: Clock, *, promoted: bool
) -> HealthReading:
    """What ledger and Kafka say within `ANSWER_SECONDS`, and in a second round what follows from both.

    ``shards`` is what Kafka is asked for; ``of_late`` which starts of processes count; ``promoted`` as in `check_all`.
    """
    engine = observer(url)
    ledger, kafka = at_the_same_time(
        lambda: ledger_reading(engine, of_late), lambda: kafka_reading(bootstrap, shards, ANSWER_SECONDS - 1)
    )
    asked_at = ledger.now if isinstance(ledger, LedgerReading) else now()
    reading = HealthReading(asked_at, ledger, kafka)
    if not isinstance(kafka, KafkaReading):
        return reading
    tables = ledger.tables if isinstance(ledger, LedgerReading) else None
    if not isinstance(tables, Tables):
        (open_ones,) = at_the_same_time(lambda: _open(bootstrap, kafka))
        return reading._replace(open=open_ones)
    other = _set_up_otherwise(tables, shards, kafka.cluster_id)
    if other is not None:  # the offsets of another cluster mean other events
        (open_ones,) = at_the_same_time(lambda: _open(bootstrap, kafka))
        return reading._replace(open=open_ones, refused=other)
    lost = tuple(
        place
        for place, held in kafka.partitions.items()
        if place[0] in INBOUND_NAMES and not held.first <= tables.offsets.get(place, 0) <= held.readable
    )
    open_ones, lags, refused = at_the_same_time(
        lambda: _open(bootstrap, kafka),
        lambda: _lags(bootstrap, kafka, tables, lost),
        lambda: _refused(engine, bootstrap, tables.shards, promoted),
    )
    return reading._replace(open=open_ones, lags=lags, refused=refused, lost=lost)


def at_the_same_time(*questions: Callable[[], Any], seconds: float = ANSWER_SECONDS) -> list[Any]:
    """The answer of each, or `Unanswered` where a server failed or let one wait for longer than ``seconds``.

    What still waits is left alone: its thread ends with the process.
    """
    answers: list[Any] = [Unanswered(f"no answer within {seconds:.0f} s")] * len(questions)
    told: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()

    def ask(number: int, question: Callable[[], Any]) -> None:
        try:
            told.put((number, question()))
        except TROUBLE as error:
            told.put((number, Unanswered(_why(error))))
        except BaseException as error:  # noqa: BLE001 - a bug of ours, raised where it is seen
            told.put((number, error))

    for number, question in enumerate(questions):
        threading.Thread(target=ask, args=(number, question), daemon=True).start()
    timer = threading.Timer(seconds, told.put, ((-1, None),))
    timer.daemon = True
    timer.start()
    for _ in questions:
        number, answer = told.get()
        if number < 0:
            break
        if isinstance(answer, BaseException):
            raise answer
        answers[number] = answer
    timer.cancel()
    return answers


def _why(error: Exception) -> str:
    return error.args[0].str() if isinstance(error, KafkaException) else in_one_line(error)


def _lags(bootstrap: str, kafka: KafkaReading, tables: Tables, lost: Collection[PartitionName]) -> list[Behind]:
    """Events that the ledger lacks and could have."""
    readable = {
        place: held.readable
        for place, held in kafka.partitions.items()
        if place[0] in INBOUND_NAMES and place not in lost
    }
    return events_behind(bootstrap, readable, tables.offsets, ANSWER_SECONDS - 1)


def _open(bootstrap: str, kafka: KafkaReading) -> list[Behind]:
    """Transactions that stay open while they are looked at: they were, and are at the same place a moment later."""
    stuck = {place: held for place, held in kafka.partitions.items() if held.readable < held.written}
    times = first_times(
        bootstrap, {place: held.readable for place, held in stuck.items()}, ANSWER_SECONDS - 2.5, committed=False
    )
    if any(times.get(place) is None for place in stuck):  # without an age, only standing still tells
        time.sleep(STANDING_SECONDS)
    ends = readable_and_written(bootstrap, stuck, 1.0)
    return [
        Behind(*place, held.written - held.readable, times.get(place))
        for place, held in stuck.items()
        if place in ends and ends[place][0] == held.readable
    ]


def _refused(engine: Engine, bootstrap: str, shards: int, promoted: bool) -> str | None:
    """Why worker and relay refuse the ledger (exit status 78)."""
    with engine.connect() as connection:
        mine = foreseen(connection)
    with RangeReader(bootstrap) as reader:
        try:
            for shard in range(shards):
                look(engine, reader, shard, mine, promoted=promoted)
        except LedgerRefused as error:
            return str(error)
    return None


def _set_up_otherwise(tables: Tables, shards: int, cluster_id: str) -> str | None:
    """Why every process refuses to start with these settings (exit status 2)."""
    if tables.cluster_id != cluster_id:
        setting = elsewhere(tables.cluster_id, cluster_id)
        return (
            f"this ledger was made for kafka_cluster_id {tables.cluster_id}, but {setting} leads to "
            f"{cluster_id}: correct {setting} or HUZHU_DATABASE_URL"
        )
    if tables.shards != shards:
        return f"this ledger has {tables.shards} shards, but HUZHU_SHARDS is {shards}: correct HUZHU_SHARDS"
    return None
