"""Pools in the ledger: their money, their queue, and the work that waits for their steps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Connection,
    Join,
    Subquery,
    Text,
    and_,
    any_,
    bindparam,
    case,
    collate,
    delete,
    func,
    not_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from infra.ledger import tables
from infra.ledger.pool_tables import contributions, pool_sums, pool_work, pool_years, pools
from infra.ledger.tables import events
from schemas.ids import ClaimId
from schemas.pool_records import ContributionRow, PoolRow, PoolSide, PoolYearRow, WaitingBenefit

_BENEFITS, _CLAIMS = tables.benefits, tables.claims


class PoolSum(NamedTuple):
    """What a pool received under a restriction, or released for a scheme, in fen."""

    pool_id: str
    side: PoolSide
    key: str
    amount: int


class Unfolded(NamedTuple):
    """A row of the queue of the pools' steps."""

    work_no: int
    pool_id: str
    side: PoolSide
    key: str
    amount: int


def waiting_pools(connection: Connection, shards: Iterable[int], limit: int) -> dict[str, int]:
    """The pools of some shards that have work, with their shards; those with the oldest work, at most ``limit``."""
    rows = connection.execute(
        select(pool_work.c.pool_id, pool_work.c.shard)
        .where(pool_work.c.shard.in_(sorted(shards)))
        .group_by(pool_work.c.pool_id, pool_work.c.shard)
        .order_by(func.min(pool_work.c.work_no))
        .limit(limit)
    )
    return {row.pool_id: row.shard for row in rows}


def work_of(connection: Connection, pool_ids: Collection[str]) -> list[Unfolded]:
    """All work of some pools, oldest first."""
    columns = [pool_work.c[name] for name in Unfolded._fields]
    rows = connection.execute(
        select(*columns).where(pool_work.c.pool_id == any_(_texts(pool_ids))).order_by(pool_work.c.work_no)
    )
    return [Unfolded(row.work_no, row.pool_id, PoolSide(row.side), row.key, row.amount) for row in rows]


def fold(
    connection: Connection,
    work: Iterable[Unfolded],
    changed: Mapping[tuple[str, PoolSide, str], int],
    again: Collection[str],
) -> None:
    """Takes work off the queue, and adds what it ``changed`` to what the pools' money comes to.

    Of pools in ``again`` a row without an amount stays, so that they get another step.
    """
    newest = {each.pool_id: each.work_no for each in work if each.pool_id in again}
    done = [each.work_no for each in work if each.work_no not in newest.values()]
    connection.execute(delete(pool_work).where(pool_work.c.work_no == any_(_numbers(done))))
    if newest:
        kept = pool_work.c.work_no == any_(_numbers(newest.values()))
        connection.execute(update(pool_work).where(kept).values(amount=0))
    rows = [
        {"pool_id": pool_id, "side": side, "key": key, "amount": amount}
        for (pool_id, side, key), amount in sorted(changed.items())
        if amount
    ]
    if rows:
        added = insert(pool_sums)
        sums = {"amount": pool_sums.c.amount + added.excluded.amount}
        connection.execute(added.on_conflict_do_update(index_elements=list(pool_sums.primary_key), set_=sums), rows)


def pools_with_work(connection: Connection, pool_ids: Collection[str]) -> set[int]:
    """The shards of those of some pools that have work."""
    rows = connection.scalars(select(pool_work.c.shard).where(pool_work.c.pool_id == any_(_texts(pool_ids))).distinct())
    return set(rows)


def sums_of(connection: Connection, pool_ids: Collection[str]) -> list[PoolSum]:
    """The sums of some pools, up to the work that is done."""
    rows = connection.execute(select(pool_sums).where(pool_sums.c.pool_id == any_(_texts(pool_ids))))
    return [PoolSum(row.pool_id, PoolSide(row.side), row.key, row.amount) for row in rows]


def recorded(connection: Connection, pool_ids: Collection[str] | None = None) -> list[PoolRow]:
    """Those of some pools that were recorded, or all that were; by their ids."""
    query = select(*(pools.c[name] for name in PoolRow._fields))
    if pool_ids is not None:
        query = query.where(pools.c.pool_id == any_(_texts(pool_ids)))
    return sorted(PoolRow(*row) for row in connection.execute(query))


IN_ORDER = (_BENEFITS.c.discharged_on, collate(_BENEFITS.c.claim_id, "C"), _BENEFITS.c.place)
"""The canonical order of a queue."""

WAITING = case((_BENEFITS.c.held, 0), else_=_BENEFITS.c.benefit - _BENEFITS.c.released)
"""What is due and waits for the pool's money, in fen: nothing of a claim that is held."""

OPEN = and_(not_(_BENEFITS.c.held), _BENEFITS.c.released < _BENEFITS.c.benefit)
"""Of whom something waits."""

QUEUED = and_(not_(_BENEFITS.c.held), _BENEFITS.c.released + _BENEFITS.c.left_by_close < _BENEFITS.c.benefit)
"""Whom the queue is to serve: not what the close of a year left unpaid."""

_WAITING_COLUMNS = (
    _BENEFITS.c.claim_id,
    _BENEFITS.c.scheme_id,
    _CLAIMS.c.person_id,
    _BENEFITS.c.discharged_on,
    WAITING.label("waiting"),
    func.greatest(0, WAITING - _BENEFITS.c.left_by_close).label("open"),
    _BENEFITS.c.told,
)


