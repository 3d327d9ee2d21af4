"""The close of a year of a pool that pays pro rata: everybody gets the same part of what is due (groups.md, 3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from handlers.audit.operator_acts import pool_year_closed
from handlers.claims.process import Processor
from handlers.pools.pool_money import PoolMoney
from handlers.pools.pool_step import carry_out
from handlers.pools.shortage import shares_of_a_year
from schemas.facts import OnShortage
from schemas.ids import ClaimId
from schemas.policy.model import Policies
from schemas.pool_records import PoolStep, PoolYear, WaitingBenefit


def of_year(waiting: Iterable[WaitingBenefit], policies: Policies, year: int) -> list[WaitingBenefit]:
    """Whom the close of a year serves: claims of policy years that begin in it, or earlier and late; by claim ids."""
    found = []
    for each in waiting:
        begins = policies.year(each.discharged_on)
        if each.open and begins is not None and begins.year <= year:
            found.append(each)
    return sorted(found, key=lambda each: (each.claim_id, each.scheme_id))


def planned(
    pool_id: str, year: int, operator: str, reason: str, money: PoolMoney, served: Sequence[WaitingBenefit]
) -> PoolYear:
    """What closing a year does with the pool's money as it is."""
    released: list[tuple[str, str, int]] = [(*each,) for each in shares_of_a_year(money, served)]
    paid = {(claim_id, scheme_id): fen for claim_id, scheme_id, fen in released}
    left, told = list[tuple[str, str, int]](), list[tuple[str, str, int, int | None]]()
    for each in served:
        fen = each.waiting - paid.get((each.claim_id, each.scheme_id), 0)
        left.append((each.claim_id, each.scheme_id, fen))
        if fen != each.told:
            told.append((each.claim_id, each.scheme_id, fen, None))
    return PoolYear(pool_id, year, operator, reason, released, left, told)


def close_year(processor: Processor, act: PoolYear) -> int:
    """Releases what a year's close gives, as one act of an operator; returns its number in the journal.

    What is left unpaid is not served again. The world holds the persons, claims and decisions that the act names.
    """
    world = processor.world
    number = pool_year_closed(processor.journal, world.shard_of(act.pool_id), act)
    for claim_id, scheme_id, fen in act.left:
        benefits = world.benefits[ClaimId(claim_id)]
        benefits[scheme_id] = benefits[scheme_id]._replace(left_by_close=fen)
        processor.outcome.benefits[ClaimId(claim_id), scheme_id] = benefits[scheme_id]
        processor.journal.shards[world.claims[ClaimId(claim_id)].shard].redated += 1
    step = PoolStep(act.pool_id, act.released, act.told, [], [])
    carry_out(processor, step, OnShortage.PRO_RATA, number)
    return number
