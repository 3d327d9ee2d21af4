"""How much the relay puts into one Kafka transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from infra.ledger.tables import outbox, shards
from infra.settings import Settings
from schemas.records import Delivery, Range
from schemas.topics import RELAY_CURSORS
from stream.outbound.cloudevents import Headers
from stream.outbound.cursors import LedgerRefused, read_cursor
from stream.outbound.relay import BATCH_BYTES_MAX, ShardRelay

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
    with ledger.begin() as connection:
        for seq, size in enumerate(sizes, start=first):
            row = {"shard": 0, "seq": seq, "topic": "hospital.expenses", "key": None, "value": b"x" * size}
            connection.execute(outbox.insert().values(row))
        connection.execute(shards.update().where(shards.c.shard == 0).values(outbox_seq=first + len(sizes) - 1))


@pytest.mark.parametrize(
    ("sizes", "transactions"),
    [
        ([1, 2, 3], [[1, 2, 3]]),
        ([10] * 7, [[10] * 3, [10] * 3, [10]]),
        ([7 * MIB] * 5, [[7 * MIB] * 2, [7 * MIB] * 2, [7 * MIB]]),
        ([BATCH_BYTES_MAX - MIB, MIB, 5], [[BATCH_BYTES_MAX - MIB, MIB], [5]]),
        ([BATCH_BYTES_MAX + 1, 5, 6], [[BATCH_BYTES_MAX + 1], [5, 6]]),
        ([5, BATCH_BYTES_MAX + 1, 6], [[5], [BATCH_BYTES_MAX + 1], [6]]),
    ],
    ids=["all", "by number", "by bytes", "to the byte", "a giant first", "a giant between"],
)
def test_a_transaction_holds_what_fits_and_all_go_in_order(
    ledger: Engine, sizes: list[int], transactions: list[list[int]]
) -> None:
    waiting(ledger, sizes)
    producer = Producer()
    relay = ShardRelay(ledger, "", 0, Settings(relay_batch=3), lambda *_: producer, reader)
    relay.start()
    while relay.step():
        pass
    assert producer.committed == transactions


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
