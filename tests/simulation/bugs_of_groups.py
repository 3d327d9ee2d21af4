"""Bugs of whoever decides several persons together: under which locks, when their work is done, from which money."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, select

import acts.recompute_groups
from acts.ledger_act import LedgerJournal
from handlers.pools.pool_money import PoolMoney
from infra.clock import Clock
from infra.ledger import group_rows, tables
from infra.ledger.group_rows import Work
from schemas.records import ShardState
from stream.inbound.intake import Intake


def taken_off_before(patch: pytest.MonkeyPatch) -> None:
    """Work is taken off the queue in a transaction of its own, before what was decided is committed."""
    real = group_rows.done

    def at_once(connection: Connection, work: Iterable[Work]) -> None:
        with connection.engine.begin() as own:
            real(own, work)

    patch.setattr(group_rows, "done", at_once)


def nobody_looks(patch: pytest.MonkeyPatch) -> None:
    """A group that a worker left between two transactions is decided only when something else happens to it."""
    real = Intake.catch_up

    def catching_up(self: Intake) -> int:
        with pytest.MonkeyPatch.context() as blind:
            blind.setattr(self, "_decide_groups", lambda _: None)
            return real(self)

    patch.setattr(Intake, "catch_up", catching_up)


def members_not_locked(patch: pytest.MonkeyPatch) -> None:
    """The shards of a group's members are read, not locked."""

    @contextmanager
    def unlocked(connection: Connection, shards: Iterable[int], now: Clock) -> Iterator[LedgerJournal]:
        rows = connection.execute(select(tables.shards).where(tables.shards.c.shard.in_(sorted(set(shards)))))
        ends = {row.shard: ShardState(row.shard, row.audit_seq, row.audit_hash, row.outbox_seq) for row in rows}
        yield (journal := LedgerJournal(ends, now(), connection=connection))
        journal.write()

    patch.setattr(acts.recompute_groups, "ledger_act", unlocked)


def pool_pays_anyway(patch: pytest.MonkeyPatch) -> None:
    """A pool that queues pays what it does not have."""
    patch.setattr(PoolMoney, "covers", lambda *_: True)
