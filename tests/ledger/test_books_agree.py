"""The books of a real ledger against an oracle that shares no code and is given what was published alone."""

from __future__ import annotations

import json
from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import Engine

from acts.book_balances import balance_of, open_month
from acts.close_month import close_month
from handlers.books.trial_balance import trial_balance_bytes
from infra.ledger import book_rows
from tests.oracle import books as oracle
from tests.oracle.payees import fen
from tests.support.builders import SHARDS
from tests.support.length import times
from tests.support.movements import movements, posted
from tests.support.random_town import SELF_PAY, RandomTown, shanghai, shared_treaty
from tests.support.replayed import assert_replays
from tests.support.treaties import VILLAGE

EDGES = ("2025-04-01", "2025-05-01", "2025-06-01", "2025-07-01")
TREATIES = (
    shared_treaty("v24", "insurer-b", "2024-01-01", "2024-07-01", VILLAGE, ("0.5", "0.5")),
    shared_treaty("s24", "insurer-a", "2024-07-01", "2025-01-01", SELF_PAY, ("0.60", "0.40")),
)


def rows_in(value: bytes) -> dict[str, oracle.Row]:
    """A trial balance as it is kept, without the accounts that are at rest."""
    names = ("opening", "debit", "credit", "closing")
    listed = {
        each["account"]: oracle.Row(*(fen(each[name]) for name in names)) for each in json.loads(value)["accounts"]
    }
    return {account: row for account, row in listed.items() if any(row)}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(times(2, 25)))
def test_trial_balances_are_those_of_the_oracle(ledger: Engine, seed: int) -> None:
    """Of every month, closed or not, whatever was corrected, reported or ordered again in it and later."""
    random = Random(seed)
    town, kept = RandomTown(ledger, random, shanghai("2025-03-20T09:00")), dict[date, bytes]()
    for number, edge in enumerate(EDGES):
        town.live(14)
        if number < len(TREATIES):
            town.publish(TREATIES[number])
        town.until(shanghai(f"{edge}T00:00") - timedelta(hours=random.randrange(6)))
        town.live(8)
        town.until(max(town.now, shanghai(f"{edge}T00:00")))
        if random.random() < 0.5:
            kept |= _closed(town, date.fromisoformat(edge))
        town.until(shanghai(f"{edge[:-2]}15T12:00"))
    legs = oracle.journal(movements(town))
    assert sorted(legs) == sorted(posted(ledger))
    months = [date(2025, month, 1) for month in range(3, 8)]
    with ledger.connect() as connection:
        told = {month: trial_balance_bytes(balance_of(connection, month)) for month in months}
    assert {month: oracle.trial_balance(legs, month) for month in months} == {
        month: rows_in(value) for month, value in told.items()
    }
    assert kept == {month: told[month] for month in kept}
    assert_replays(ledger)


def _closed(town: RandomTown, now: date) -> dict[date, bytes]:
    """Closes all months before a day that are open; returns them with their trial balances as they were kept."""
    while True:
        with town.ledger.begin() as connection:
            month = open_month(connection)
            if month is None or month >= now:
                break
            close_month(connection, month, "li.na", SHARDS, town.clock)
    with town.ledger.connect() as connection:
        return {month: closed.trial_balance for month, closed in book_rows.closed_months(connection).items()}
