"""How much the relay puts into one Kafka transaction."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
import pytest
from confluent_kafka import KafkaError, KafkaException
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from infra.ledger import outbox_rows
from infra.ledger.outbox_batch import in_batches
from infra.settings import Settings
from schemas.records import Delivery, OutboxRow, Range
from schemas.topics import EXPENSES, RELAY_CURSORS
from stream.outbound.cloudevents import Headers
from stream.outbound.cursors import LedgerRefused, read_cursor
from stream.outbound.read_ahead import TRANSACTION_BYTES_MAX
from stream.outbound.relay import ShardRelay
from stream.retry import is_fenced
from tests.support.outbox import keep_as_released, write_batches

MIB = 1024 * 1024


class Producer:
    """Takes what it is given; one list for each committed transaction."""

    disturbed = False

    def __init__(self) -> None:
        self.committed: list[list[int]] = []
        self._open: list[int] = []

    def init_transactions(self, timeout: float, /) -> None: ...

    def begin_transaction(self) -> None:
        self._open = []

    def produce(
        self,
        topic: str,
        /,
        *,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        headers: Headers | None = None,
    ) -> None:
        if topic != RELAY_CURSORS.name:
            self._open.append(len(value or b""))

    def poll(self, timeout: float, /) -> int:
        return 0

    def commit_transaction(self, timeout: float, /) -> None:
        self.committed.append(self._open)


class NoCursorYet:
    def ends(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        return dict.fromkeys(partitions, (0, 0))

    def unsettled(self, partitions: Collection[tuple[str, int]]) -> list[tuple[str, int]]:
        return []

    def undecided(self, topic: str, partition: int) -> list[Delivery]:
        return []

    def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Range:
        raise AssertionError("not asked")


@contextmanager
def reader(bootstrap: str) -> Iterator[NoCursorYet]:
    yield NoCursorYet()


def waiting(ledger: Engine, sizes: list[int], first: int = 1) -> None:
    messages = [OutboxRow(0, seq, EXPENSES.name, None, b"x" * size) for seq, size in enumerate(sizes, start=first)]
    write_batches(ledger, in_batches(messages))


@pytest.mark.parametrize(
    ("sizes", "transactions"),
    [
        ([1, 2, 3], [[1, 2, 3]]),
        ([10] * 7, [[10] * 3, [10] * 3, [10]]),
        ([7 * MIB] * 5, [[7 * MIB] * 2, [7 * MIB] * 2, [7 * MIB]]),
        ([TRANSACTION_BYTES_MAX + 1, 5, 6], [[TRANSACTION_BYTES_MAX + 1], [5, 6]]),
        ([5, TRANSACTION_BYTES_MAX + 1, 6], [[5], [TRANSACTION_BYTES_MAX + 1], [6]]),
    ],
    ids=["all", "by number", "by bytes", "a giant first", "a giant between"],
)
@pytest.mark.usefixtures("outbox_form")
def test_a_transaction_holds_what_fits_and_all_go_in_order(
    ledger: Engine, sizes: list[int], transactions: list[list[int]]
) -> None:
    waiting(ledger, sizes)
    assert sent(ledger, 3) == transactions


def test_a_transaction_of_single_rows_is_filled_to_the_byte(ledger_url: str, ledger: Engine) -> None:
    keep_as_released(ledger_url, 1)
    waiting(ledger, [TRANSACTION_BYTES_MAX - MIB, MIB, 5])
    assert sent(ledger, 3) == [[TRANSACTION_BYTES_MAX - MIB, MIB], [5]]


def test_a_batch_larger_than_a_transaction_is_sent_in_several(ledger: Engine) -> None:
    """Filled to the byte, whatever else waits."""
    messages = [OutboxRow(0, seq, EXPENSES.name, None, b"x" * (8 * MIB)) for seq in range(1, 6)]
    write_batches(ledger, [messages[:3], messages[3:]])
    assert sent(ledger, 1000) == [[8 * MIB] * 2, [8 * MIB], [8 * MIB] * 2]


class FencedProducer(Producer):
    """As librdkafka's: only `poll` says why nothing can be produced any more."""

    tried = False

    def produce(self, topic: str, /, **_: object) -> None:
        self.tried = True
        raise KafkaException(KafkaError(KafkaError._FATAL, "Unable to produce message"))

    def poll(self, timeout: float, /) -> int:
        if self.tried:
            raise KafkaException(KafkaError(KafkaError._FENCED, "fenced by newer producer instance"))
        return 0


def test_who_is_fenced_while_producing_knows(ledger: Engine) -> None:
    """It would take the shard back from the other one otherwise, as after errors that pass."""
    waiting(ledger, [1])
    relay = ShardRelay(ledger, "", 0, Settings(), lambda *_: FencedProducer(), reader)
    relay.start()
    with pytest.raises(KafkaException) as caught:
        relay.step()
    assert is_fenced(caught.value)


def sent(ledger: Engine, limit: int) -> list[list[int]]:
    """The sizes of the messages of each transaction, until nothing waits."""
    producer = Producer()
    relay = ShardRelay(ledger, "", 0, Settings(relay_batch=limit), lambda *_: producer, reader)
    relay.start()
    while relay.step():
        pass
    return producer.committed


@pytest.mark.usefixtures("outbox_form")
def test_a_connection_that_was_lost_is_given_up(ledger: Engine) -> None:
    """The relay hears of it as of any trouble, and nobody tries to roll back on it, which would log a traceback."""
    with ledger.connect() as connection:
        driver = cast(psycopg.Connection[Any], connection.connection.driver_connection)
        with socket.socket(fileno=os.dup(driver.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        with pytest.raises(OperationalError):
            outbox_rows.waiting(connection, 1, 0, 10, 1000)
        assert connection.invalidated
    with ledger.connect() as connection:
        assert [] == list(outbox_rows.waiting(connection, 1, 0, 10, 1000))


def test_a_hole_in_the_outbox_stops_the_relay(ledger: Engine) -> None:
    waiting(ledger, [1, 1], first=2)
    relay = ShardRelay(ledger, "", 0, Settings(), lambda *_: Producer(), reader)
    relay.start()
    with pytest.raises(LedgerRefused, match="outbox has 2 after 0"):
        relay.step()


class LongCursors(NoCursorYet):
    """A topic of cursors in which only one offset holds one: the others are the marks of transactions."""

    def __init__(self, offset: int) -> None:
        self.offset = offset

    def ends(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        return dict.fromkeys(partitions, (10, 1000))

    def unsettled(self, partitions: Collection[tuple[str, int]]) -> list[tuple[str, int]]:
        return []

    def undecided(self, topic: str, partition: int) -> list[Delivery]:
        return []

    def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Range:
        there = Delivery(topic, partition, self.offset, b"0", b'{"shard": 0, "seq": 7}')
        return Range(topic, partition, start, end, (there,) if start <= self.offset < end else ())


@pytest.mark.parametrize("offset", [10, 500, 983, 984, 999])
def test_the_last_cursor_is_found_however_far_back_it_is(offset: int) -> None:
    """Behind any number of transactions that were aborted, down to the first offset that is kept."""
    assert 7 == read_cursor(LongCursors(offset), 0).seq


def test_where_there_is_no_cursor_relaying_begins_at_the_beginning() -> None:
    assert 0 == read_cursor(LongCursors(1000), 0).seq
