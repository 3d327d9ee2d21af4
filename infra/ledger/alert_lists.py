"""Alerts as people look for them: the work list, those of a claim, a person or a pool, and how many are live."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from infra.ledger.alert_rows import alert_row
from infra.ledger.alert_tables import alerts
from infra.ledger.pool_tables import pools
from schemas.alert_records import LIVE, AlertRow
from schemas.dates import SHANGHAI

_AREA = func.coalesce(alerts.c.area, pools.c.area)
_SHOWN = [_AREA.label(name) if name == "area" else alerts.c[name] for name in AlertRow._fields]
_BOTH = alerts.outerjoin(pools, pools.c.pool_id == alerts.c.pool_id)
NOBODY = "-"
"""The name of whoever took what nobody took, in a filter."""


class AlertFilter(NamedTuple):
    """Which alerts: of a code, an area, a claim, a person or a pool, raised before a moment, or taken by somebody.

    Empty means any. Without ``gone`` only those that somebody has to look at.
    """

    code: str = ""
    area: str = ""
    taken_by: str = ""
    claim_id: str = ""
    person_id: str = ""
    pool_id: str = ""
    before: datetime | None = None
    gone: bool = False


def raised_before(today: date, days: int) -> datetime | None:
    """The moment before which everything was raised that is at least so many days old today; None for 0, all."""
    return datetime.combine(today - timedelta(days=days - 1), datetime.min.time(), SHANGHAI) if days else None


def page(connection: Connection, chosen: AlertFilter, limit: int, offset: int = 0) -> tuple[int, list[AlertRow]]:
    """How many alerts there are, and some of them, the oldest first."""
    which = _which(chosen)
    count = connection.scalar(select(func.count()).select_from(_BOTH).where(which)) or 0
    found = select(*_SHOWN).select_from(_BOTH).where(which).order_by(alerts.c.raised_at, alerts.c.alert_id)
    return count, [alert_row(row) for row in connection.execute(found.limit(limit).offset(offset))]


def to_do(connection: Connection, user: str, limit: int) -> tuple[int, list[AlertRow]]:
    """How many alerts wait for a user, and some of them, the oldest first: what nobody took, and what they took."""
    which = and_(_is_live(), or_(alerts.c.taken_by.is_(None), alerts.c.taken_by == user))
    count = connection.scalar(select(func.count()).select_from(alerts).where(which)) or 0
    found = select(*_SHOWN).select_from(_BOTH).where(which).order_by(alerts.c.raised_at, alerts.c.alert_id)
    return count, [alert_row(row) for row in connection.execute(found.limit(limit))]


def live_count(connection: Connection) -> tuple[int, datetime | None]:
    """How many alerts somebody has to look at, and since when the oldest of them."""
    row = connection.execute(select(func.count(), func.min(alerts.c.raised_at)).where(_is_live())).one()
    return row[0], row[1]


def live_by_code(connection: Connection) -> dict[str, int]:
    """How many alerts of each code somebody has to look at; a code without any is left out."""
    rows = connection.execute(select(alerts.c.code, func.count()).where(_is_live()).group_by(alerts.c.code))
    return {row[0]: row[1] for row in rows}


def areas(connection: Connection) -> list[str]:
    """The areas of live alerts."""
    query = select(_AREA).select_from(_BOTH).where(_is_live(), _AREA.is_not(None)).distinct()
    return sorted(connection.scalars(query))


def takers(connection: Connection) -> list[str]:
    """Who took an alert that is still to be closed."""
    query = select(alerts.c.taken_by).where(_is_live(), alerts.c.taken_by.is_not(None)).distinct()
    return sorted(connection.scalars(query))


def _is_live() -> ColumnElement[bool]:
    return alerts.c.state.in_(LIVE)


def _which(chosen: AlertFilter) -> ColumnElement[bool]:
    given = [
        (chosen.code, alerts.c.code),
        (chosen.area, _AREA),
        (chosen.claim_id, alerts.c.claim_id),
        (chosen.person_id, alerts.c.person_id),
        (chosen.pool_id, alerts.c.pool_id),
    ]
    tests = [alerts.c.alert_id.is_not(None), *(column == value for value, column in given if value)]
    if chosen.taken_by:
        nobody = chosen.taken_by == NOBODY
        tests.append(alerts.c.taken_by.is_(None) if nobody else alerts.c.taken_by == chosen.taken_by)
    if chosen.before is not None:
        tests.append(alerts.c.raised_at < chosen.before)
    if not chosen.gone:
        tests.append(_is_live())
    return and_(*tests)
