"""How far the ledger is behind the inbound topics, and the relay behind the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from acts.reader import Reader
from infra.ledger import group_rows, outbox_rows, pool_rows, reads
from schemas.topics import INBOUND


@dataclass(frozen=True, slots=True)
class Lag:
    """Messages not yet in the ledger, persons and pools that wait for their step, and outbox messages not yet sent.

    Idle when all are zero.
    """

    inbound: int
    households: int
    pools: int
    outbound: int

    @property
    def idle(self) -> bool:
        return self.inbound == self.households == self.pools == self.outbound == 0


def lag(engine: Engine, reader: Reader, shard_count: int) -> Lag:
    """The lag now. Inbound is measured first: a message recorded meanwhile then counts as outbound, or is sent.

    So are a person and a pool that wait: when their step was done meanwhile, its messages count.
    """
    places = [(topic.name, shard) for topic in INBOUND for shard in range(shard_count)]
    ends = reader.ends(places)
    with engine.connect() as connection:
        reached = reads.next_offsets(connection)
        behind = sum(max(0, end - reached.get(place, 0)) for place, (_, end) in ends.items())
        households, (pools, _) = group_rows.count_waiting(connection), pool_rows.waiting_since(connection)
        return Lag(behind, households, pools, outbox_rows.unsent(connection))
