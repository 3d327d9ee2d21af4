"""Instructing a failed payout again, as an audited act of a named operator."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine

from acts.payout_reads import load_payouts
from acts.take_in import load_persons
from handlers.claims.process import Processor
from infra.clock import Clock
from infra.ledger import reads
from infra.ledger.write import record
from infra.sharding import shard_of
from schemas.records import Reissue


class NoSuchPayout(Exception):
    """No payout instruction has that id."""


class Reissued(NamedTuple):
    """The payout that was ordered in place of the failed one, and its amount in fen."""

    payout_id: str
    amount: int


def reissue(engine: Engine, payout_id: str, operator: str, reason: str, shard_count: int, now: Clock) -> Reissued:
    """Orders a failed or returned payout again in the name of an operator.

    The act, its audit entries and both instructions are one transaction under the lock of the person's shard: of two
    operators one comes first, and a report is taken in before or after. Raises NoSuchPayout and NotReissuable.
    """
    with engine.begin() as connection:
        found = reads.instructions(connection, [payout_id])
        if not found:
            raise NoSuchPayout(payout_id)
        person_id = found[0].person_id
        shards = reads.lock_shards(connection, [shard_of(person_id, shard_count)], {})
        world = load_persons(connection, [person_id], shards, shard_count)
        load_payouts(connection, world, reads.line_of(connection, payout_id))
        processor = Processor(world, now())
        again = processor.reissue(Reissue(payout_id, person_id, operator, reason))
        record(connection, processor.outcome, shards)
    return Reissued(*again)
