"""Pools as people look at them: what they received, released and have, month by month, and who waits for it.

All figures are those of one moment: what a pool received is the sum of its contributions, and what it released that of
the instructions that name it, so that its balance is the difference of what stands on the page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Date, Select, String, and_, case, cast, func, select, union

from infra.ledger import alert_rows, tables
from infra.ledger.alert_tables import alerts
from infra.ledger.pool_rows import IN_ORDER, OPEN, QUEUED, WAITING, recorded
from infra.ledger.pool_tables import contributions, pools
from schemas.alert_records import AlertState
from schemas.pool_records import ContributionRow, PoolRow, WaitingNow

_BENEFITS, _CLAIMS, _INSTRUCTIONS, _EVENTS = tables.benefits, tables.claims, tables.instructions, tables.events
_NET = case((_INSTRUCTIONS.c.kind == "payment", _INSTRUCTIONS.c.amount), else_=-_INSTRUCTIONS.c.amount)
_BOOKED = func.timezone("Asia/Shanghai", _EVENTS.c.recorded_at)
_MONTH = cast(func.date_trunc("month", _BOOKED), Date)


class PoolFigures(NamedTuple):
    """A pool's money in fen. ``row`` is None if nobody recorded it. ``waiting`` fen of ``benefits`` benefits wait."""

    pool_id: str
    row: PoolRow | None
    received: int
    released: int
    waiting: int
    benefits: int
    alerts: tuple[str, ...]

    @property
    def balance(self) -> int:
        """What it received less what it released; below zero where it owes."""
        return self.received - self.released


class PaidPerson(NamedTuple):
    """What a pool released to one person in a month, net, in fen."""

    month: date
    person_id: str
    amount: int


def all_pools(connection: Connection, pool_ids: Collection[str] | None = None) -> list[PoolFigures]:
    """The pools of some ids, or all that were recorded, have money or are waited for; by their ids."""
    names = _known(connection, pool_ids)
    rows = {row.pool_id: row for row in recorded(connection, names)}
    received = _by_pool(connection, contributions, contributions.c.pool_id, func.sum(contributions.c.amount), names)
    released = _by_pool(connection, _INSTRUCTIONS, _INSTRUCTIONS.c.pool_id, func.sum(_NET), names)
    query = select(_BENEFITS.c.pool_id, func.sum(WAITING), func.count()).where(_BENEFITS.c.pool_id.in_(names), OPEN)
    waiting = {row[0]: (int(row[1]), row[2]) for row in connection.execute(query.group_by(_BENEFITS.c.pool_id))}
    told = alert_rows.of_pools(connection, names)
    return [
        PoolFigures(
            name,
            rows.get(name),
            received.get(name, 0),
            released.get(name, 0),
            *waiting.get(name, (0, 0)),
            tuple(sorted(code for pool_id, code in told if pool_id == name)),
        )
        for name in names
    ]


def contributions_of(connection: Connection, pool_id: str) -> list[ContributionRow]:
    """The contributions to a pool as their newest versions say, voided ones too, by the day they were received."""
    query = select(*(contributions.c[name] for name in ContributionRow._fields))
    query = query.where(contributions.c.pool_id == pool_id)
    rows = connection.execute(query.order_by(contributions.c.received_on, contributions.c.contribution_id))
    return [ContributionRow(*row) for row in rows]


def released_by_month(connection: Connection, pool_id: str) -> dict[date, int]:
    """What a pool released, net of what was recovered, by the months in which that was instructed; in fen."""
    rows = connection.execute(_of_pool(pool_id, _MONTH, func.sum(_NET)).group_by(_MONTH).order_by(_MONTH))
    return {row[0]: int(row[1]) for row in rows}


def released_by_scheme(connection: Connection, pool_id: str) -> dict[str, int]:
    """What a pool released for each scheme, net of what was recovered, in fen."""
    query = select(_INSTRUCTIONS.c.scheme_id, func.sum(_NET)).where(_INSTRUCTIONS.c.pool_id == pool_id)
    rows = connection.execute(query.group_by(_INSTRUCTIONS.c.scheme_id).order_by(_INSTRUCTIONS.c.scheme_id))
    return {row[0]: int(row[1]) for row in rows}


def released_since(connection: Connection, pool_id: str, day: date) -> int:
    """What a pool released since a day, net of what was recovered, in fen."""
    query = _of_pool(pool_id, func.coalesce(func.sum(_NET), 0))
    return int(connection.scalar(query.where(_BOOKED >= day)) or 0)


