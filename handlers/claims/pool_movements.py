"""What an event changes in the money of pools: contributions, what claims are owed, and what is instructed.

Nothing is released here. Every change is put into the queue of the pool, whose step looks at it
(handlers/pools/pool_step.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from handlers.audit.journal import Journal
from handlers.books import entries
from handlers.claims import pool_alerts
from handlers.claims.restrictions import FREE, restriction
from handlers.claims.world import World
from schemas.facts import ContributionReceived, PoolFact, PoolRecorded
from schemas.outbound import InstructionKind
from schemas.pool_records import ContributionRow, PoolRow, PoolSide, PoolWork
from schemas.records import BenefitRow, ClaimRow, InstructionRow

ShardOf = Callable[[str], int]


def take(fact: PoolFact, world: World, journal: Journal, number: int) -> None:
    """Keeps what an accepted event says about a pool, books what it changes in its money, and wakes the pool."""
    shard = world.shard_of(fact.pool_id)
    if isinstance(fact, PoolRecorded):
        journal.outcome.pools[fact.pool_id] = pool_row(fact, shard)
        journal.outcome.pool_work.append(PoolWork(number, fact.pool_id, shard, PoolSide.RECEIVED, FREE, 0))
        return
    before = world.contributions.get(fact.subject.id)
    after = contribution_row(fact, before, journal.booked_on)
    world.contributions[after.contribution_id] = journal.outcome.contributions[after.contribution_id] = after
    for row, sign in ((before, -1), (after, 1)):
        if row is not None and row.amount:
            key = restriction(row.restricted_to)
            changed = PoolWork(number, fact.pool_id, shard, PoolSide.RECEIVED, key, sign * row.amount)
            journal.outcome.pool_work.append(changed)
    more = after.amount - (before.amount if before is not None else 0)
    for entry in entries.contributed(fact.pool_id, more):
        journal.post(number, entry, after.received_on, after.contribution_id)


def pool_row(fact: PoolRecorded, shard: int) -> PoolRow:
    """What is kept of a pool."""
    return PoolRow(fact.pool_id, shard, fact.title, fact.area, fact.on_shortage, fact.opened_on)


def contribution_row(fact: PoolFact, before: ContributionRow | None, booked_on: date) -> ContributionRow:
    """What is kept of a contribution after an event about it that was taken in on the day ``booked_on``."""
    if isinstance(fact, ContributionReceived):
        return ContributionRow(
            fact.contribution_id,
            fact.pool_id,
            fact.kind,
            fact.amount,
            fact.received_on,
            fact.heads,
            fact.payer,
            sorted(set(fact.restricted_to)),
            fact.reference,
            voided=False,
        )
    if before is not None:
        return before._replace(amount=0, voided=True)
    return ContributionRow(fact.subject.id, fact.pool_id, "", 0, booked_on, None, None, [], "", voided=True)


def decided(
    journal: Journal,
    claim: ClaimRow,
    held: Mapping[str, BenefitRow],
    found: Iterable[BenefitRow],
    number: int,
    world: World,
) -> None:
    """Wakes the pools for whose money a claim waits or waited, and says where a pool should pay and none is named.

    ``held`` are the claim's benefits before the decision, ``found`` those after it.
    """
    for row in found:
        before = held.get(row.scheme_id)
        waited = before is not None and before.waiting > 0
        if row.pool_id and (row.waiting or waited):
            _wake(journal, row.pool_id, row.scheme_id, number, world.shard_of)
        if before is not None and before.pool_id and before.pool_id != row.pool_id and waited:
            _wake(journal, before.pool_id, row.scheme_id, number, world.shard_of)
        was = before is not None and _nowhere(before)
        if was != _nowhere(row):
            told = pool_alerts.no_pool if _nowhere(row) else pool_alerts.no_pool_withdrawn
            message, account = told(claim, row.scheme_id, journal.recorded_at), world.accounts[claim.person_id]
            journal.alert(claim.shard, number, message, account.area)


def redated(journal: Journal, claim: ClaimRow, held: dict[str, BenefitRow], number: int, shard_of: ShardOf) -> None:
    """Gives the benefits that pools pay the day of their claim, which has changed though no decision has."""
    for row in held.values():
        if row.pool_id and row.discharged_on != claim.discharged_on:
            moved = row._replace(discharged_on=claim.discharged_on)
            held[row.scheme_id] = journal.outcome.benefits[row.claim_id, row.scheme_id] = moved
            if row.waiting:
                _wake(journal, row.pool_id, row.scheme_id, number, shard_of)


def instructed(row: InstructionRow, pool_id: str, shard: int) -> PoolWork:
    """What an instruction of a pool's payout changes in the pool's money."""
    amount = row.amount if row.kind == InstructionKind.PAYMENT else -row.amount
    return PoolWork(row.number, pool_id, shard, PoolSide.RELEASED, row.scheme_id, amount)


def _nowhere(row: BenefitRow) -> bool:
    return row.pool_id == "" and row.benefit > 0


def _wake(journal: Journal, pool_id: str, scheme_id: str, number: int, shard_of: ShardOf) -> None:
    journal.outcome.pool_work.append(PoolWork(number, pool_id, shard_of(pool_id), PoolSide.RELEASED, scheme_id, 0))
