"""A pool as the office looks at it: what it received, released and has, month by month, and who waits for it."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import Connection

from handlers.claims.restrictions import FREE, restriction
from handlers.pools.pool_money import PoolMoney
from infra.ledger import pool_figures, pool_rows
from infra.ledger.pool_figures import PoolFigures
from schemas.months import month_of, next_month
from schemas.pool_records import ContributionRow, PoolSide, PoolYearRow, WaitingNow

MONTHS_OF_COVER = 12
"""What a pool released in so many months before today says how much it releases in a month."""


class PoolMonth(NamedTuple):
    """What a pool received and released in a month, net of recoveries, and its balance at the end; in fen."""

    month: date
    received: int
    released: int
    balance: int


class RestrictedSum(NamedTuple):
    """What was received under a restriction, and what is left of it; in fen."""

    restriction: str
    received: int
    left: int


class PoolAccount(NamedTuple):
    """All that is shown of a pool. ``cover`` are the months that its balance lasts, None if it released nothing."""

    figures: PoolFigures
    sums: list[RestrictedSum]
    contributions: list[ContributionRow]
    by_kind: dict[str, int]
    months: list[PoolMonth]
    waiting: list[WaitingNow]
    years: list[PoolYearRow]
    cover: Fraction | None


def pool_account(connection: Connection, pool_id: str, today: date) -> PoolAccount | None:
    """A pool as the ledger has it now; None if nothing is known of it. Reads one moment if the connection does."""
    found = pool_figures.all_pools(connection, [pool_id])
    if not found:
        return None
    contributions = pool_figures.contributions_of(connection, pool_id)
    by_kind = Counter[str]()
    for each in contributions:
        by_kind[each.kind] += each.amount
    return PoolAccount(
        found[0],
        _sums(contributions, pool_figures.released_by_scheme(connection, pool_id)),
        contributions,
        {kind: amount for kind, amount in by_kind.items() if amount},
        months_of(contributions, pool_figures.released_by_month(connection, pool_id)),
        pool_figures.waiting_of_pool(connection, pool_id),
        pool_rows.closed_years(connection, pool_id),
        cover(found[0].balance, pool_figures.released_since(connection, pool_id, _a_year_before(today))),
    )


def cover(balance: int, released: int) -> Fraction | None:
    """How many months a balance lasts if each takes what an average one of the last twelve took, ``released`` in all.

    None if these took nothing; 0 for a pool that owes.
    """
    return Fraction(max(0, balance) * MONTHS_OF_COVER, released) if released > 0 else None


def months_of(contributions: list[ContributionRow], released: dict[date, int]) -> list[PoolMonth]:
    """From the first to the last month in which something moved, none left out."""
    received = Counter[date]()
    for each in contributions:
        received[month_of(each.received_on)] += each.amount
    moved = sorted({*(month for month, amount in received.items() if amount), *released})
    months, balance = list[PoolMonth](), 0
    month = moved[0] if moved else None
    while month is not None:
        balance += received[month] - released.get(month, 0)
        months.append(PoolMonth(month, received[month], released.get(month, 0), balance))
        month = next_month(month) if month < moved[-1] else None
    return months


def _sums(contributions: list[ContributionRow], released: dict[str, int]) -> list[RestrictedSum]:
    """Free money first."""
    money = PoolMoney()
    for each in contributions:
        money.add(PoolSide.RECEIVED, restriction(each.restricted_to), each.amount)
    for scheme_id, amount in released.items():
        money.add(PoolSide.RELEASED, scheme_id, amount)
    left = {**dict.fromkeys(money.received, 0), **money.left()}
    return [
        RestrictedSum(name, money.received.get(name, 0), left[name])
        for name in sorted(left)
        if name == FREE or money.received.get(name, 0)
    ]


def _a_year_before(today: date) -> date:
    return date(today.year - 1, today.month, min(today.day, 28))