def queue(connection: Connection, pool_id: str, limit: int | None = None) -> list[WaitingBenefit]:
    """The first of those who wait for a pool's money and whom it is to serve, in canonical order."""
    first = (
        select(_BENEFITS.c.claim_id, _BENEFITS.c.scheme_id)
        .where(_BENEFITS.c.pool_id == pool_id, QUEUED)
        .order_by(*IN_ORDER)
        .limit(limit)
        .subquery()
    )
    rows = connection.execute(select(*_WAITING_COLUMNS).select_from(_in_full(first)).order_by(*IN_ORDER))
    return [WaitingBenefit(*row) for row in rows]


def untold(connection: Connection, pool_id: str, limit: int) -> list[tuple[WaitingBenefit, int]]:
    """Those whose last decision says something else than what waits now, with their place in the queue.

    The place of somebody whom the queue is not to serve is 0.
    """
    first = (
        select(_BENEFITS.c.claim_id, _BENEFITS.c.scheme_id)
        .where(_BENEFITS.c.pool_id == pool_id, _BENEFITS.c.told != WAITING)
        .limit(limit)
        .subquery()
    )
    rows = connection.execute(
        select(*_WAITING_COLUMNS, _BENEFITS.c.place).select_from(_in_full(first)).order_by(*IN_ORDER)
    )
    found = [(WaitingBenefit(*row[:-1]), row[-1]) for row in rows]
    places = positions(connection, pool_id, [each.claim_id for each, _ in found])
    return [(each, places.get((each.claim_id, place), 0)) for each, place in found]


def positions(connection: Connection, pool_id: str, claim_ids: Collection[ClaimId]) -> dict[tuple[ClaimId, int], int]:
    """Where the benefits of some claims stand in a pool's queue, from 1, by claim and place of the scheme."""
    if not claim_ids:
        return {}
    position = func.row_number().over(order_by=IN_ORDER).label("position")
    queued = select(_BENEFITS.c.claim_id, _BENEFITS.c.place, position).where(_BENEFITS.c.pool_id == pool_id, QUEUED)
    of = queued.subquery()
    rows = connection.execute(select(of).where(of.c.claim_id == any_(_texts(claim_ids))))
    return {(row.claim_id, row.place): row.position for row in rows}


def _in_full(first: Subquery) -> Join:
    """The benefits that a query found, with their claims."""
    same = (first.c.claim_id == _BENEFITS.c.claim_id) & (first.c.scheme_id == _BENEFITS.c.scheme_id)
    return _BENEFITS.join(first, same).join(_CLAIMS, _CLAIMS.c.claim_id == _BENEFITS.c.claim_id)


def waiting_sum(connection: Connection, pool_id: str) -> int:
    """How many fen wait for a pool's money that its queue is to serve."""
    total = select(func.coalesce(func.sum(WAITING), 0)).where(_BENEFITS.c.pool_id == pool_id, QUEUED)
    return int(connection.scalar(total) or 0)


def newest_decisions(connection: Connection, claim_ids: Collection[ClaimId]) -> dict[ClaimId, bytes]:
    """The newest decision of each claim, as published."""
    claim, decision = tables.claims, tables.decisions
    same = (decision.c.claim_id == claim.c.claim_id) & (decision.c.revision == claim.c.revision)
    rows = connection.execute(
        select(claim.c.claim_id, decision.c.value)
        .join(decision, same)
        .where(claim.c.claim_id == any_(_texts(claim_ids)))
    )
    return {row.claim_id: bytes(row.value) for row in rows}


def contributions_named(connection: Connection, ids: Collection[str]) -> list[ContributionRow]:
    """Those of some contributions that the ledger has."""
    columns = [contributions.c[name] for name in ContributionRow._fields]
    return [
        ContributionRow(*row)
        for row in connection.execute(select(*columns).where(contributions.c.contribution_id == any_(_texts(ids))))
    ]


def keep_contributions(connection: Connection, rows: Iterable[ContributionRow]) -> None:
    """Keeps contributions as their newest versions say."""
    values = [row._asdict() for row in rows]
    if values:
        kept = insert(contributions)
        changed = {name: kept.excluded[name] for name in ContributionRow._fields[1:]}
        connection.execute(kept.on_conflict_do_update(index_elements=["contribution_id"], set_=changed), values)


def closed_years(connection: Connection, pool_id: str) -> list[PoolYearRow]:
    """The closed years of a pool, oldest first."""
    columns = [pool_years.c[name] for name in PoolYearRow._fields]
    rows = connection.execute(select(*columns).where(pool_years.c.pool_id == pool_id).order_by(pool_years.c.year))
    return [PoolYearRow(*row) for row in rows]


def close_year(connection: Connection, row: PoolYearRow) -> None:
    """Keeps that a pool's year was closed."""
    connection.execute(pool_years.insert().values(row._asdict()))


def waiting_since(connection: Connection) -> tuple[int, datetime | None]:
    """How many pools have work that no step has done, and since when the first of it."""
    both = pool_work.join(events, events.c.event_no == pool_work.c.event_no)
    rows = select(func.count(pool_work.c.pool_id.distinct()), func.min(events.c.recorded_at)).select_from(both)
    row = connection.execute(rows).one()
    return row[0], row[1]


def _numbers(values: Iterable[int]) -> BindParameter[Sequence[int]]:
    return bindparam(None, list(values), type_=ARRAY(BigInteger), unique=True)


def _texts(values: Iterable[str]) -> BindParameter[Sequence[str]]:
    return bindparam(None, list(values), type_=ARRAY(Text), unique=True)
