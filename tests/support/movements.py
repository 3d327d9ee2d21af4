"""A random town as the oracle of the books may know it, and what its ledger has posted."""

from __future__ import annotations

from sqlalchemy import Engine, select

from infra.ledger.clearing_tables import postings
from schemas.records import Manner
from tests.oracle import books as oracle
from tests.support.random_town import PooledTown, RandomTown


def movements(town: RandomTown) -> list[oracle.Movement]:
    """What was published and reported, in the order in which it was recorded."""
    found: list[oracle.Movement] = [oracle.instructed_by(each) for each in town.instructions()]
    found += [oracle.reported_by(told, recorded_at) for told, recorded_at in town.reports]
    for each, moment in town.settled:
        waived = each.manner == Manner.WAIVED
        name = each.payout_id
        found.append(oracle.Waived(name, each.amount, moment) if waived else oracle.SetOff(name, moment))
    if isinstance(town, PooledTown):
        found += [oracle.contributed_by(told, recorded_at) for told, recorded_at in town.contributions]
    return sorted(found, key=lambda each: each.recorded_at)


def posted(ledger: Engine) -> list[oracle.Leg]:
    """What the ledger has posted."""
    order = postings.c
    with ledger.connect() as connection:
        query = select(order.account, order.amount, order.booked_on, order.reference)
        return [oracle.Leg(*row) for row in connection.execute(query)]
