"""Trial balances of the ledger's books, added up from the postings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection

from handlers.books.trial_balance import TrialBalance, read_trial_balance, trial_balances
from infra.ledger import book_rows
from schemas.months import next_month


def open_month(connection: Connection) -> date | None:
    """The month that can be closed next; None while nothing was ever posted."""
    closed = book_rows.last_closed(connection)
    return book_rows.first_month(connection) if closed is None else next_month(closed.month)


def balance_of(connection: Connection, month: date) -> TrialBalance:
    """The trial balance of a month as it is now, from what the last month closed before it held."""
    closed = book_rows.last_closed(connection, before=month)
    end = next_month(month)
    if closed is None:
        sums = book_rows.monthly_sums(connection, None, end)
        first, opening = min((each.month for each in sums), default=month), None
    else:
        first, opening = next_month(closed.month), read_trial_balance(closed.trial_balance).closings
        sums = book_rows.monthly_sums(connection, first, end)
    *_, balance = trial_balances(sums, first, month, opening)
    return balance


def all_balances(connection: Connection, until: date) -> Iterator[TrialBalance]:
    """The trial balance of every month of the books up to ``until``, from the postings alone."""
    sums = book_rows.monthly_sums(connection, None, next_month(until))
    first = min((each.month for each in sums), default=None)
    if first is not None:
        yield from trial_balances(sums, first, until)
