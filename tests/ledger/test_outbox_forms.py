"""The outbox by the batch beside the single rows of release 1.0: one order, one chain, each message once."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from infra.ledger import outbox_rows
from infra.ledger.outbox_batch import OutboxUnreadable
from infra.ledger.outbox_rows import Sent, chained
from infra.settings import Settings
from schemas.canonical import NO_HASH
from schemas.records import OutboxRow
from schemas.topics import EXPENSES
from stream.outbound.cursors import read_cursor
from stream.outbound.relay import ShardRelay
from tests.simulation.faults import Faults
from tests.simulation.simulated_kafka import SimulatedKafka, SimulatedProducer, SimulatedReader
from tests.support.builders import SHARDS
from tests.support.length import times
from tests.support.outbox import OUTBOX_UNPACKED, keep_as_released, waiting_messages, write_batches

SHARD = 2


class Topics:
    """A Kafka without faults, and the relays that send to it."""

    def __init__(self, ledger: Engine) -> None:
        self.kafka, self.ledger = SimulatedKafka(), ledger
        self.faults = Faults(Random(1))
        self.faults.on = False

    def relay(self, limit: int) -> ShardRelay:
        relay = ShardRelay(
            self.ledger,
            "",
            SHARD,
            Settings(shards=SHARDS, relay_batch=limit),
            lambda _, name: SimulatedProducer(self.kafka, self.faults, name, lambda: None),
            lambda _: SimulatedReader(self.kafka, self.faults),
            self.kafka.end_forgotten,
        )
        relay.start()
        return relay

    def drain(self, limit: int = 1000) -> None:
        relay = self.relay(limit)
        while relay.step():
            pass

    def values(self) -> list[bytes | None]:
        return [stored.value for _, stored in self.kafka.committed((EXPENSES.name, SHARD))]

    def cursor(self) -> Any:
        return read_cursor(SimulatedReader(self.kafka, self.faults), SHARD)


def numbered(first: int, count: int, key: bytes | None = None) -> list[OutboxRow]:
    """Messages that say their own number."""
    return [OutboxRow(SHARD, seq, EXPENSES.name, key, str(seq).encode()) for seq in range(first, first + count)]


def rows_of(ledger: Engine, table: str) -> int:
    with ledger.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


@pytest.fixture
def topics(ledger: Engine) -> Topics:
    return Topics(ledger)


@pytest.mark.long
def test_any_mixture_of_forms_is_sent_once_in_order_and_under_one_chain(
    ledger_url: str, ledger: Engine, topics: Topics
) -> None:
    """Whatever is written in whichever form, and wherever relays stop."""
    rng, everything = Random(11), list[OutboxRow]()
    for _ in range(times(30, 100)):
        for _ in range(rng.randint(0, 4)):
            keep_as_released(ledger_url, rng.choice((0, 1)))
            batch = numbered(len(everything) + 1, rng.randint(1, 9), rng.choice((None, b"", b"P1")))
            write_batches(ledger, [batch])
            everything += batch
        relay = topics.relay(rng.randint(1, 12))
        for _ in range(rng.randint(0, 6)):
            relay.step()
        sent = [each.value for each in everything[: topics.cursor().seq]]
        assert sent == topics.values()
    topics.drain()
    assert [each.value for each in everything] == topics.values()
    assert (len(everything), chained(NO_HASH, everything)) == (topics.cursor().seq, topics.cursor().chain)
    assert 0 == rows_of(ledger, "outbox") + rows_of(ledger, "outbox_batches")


def test_rows_of_the_release_before_go_out_first(ledger_url: str, ledger: Engine, topics: Topics) -> None:
    """And those that a worker of that release still writes while others write batches, in their place."""
    for number, every in enumerate((1, 0, 1, 0)):
        keep_as_released(ledger_url, every)
        write_batches(ledger, [numbered(1 + 3 * number, 3)])
    assert (6, 2) == (rows_of(ledger, "outbox"), rows_of(ledger, "outbox_batches"))
    topics.drain()
    assert [str(seq).encode() for seq in range(1, 13)] == topics.values()


def test_a_relay_that_died_within_a_batch_is_followed_by_one_that_goes_on_there(ledger: Engine, topics: Topics) -> None:
    """The batch stays until its last message is sent."""
    write_batches(ledger, [numbered(1, 7)])
    topics.relay(2).step()
    assert 3 == topics.relay(3).step()
    assert 1 == rows_of(ledger, "outbox_batches")
    assert [6, 7] == [row.seq for row in waiting_after(ledger, 5)]
    topics.drain()
    assert [b"1", b"2", b"3", b"4", b"5", b"6", b"7"] == topics.values()
    assert 0 == rows_of(ledger, "outbox_batches")


def waiting_after(ledger: Engine, seq: int) -> list[OutboxRow]:
    with ledger.connect() as connection:
        return list(outbox_rows.waiting_after(connection, SHARD, seq))


def test_numbers_beyond_two_bytes_are_read(ledger: Engine) -> None:
    """After 32,767 as after 1: no sum of numbers overflows."""
    write_batches(ledger, [numbered(32_000, 3), numbered(32_003, 3)])
    assert [32_002, 32_003, 32_004, 32_005] == [row.seq for row in waiting_after(ledger, 32_001)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("substring(messages from 1 for 40)", "damaged or cut off at message 5"),
        ("'\\x02'::bytea || substring(messages from 2)", "a way that this Huzhu does not know"),
    ],
    ids=["cut off", "of a newer release"],
)
def test_a_batch_that_cannot_be_read_stops_the_relay(ledger: Engine, topics: Topics, change: str, said: str) -> None:
    """Nothing of it or after it is sent, and nothing is deleted."""
    write_batches(ledger, [numbered(1, 3), numbered(4, 3)])
    with ledger.begin() as connection:
        connection.execute(text("ALTER TABLE outbox_batches DISABLE TRIGGER batch_stays"))
        connection.execute(text(f"UPDATE outbox_batches SET messages = {change} WHERE first_seq = 4"))
    with pytest.raises(OutboxUnreadable, match=said):
        topics.drain()
    assert [] == topics.values()
    assert 2 == rows_of(ledger, "outbox_batches")


def test_the_encoding_is_read_alike_by_another_program(ledger: Engine) -> None:
    """Plain enough for a few lines of SQL."""
    messages = [*numbered(1, 2), *numbered(3, 2, b""), *numbered(5, 1, "某键".encode())]
    write_batches(ledger, [messages])
    with ledger.begin() as connection:
        connection.exec_driver_sql(OUTBOX_UNPACKED)
        query = "SELECT shard, each.* FROM outbox_batches, outbox_unpacked(first_seq, messages) AS each ORDER BY 2"
        assert messages == [OutboxRow(*row) for row in connection.exec_driver_sql(query)]
    assert messages == waiting_messages(ledger)


# What the database guards -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [0, 1], ids=["after a batch", "after single rows"])
@pytest.mark.parametrize(("first", "count"), [(1, 2), (5, 3), (5, 1), (2, 2), (3, 9)])
def test_a_number_is_given_to_one_message(ledger_url: str, ledger: Engine, form: int, first: int, count: int) -> None:
    """No batch begins at a number that the outbox holds, or before it."""
    keep_as_released(ledger_url, form)
    write_batches(ledger, [numbered(2, 4)])
    keep_as_released(ledger_url, 0)
    with pytest.raises(Exception, match=f"the outbox has {first} already"):
        write_batches(ledger, [numbered(first, count)])
    write_batches(ledger, [numbered(6, 1)])


def test_a_batch_stays_until_the_ledger_knows_its_last_message_as_sent(ledger: Engine) -> None:
    write_batches(ledger, [numbered(1, 3)])
    with ledger.begin() as connection:
        outbox_rows.clear(connection, SHARD, Sent(2, NO_HASH))
    assert 1 == rows_of(ledger, "outbox_batches")
    with pytest.raises(IntegrityError, match="the batch up to 3 is not sent yet"), ledger.begin() as connection:
        connection.execute(text("DELETE FROM outbox_batches"))
    with pytest.raises(IntegrityError, match="insert-only"), ledger.begin() as connection:
        connection.execute(text("UPDATE outbox_batches SET messages = ''"))
    with ledger.begin() as connection:
        outbox_rows.clear(connection, SHARD, Sent(3, NO_HASH))
    assert 0 == rows_of(ledger, "outbox_batches")
