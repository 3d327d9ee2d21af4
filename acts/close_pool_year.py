"""Closing the year of a pool that pays pro rata (年终按比例发放): what is there is shared among all who wait."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from acts.four_eyes import Unusable
from acts.ledger_act import ledger_act
from acts.load_world import empty_world
from acts.published_policies import published_policies
from acts.recompute_groups import decide_waiting
from acts.release_pools import load_waiting, pool_money, record_own_changes
from handlers.claims.process import Processor
from handlers.pools.pool_year import close_year, of_year, planned
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import pool_rows
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.facts import OnShortage
from schemas.policy.model import Policies
from schemas.pool_records import PoolYear, PoolYearRow, WaitingBenefit


class NotClosableYear(Unusable):
    """A pool's year that cannot be closed now; nothing was written."""


class YearClosing(NamedTuple):
    """What closing a pool's year does, or would do: what is there and due, and what is released of it, in fen."""

    pool_id: str
    year: int
    available: int
    due: int
    released: int
    claims: int


def preview_year(connection: Connection, pool_id: str, year: int, today: date) -> YearClosing:
    """What closing a year would do as things are now; locks and writes nothing. Raises NotClosableYear."""
    return _closing(connection, pool_id, year, today, "", "")[0]


def close_pool_year(
    connection: Connection, pool_id: str, year: int, operator: str, shard_count: int, now: Clock, reason: str
) -> YearClosing:
    """Closes a pool's year in the name of an operator, under the locks of all shards. Raises NotClosableYear."""
    reason = mask_text(reason)
    with ledger_act(connection, range(shard_count), now) as journal:
        decide_waiting(connection, journal, shard_count)
        today = shanghai_date(journal.recorded_at)
        closing, act, served = _closing(connection, pool_id, year, today, operator, reason)
        world = empty_world(connection, shard_count)
        load_waiting(connection, world, served)
        number = close_year(Processor(world, journal), act)
        record_own_changes(connection, journal)
        journal.write()
        place = (closing.available, closing.due, closing.released, closing.claims)
        event_no = journal.numbers[number]
        row = PoolYearRow(pool_id, year, *place, operator, reason, journal.recorded_at, event_no)
        pool_rows.close_year(connection, row)
    return closing


def _closing(
    connection: Connection, pool_id: str, year: int, today: date, operator: str, reason: str
) -> tuple[YearClosing, PoolYear, list[WaitingBenefit]]:
    policies = published_policies(connection)
    _check(connection, pool_id, year, today, policies)
    money = pool_money(connection, pool_id)
    served = of_year(pool_rows.queue(connection, pool_id), policies, year)
    act = planned(pool_id, year, operator, reason, money, served)
    released, due = sum(fen for *_, fen in act.released), sum(each.open for each in served)
    return YearClosing(pool_id, year, max(0, money.balance), due, released, len(served)), act, served


def _check(connection: Connection, pool_id: str, year: int, today: date, policies: Policies) -> None:
    recorded = pool_rows.recorded(connection, [pool_id])
    if not recorded:
        raise NotClosableYear(Saying(f"没有登记资金池 {pool_id}。", f"No pool {pool_id} is recorded."))
    if recorded[0].on_shortage != OnShortage.PRO_RATA:
        raise NotClosableYear(
            Saying(
                f"资金池 {pool_id} 不是年终按比例发放的,不用结年度。",
                f"Pool {pool_id} does not pay pro rata, so it has no years to close.",
            )
        )
    last = max((row.year for row in pool_rows.closed_years(connection, pool_id)), default=None)
    if last is not None and year <= last:
        raise NotClosableYear(
            Saying(
                f"资金池 {pool_id} 的 {last} 年度已结:年度按顺序结,每年只结一次。",
                f"Pool {pool_id} was closed up to {last}: years are closed in order, each once.",
            )
        )
    begins = policies.year(today)
    if year >= (today.year - 1 if begins is None else begins.year):
        raise NotClosableYear(
            Saying(
                f"{year} 年度还没有结束,结束以后才能按比例发放。",
                f"The year {year} has not ended: it can be closed when the next one has begun.",
            )
        )
