"""Whether benefits and pools still are what the ledger's events, decisions and instructions make them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection

from handlers.audit.log_check import Fault, LogFinding
from handlers.claims.pool_movements import contribution_row, pool_row
from handlers.claims.read import recall
from handlers.claims.restrictions import restriction
from infra.ledger import pool_checks
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.facts import PoolFact, PoolRecorded
from schemas.pool_records import ContributionRow, PoolRow

_NAMED = 3
"""So many are named of what is wrong."""


def verify_pools(connection: Connection) -> list[LogFinding]:
    """What is wrong with benefits and pools; meaningful if events and instructions are as they were recorded."""
    return [LogFinding(None, None, Fault.POOLS_DISAGREE, saying) for saying in _doubts(connection)]


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
    if wrong := _unlike(_received(kept.values()), _named(pool_checks.received(connection))):
        yield Saying(
            f"资金池的收款合计与各笔款项不符:{wrong}",
            f"what pools are counted to have received is not what was contributed: {wrong}",
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


def _received(contributions: Iterable[ContributionRow]) -> dict[str, int]:
    """What pools received under each restriction."""
    sums = Counter[tuple[str, str]]()
    for row in contributions:
        sums[row.pool_id, restriction(row.restricted_to)] += row.amount
    return _named(sums)


def _named(sums: Mapping[tuple[str, str], int]) -> dict[str, int]:
    return {f"{pool_id} {key}".strip(): amount for (pool_id, key), amount in sums.items()}


def _unlike(made: Mapping[str, object], kept: Mapping[str, object]) -> str:
    """The names of some that differ, if any do. A sum of zero is none."""
    names = (name for name in sorted(made.keys() | kept.keys()) if (made.get(name) or 0) != (kept.get(name) or 0))
    return ", ".join(name for name, _ in zip(names, range(_NAMED), strict=False))
