"""Instructing a failed payout again, as an audited act of a named operator."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from acts.ledger_act import ledger_act
from acts.load_world import load_payouts, load_persons
from handlers.claims.process import Processor
from handlers.claims.reissue import reissue
from infra.clock import Clock
from infra.ledger import reads
from infra.sharding import shard_of
from schemas.ids import PayoutId
from schemas.records import Reissue


class NoSuchPayout(Exception):
    """No payout instruction has that id."""


class Reissued(NamedTuple):
    """The payout that was ordered in place of the failed one, and its amount in fen."""

    payout_id: str
    amount: int


def reissue_payout(
    connection: Connection, payout_id: str, operator: str, reason: str, shard_count: int, now: Clock
) -> Reissued:
    """Orders a failed or returned payout again in the name of an operator.

    Under the lock of the person's shard: of two operators one comes first, and a report is taken in before or after.
    Raises NoSuchPayout and NotReissuable.
    """
    rows = reads.instructions(connection, [payout_id])
    if not rows:
        raise NoSuchPayout(payout_id)
    person_id = rows[0].person_id
    with ledger_act(connection, [shard_of(person_id, shard_count)], now) as journal:
        world = load_persons(connection, [person_id], shard_count)
        load_payouts(connection, world, reads.line_of(connection, payout_id))
        return Reissued(*reissue(Processor(world, journal), Reissue(PayoutId(payout_id), person_id, operator, reason)))
