"""Instructing a failed payout again, as an audited act of a named operator."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from acts.ledger_act import ledger_act
from acts.load_world import load_payouts, load_persons
from handlers.claims.process import Processor
from handlers.claims.reissue import reissuable, reissue
from handlers.claims.world import World
from infra.clock import Clock
from infra.ledger import reads
from infra.sharding import shard_of
from schemas.ids import PayoutId, PersonId
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
    person_id = _payee(connection, payout_id)
    with ledger_act(connection, [shard_of(person_id, shard_count)], now) as journal:
        world = _world(connection, payout_id, person_id, shard_count)
        return Reissued(*reissue(Processor(world, journal), Reissue(PayoutId(payout_id), person_id, operator, reason)))


def check_reissue(connection: Connection, payout_id: str, shard_count: int) -> int:
    """How many fen would be ordered again if it were done now; locks nothing. Raises NoSuchPayout and NotReissuable."""
    world = _world(connection, payout_id, _payee(connection, payout_id), shard_count)
    return reissuable(world, PayoutId(payout_id))


def _payee(connection: Connection, payout_id: str) -> PersonId:
    rows = reads.instructions(connection, [payout_id])
    if not rows:
        raise NoSuchPayout(payout_id)
    return rows[0].person_id


def _world(connection: Connection, payout_id: str, person_id: PersonId, shard_count: int) -> World:
    world = load_persons(connection, [person_id], shard_count)
    load_payouts(connection, world, reads.line_of(connection, payout_id))
    return world
