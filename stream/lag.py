"""How far the ledger is behind the inbound topics, and the relay behind the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from acts.reader import Reader
from infra.ledger import outbox_rows, reads
from schemas.topics import INBOUND


@dataclass(frozen=True, slots=True)
class Lag:
    """Messages not yet taken in, and outbox rows not yet sent. Idle when both are zero."""

    inbound: int
    outbound: int

    @property
    def idle(self) -> bool:
        return self.inbound == 0 and self.outbound == 0


def lag(engine: Engine, reader: Reader, shard_count: int) -> Lag:
    """Measured now. Inbound is read first: what was taken in meanwhile then shows as outbound or is sent."""
    places = [(topic.name, shard) for topic in INBOUND for shard in range(shard_count)]
    ends = reader.ends(places)
    with engine.connect() as connection:
        reached = reads.next_offsets(connection)
        behind = sum(max(0, end - reached.get(place, 0)) for place, (_, end) in ends.items())
        return Lag(behind, outbox_rows.unsent(connection))
