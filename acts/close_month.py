"""Closing a month of the books (月结): its trial balance is kept, and nothing is ever booked in it again."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from acts.book_balances import balance_of, open_month
from acts.four_eyes import Unusable
from acts.ledger_act import ledger_act
from handlers.audit.operator_acts import month_closed
from handlers.books.trial_balance import TrialBalance, trial_balance_bytes
from infra.clock import Clock
from infra.ledger import book_rows, reads
from schemas.bilingual import Saying
from schemas.books import ClosedMonth, Closing
from schemas.canonical import sha256_hex
from schemas.months import format_month, month_end


class NotClosable(Unusable):
    """A month that cannot be closed now; nothing was written."""


class MonthClosed(NamedTuple):
    """A month's trial balance at closing, and the SHA-256 of its bytes."""

    balance: TrialBalance
    sha256: str


def close_month(
    connection: Connection, month: date, operator: str, shard_count: int, now: Clock, reason: str = ""
) -> MonthClosed:
    """Closes a month in the name of an operator, under the locks of all shards. Raises NotClosable."""
    with ledger_act(connection, range(shard_count), now) as journal:
        balance = check_closing(connection, month, journal.recorded_at)
        value = trial_balance_bytes(balance)
        sha256 = sha256_hex(value)
        number = month_closed(journal, Closing(format_month(month), sha256, operator, reason))
        journal.write()
        reads.end_month(connection, month_end(month))
        event_no = journal.numbers[number]
        book_rows.close_month(connection, ClosedMonth(month, value, sha256, operator, journal.recorded_at, event_no))
    return MonthClosed(balance, sha256)


def check_closing(connection: Connection, month: date, moment: datetime) -> TrialBalance:
    """The trial balance with which a month would be closed at a moment; locks nothing. Raises NotClosable."""
    following = open_month(connection)
    if following is None:
        raise NotClosable(
            Saying("账上还没有任何分录,没有可结账的月份。", "Nothing has been posted yet: there is no month to close.")
        )
    name, after = format_month(month), format_month(following)
    if month in book_rows.closed_months(connection):
        raise NotClosable(
            Saying(
                f"{name} 已经结账,不能再结。下一个要结的月份是 {after}。",
                f"{name} is closed already, and is closed once. The next month to close is {after}.",
            )
        )
    if month != following:
        raise NotClosable(
            Saying(
                f"现在不能结 {name}:月份须按顺序结账,不能跳月。下一个要结的月份是 {after}。",
                f"{name} cannot be closed now: months are closed in order, without a gap. The next one is {after}.",
            )
        )
    if moment < month_end(month):
        raise NotClosable(
            Saying(
                f"{name} 还没有结束:要到次月 1 日零时(北京时间)以后才能结账。",
                f"{name} has not ended: it can be closed from the first of the next month on, in Shanghai's time.",
            )
        )
    return balance_of(connection, month)
