"""Bugs of whoever takes events in: offsets, gaps, locks and retries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

import acts.take_in
import stream.inbound.intake
from acts.take_in import Taken, take_in
from infra.ledger import reads, tables
from infra.ledger.write import move_offsets
from schemas.records import Range, ShardState
from stream.inbound.intake import Intake
from tests.simulation.simulated_kafka import Place


def ack_before_commit(patch: pytest.MonkeyPatch) -> None:
    """The offsets are stored in a transaction of their own, before the facts."""
    real = acts.take_in._new_ends

    def acknowledging(engine: Engine, ranges: Sequence[Range], *rest: Any) -> Taken:
        def stored_at_once(ranges: Sequence[Range], offsets: Mapping[Place, int]) -> dict[Place, int]:
            with engine.begin() as own:
                move_offsets(own, real(ranges, offsets))
            return {}

        patch.setattr(acts.take_in, "_new_ends", stored_at_once)
        return take_in(engine, ranges, *rest)

    patch.setattr(stream.inbound.intake, "take_in", acknowledging)


def no_offset_check(patch: pytest.MonkeyPatch) -> None:
    """Every delivery is taken for news."""
    patch.setattr(acts.take_in, "reads", SimpleNamespace(**{**vars(reads), "next_offsets": lambda _: {}}))
    patch.setattr(
        acts.take_in, "_new_ends", lambda ranges, _: {(each.topic, each.partition): each.end for each in ranges}
    )


def no_fencing(patch: pytest.MonkeyPatch) -> None:
    """Neither epochs nor offsets keep a worker from writing."""
    real = reads.lock_shards
    patch.setattr(reads, "lock_shards", lambda connection, wanted, _: real(connection, wanted, {}))
    no_offset_check(patch)


def no_shard_lock(patch: pytest.MonkeyPatch) -> None:
    """The shard's row is read, not locked."""

    def only_read(connection: Connection, wanted: Any, held: Mapping[int, int]) -> dict[int, ShardState]:
        for row in connection.execute(select(tables.shards).where(tables.shards.c.shard.in_(sorted(held)))):
            if held[row.shard] != row.epoch:
                raise reads.Fenced(row.shard, row.epoch, held[row.shard])
        rows = connection.execute(select(tables.shards).where(tables.shards.c.shard.in_(sorted(set(wanted)))))
        return {row.shard: ShardState(row.shard, row.audit_seq, row.audit_hash, row.outbox_seq) for row in rows}

    patch.setattr(reads, "lock_shards", only_read)


def gap_reader_off(patch: pytest.MonkeyPatch) -> None:
    """A gap between deliveries is taken to be empty."""

    def nothing_there(_: Intake, topic: str, partition: int, start: int, end: int) -> Iterator[Range]:
        yield Range(topic, partition, start, end, ())

    patch.setattr(Intake, "_fill", nothing_there)


def no_catching_up(patch: pytest.MonkeyPatch) -> None:
    """Nobody compares the ledger with the topics."""
    patch.setattr(Intake, "catch_up", lambda _: 0)


def blind_retry(patch: pytest.MonkeyPatch) -> None:
    """After an unknown commit the batch is executed again without a look at what the ledger has."""

    def executed_again(self: Intake, ranges: Sequence[Range]) -> int:
        tries = count()

        def act() -> Taken:
            with pytest.MonkeyPatch.context() as blind:
                if next(tries):
                    no_offset_check(blind)
                return take_in(self._engine, ranges, self.epochs, self._settings.shards, self._now)

        if ranges:
            self._next.update(self._retry(act).offsets)
        return sum(len(each.deliveries) for each in ranges)

    patch.setattr(Intake, "_take_in", executed_again)
