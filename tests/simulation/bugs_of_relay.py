"""Bugs of whoever sends: cursors, marks and fencing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest

from infra.ledger import tables
from infra.ledger.identity import identity
from infra.ledger.outbox_rows import Sent, chained, last_sent
from schemas.records import OutboxRow
from schemas.topics import RELAY_CURSORS
from stream.outbound.cursors import Cursor
from stream.outbound.relay import ShardRelay, TransactionalProducer


def cursor_outside(patch: pytest.MonkeyPatch) -> None:
    """The cursor is a Kafka transaction of its own, after that of the messages."""

    def twice(self: ShardRelay) -> int:
        rows = self._ahead.after(self._sent.seq)
        if rows:
            _send(self, rows, cursor=False)
            self._sent = _after(self, rows)
            _send(self, [], cursor=True)
            self._clear()
        return len(rows)

    patch.setattr(ShardRelay, "step", twice)


def marked_before_sent(patch: pytest.MonkeyPatch) -> None:
    """The ledger is told that messages are in Kafka before they are."""

    def too_early(self: ShardRelay) -> int:
        rows = self._ahead.after(self._sent.seq)
        if rows:
            self._sent = _after(self, rows)
            self._clear()
            _send(self, rows, cursor=True)
        return len(rows)

    patch.setattr(ShardRelay, "step", too_early)


def _after(relay: ShardRelay, rows: Sequence[OutboxRow]) -> Sent:
    return Sent(rows[-1].seq, chained(relay._sent.chain, rows))


def _send(relay: ShardRelay, rows: Sequence[OutboxRow], *, cursor: bool) -> None:
    producer = relay._producer
    assert producer is not None
    producer.begin_transaction()
    for row in rows:
        relay._produce(producer, row.topic, row.key, row.value)
    if cursor:
        key, value = Cursor(relay._sent.seq, relay._ledger, relay._sent.chain).message(relay._shard)
        relay._produce(producer, RELAY_CURSORS.name, key, value)
    producer.commit_transaction(30.0)


def cursor_from_ledger(patch: pytest.MonkeyPatch) -> None:
    """A relay goes on from what the ledger knows as sent."""

    def from_ledger(self: ShardRelay) -> None:
        self._producer = self._new_producer(self._bootstrap, f"huzhu-relay-{self._shard}")
        self._producer.init_transactions(30.0)
        with self._engine.begin() as connection:
            self._sent = last_sent(connection, self._shard)
            self._ledger = identity(connection).id
        self._ahead.forget()

    patch.setattr(ShardRelay, "start", from_ledger)


def relays_not_fenced(patch: pytest.MonkeyPatch) -> None:
    """Every relay has a transactional id of its own, so none fences another."""
    start, numbers = ShardRelay.start, count()

    def under_a_new_name(self: ShardRelay) -> None:
        make, number = self._new_producer, next(numbers)

        def named(bootstrap: str, name: str) -> TransactionalProducer:
            return make(bootstrap, f"{number}-{name}")

        with pytest.MonkeyPatch.context() as renamed:
            renamed.setattr(self, "_new_producer", named)
            start(self)

    patch.setattr(ShardRelay, "start", under_a_new_name)


def start_tells_nobody(patch: pytest.MonkeyPatch) -> None:
    """A relay that finds its predecessor's messages in Kafka does not tell the ledger."""
    start = ShardRelay.start

    def silently(self: ShardRelay) -> None:
        with pytest.MonkeyPatch.context() as silent:
            silent.setattr(ShardRelay, "_clear", lambda _: None)
            start(self)

    patch.setattr(ShardRelay, "start", silently)


def mark_goes_back(patch: pytest.MonkeyPatch) -> None:
    """A relay paused before it tells the ledger overwrites what its successor told."""

    def overwritten(self: ShardRelay) -> None:
        with self._engine.begin() as connection:
            mark = tables.relays.update().where(tables.relays.c.shard == self._shard)
            connection.execute(mark.values(relayed_seq=self._sent.seq, relayed_hash=self._sent.chain))
            for table, last in ((tables.outbox, "seq"), (tables.outbox_batches, "last_seq")):
                sent = table.c.shard == self._shard, table.c[last] <= self._sent.seq
                connection.execute(table.delete().where(*sent))

    patch.setattr(ShardRelay, "_clear", overwritten)
