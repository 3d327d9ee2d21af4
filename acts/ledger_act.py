"""One act on the ledger: lock the shards, collect what is to be written, write it, all in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from handlers.audit.journal import Journal
from infra.clock import Clock
from infra.ledger import reads
from infra.ledger.write import record
from schemas.records import Outcome, ShardState


@dataclass(slots=True, kw_only=True)
class LedgerJournal(Journal):
    """A journal that can be written to the ledger."""

    connection: Connection
    numbers: list[int] = field(default_factory=list)
    """The ledger's numbers of the events written so far."""
    pools: set[str] = field(default_factory=set)
    """The pools that got work for their steps."""

    def write(self) -> None:
        """Writes what was collected since the last time; a long act does so now and then, to bound its memory.

        Raises Contended, or what the database raises.
        """
        if self.outcome == Outcome():
            return
        self.pools.update(each.pool_id for each in self.outcome.pool_work)
        self.numbers = record(self.connection, self.outcome, self.shards, self.numbers)
        self.outcome, self.written = Outcome(), len(self.numbers)


@contextmanager
def ledger_act(
    connection: Connection, shards: Iterable[int], now: Clock, epochs: Mapping[int, int] | None = None
) -> Iterator[LedgerJournal]:
    """Locks shards until the transaction ends, yields a journal, and writes it when the block ends without an error.

    The clock is read under the locks, so times never run backwards within a shard; a clock that is behind a month that
    was issued or closed counts as its end. ``epochs`` are those under which the caller holds shards. Raises Fenced when
    another worker has taken one, and Contended.
    """
    states = reads.lock_shards(connection, shards, epochs or {})
    journal = LedgerJournal(states, _moment(now(), states.values()), connection=connection)
    yield journal
    journal.write()


def _moment(now: datetime, states: Iterable[ShardState]) -> datetime:
    return max([now, *(state.not_before for state in states if state.not_before is not None)])
