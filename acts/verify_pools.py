"""Whether benefits and pools still are what the ledger's events, decisions and instructions make them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection

from handlers.audit.log_check import Fault, Finding
from handlers.claims.pool_movements import contribution_row, pool_row
from handlers.claims.read import recall
from handlers.claims.restrictions import restriction
from infra.ledger import pool_checks
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.facts import PoolFact, PoolRecorded
from schemas.records import ContributionRow, PoolRow, PoolSide

_NAMED = 3
"""So many are named of what is wrong."""


def verify_pools(connection: Connection) -> list[Finding]:
    """What is wrong with benefits and pools; meaningful if events and instructions are as they were recorded."""
    return [Finding(None, None, Fault.POOLS_DISAGREE, saying) for saying in _doubts(connection)]


def _doubts(connection: Connection) -> Iterator[Saying]:
    if benefits := pool_checks.released_wrongly(connection, _NAMED):
        names = ", ".join(benefits)
        yield Saying(
            f"已下达的金额与指令不符(理赔/方案):{names}",
            f"not so much is released as is instructed (claim/scheme): {names}",
        )
    if benefits := pool_checks.decided_otherwise(connection, _NAMED):
        names = ", ".join(benefits)
        yield Saying(
            f"资金池应付或待付的金额与理赔决定不符(理赔/方案):{names}",
            f"the newest decision says otherwise what a pool owes or who waits (claim/scheme): {names}",
        )
    pools, contributions = _recorded(connection)
    of_pools, of_contributions = pool_checks.rows_kept(connection)
    if wrong := _unlike(pools, {row.pool_id: row for row in of_pools}):
        yield Saying(f"资金池与登记事件不符:{wrong}", f"pools are not what their events say: {wrong}")
    kept = {row.contribution_id: row for row in of_contributions}
    if wrong := _unlike(contributions, kept):
        yield Saying(f"入账款项与登记事件不符:{wrong}", f"contributions are not what their events say: {wrong}")
    if wrong := _unlike(_made(connection, kept.values()), _kept(connection)):
        yield Saying(
            f"资金池的收支合计与款项和指令不符:{wrong}",
            f"the sums of pools are not those of their contributions and instructions: {wrong}",
        )


def _recorded(connection: Connection) -> tuple[dict[str, PoolRow], dict[str, ContributionRow]]:
    """The pools and contributions as their newest events say."""
    pools, contributions = dict[str, PoolRow](), dict[str, ContributionRow]()
    for event in pool_checks.pool_events(connection):
        fact = recall(event.value)
        assert isinstance(fact, PoolFact), "what is kept under a pool or a contribution is about a pool"
        if isinstance(fact, PoolRecorded):
            pools[fact.pool_id] = pool_row(fact, event.shard)
        else:
            day, name = shanghai_date(event.recorded_at), fact.subject.id
            contributions[name] = contribution_row(fact, contributions.get(name), day)
    return pools, contributions


def _made(connection: Connection, contributions: Iterable[ContributionRow]) -> Counter[str]:
    """What pools received by restriction, and released by scheme, by the contributions and the instructions."""
    sums = Counter[str]()
    for row in contributions:
        sums[_place(row.pool_id, PoolSide.RECEIVED, restriction(row.restricted_to))] += row.amount
    for each in pool_checks.sums_made(connection):
        sums[_place(*each[:3])] += each.amount
    return sums


def _kept(connection: Connection) -> Counter[str]:
    """The same, by what the steps of the pools keep."""
    return Counter({_place(*each[:3]): each.amount for each in pool_checks.sums_kept(connection)})


def _place(pool_id: str, side: PoolSide, key: str) -> str:
    return f"{pool_id} {side}" + (f" {key}" if key else "")


def _unlike(made: Mapping[str, object], kept: Mapping[str, object]) -> str:
    """The names of some that differ, if any do. A sum of zero is none."""
    names = (name for name in sorted(made.keys() | kept.keys()) if (made.get(name) or 0) != (kept.get(name) or 0))
    return ", ".join(name for name, _ in zip(names, range(_NAMED), strict=False))