def paid_persons(connection: Connection, pool_id: str) -> list[PaidPerson]:
    """What each person got of a pool's money in each month, net."""
    query = _of_pool(pool_id, _MONTH, _INSTRUCTIONS.c.person_id, func.sum(_NET))
    rows = connection.execute(query.group_by(_MONTH, _INSTRUCTIONS.c.person_id).order_by(_MONTH))
    return [PaidPerson(row[0], row[1], int(row[2])) for row in rows]


def waiting_persons(connection: Connection, pool_id: str) -> int:
    """How many persons wait for a pool's money."""
    query = select(func.count(_CLAIMS.c.person_id.distinct())).join_from(
        _BENEFITS, _CLAIMS, _CLAIMS.c.claim_id == _BENEFITS.c.claim_id
    )
    waits = query.where(_BENEFITS.c.pool_id == pool_id, OPEN)
    return int(connection.scalar(waits) or 0)


def waiting_of_pool(connection: Connection, pool_id: str) -> list[WaitingNow]:
    """All who wait for a pool's money, in canonical order."""
    return _waiting(connection, [pool_id])


def waiting_of_claim(connection: Connection, claim_id: str) -> list[WaitingNow]:
    """What of a claim's benefits waits, by the order of the schemes."""
    names = connection.scalars(
        select(_BENEFITS.c.pool_id).distinct().where(_BENEFITS.c.claim_id == claim_id, OPEN)
    ).all()
    return _waiting(connection, names, claim_id) if names else []


def _waiting(connection: Connection, pool_ids: Collection[str], claim_id: str | None = None) -> list[WaitingNow]:
    """The place in the queue is counted over the whole pool, also where only one claim is asked for."""
    place = func.count().filter(QUEUED).over(partition_by=_BENEFITS.c.pool_id, order_by=IN_ORDER)
    queued = (pools.c.on_shortage == "queue") & QUEUED
    lines = (
        select(
            _BENEFITS.c.claim_id,
            _BENEFITS.c.scheme_id,
            _BENEFITS.c.pool_id,
            _BENEFITS.c.discharged_on,
            WAITING.label("amount"),
            func.least(WAITING, _BENEFITS.c.left_by_close).label("left"),
            pools.c.on_shortage,
            case((queued, place)).label("position"),
            func.row_number().over(order_by=(_BENEFITS.c.pool_id, *IN_ORDER)).label("line"),
        )
        .select_from(_BENEFITS.outerjoin(pools, pools.c.pool_id == _BENEFITS.c.pool_id))
        .where(_BENEFITS.c.pool_id.in_(pool_ids), OPEN)
        .subquery()
    )
    query = select(*(lines.c[name] for name in WaitingNow._fields))
    if claim_id is not None:
        query = query.where(lines.c.claim_id == claim_id)
    return [WaitingNow(*row) for row in connection.execute(query.order_by(lines.c.line))]


def _known(connection: Connection, pool_ids: Collection[str] | None) -> list[str]:
    columns = (
        (pools.c.pool_id, None),
        (contributions.c.pool_id, None),
        (alerts.c.pool_id, and_(alerts.c.pool_id.is_not(None), alerts.c.state != AlertState.WITHDRAWN)),
        (_BENEFITS.c.pool_id, OPEN),
        (_INSTRUCTIONS.c.pool_id, _INSTRUCTIONS.c.pool_id.is_not(None)),
    )
    queries = [select(column) if which is None else select(column).where(which) for column, which in columns]
    if pool_ids is not None:
        queries = [query.where(column.in_(pool_ids)) for query, (column, _) in zip(queries, columns, strict=True)]
    return sorted(connection.scalars(union(*queries)))


def _by_pool(
    connection: Connection, table: Any, pool_id: ColumnElement[Any], total: ColumnElement[Any], names: Iterable[str]
) -> dict[str, int]:
    query = select(cast(pool_id, String), total).select_from(table).where(pool_id.in_(names)).group_by(pool_id)
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def _of_pool(pool_id: str, *columns: ColumnElement[Any]) -> Select[Any]:
    both = _INSTRUCTIONS.join(_EVENTS, _EVENTS.c.event_no == _INSTRUCTIONS.c.event_no)
    return select(*columns).select_from(both).where(_INSTRUCTIONS.c.pool_id == pool_id)
