"""The database itself refuses wrong books, whatever program writes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Connection, Engine, insert, text, true, update
from sqlalchemy.exc import DBAPIError

from infra.ledger import tables
from infra.ledger.clearing_tables import book_months, postings
from schemas.canonical import sha256_hex
from schemas.dates import SHANGHAI
from tests.support.ledger_rows import event

Rows = list[dict[str, Any]]


def entry(number: int = 1, debit: int = 7, credit: int = -7, **columns: Any) -> Rows:
    """An entry of the event 1, booked in April."""
    row = {"event_no": 1, "entry": number, "effective_on": date(2025, 3, 1), "booked_on": date(2025, 4, 2)}
    row |= {"reference": "PO-1", **columns}
    return [row | {"leg": 1, "account": "a", "amount": debit}, row | {"leg": 2, "account": "b", "amount": credit}]


def month(number: int, closed_at: str = "2026-01-01", **columns: Any) -> dict[str, Any]:
    """A month of 2025 that was closed."""
    at = datetime.fromisoformat(closed_at).replace(tzinfo=SHANGHAI)
    row = {"month": date(2025, number, 1), "trial_balance": b"{}", "sha256": sha256_hex(b"{}"), "closed_at": at}
    return {**row, "operator": "li.na", "event_no": 1, **columns}


def ended(connection: Connection, until: str = "2026-01-01", where: ColumnElement[bool] | None = None) -> None:
    """No shard, or none of those, records anything before a day any more."""
    end = datetime.fromisoformat(until).replace(tzinfo=SHANGHAI)
    connection.execute(update(tables.shards).where(true() if where is None else where).values(not_before=end))


@pytest.fixture
def booked(ledger: Engine) -> Engine:
    """A ledger with an entry of April, in which no shard records before 2026 any more."""
    with ledger.begin() as connection:
        connection.execute(insert(tables.events), [event(1)])
        connection.execute(insert(postings).values(entry()))
        ended(connection)
    return ledger


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (entry(2, 7, -6), "its legs sum to 1 fen"),
        (entry(2)[:1], "its legs sum to 7 fen"),
        (entry(2, 7, 0), "postings_amount"),
        ([entry(2)[0], entry(2)[1] | {"leg": 3}], "not all there"),
        ([each | {"leg": each["leg"] + 2} for each in entry()], "not all there"),
        ([entry(2)[0], entry(2, booked_on=date(2025, 5, 1))[1]], "differ in day or reference"),
        ([entry(2)[0], entry(2, effective_on=date(2025, 5, 1))[1]], "differ in day or reference"),
        ([entry(2)[0], entry(2, reference="PO-2")[1]], "differ in day or reference"),
        (entry(), "postings_pkey"),
    ],
)
def test_an_entry_that_is_not_whole_and_in_balance_is_refused(booked: Engine, rows: Rows, said: str) -> None:
    """A fen too much, a leg too few, legs in two months; two more legs for an entry that is there; an entry twice."""
    with pytest.raises(DBAPIError, match=said), booked.begin() as connection:
        connection.execute(insert(postings).values(rows))


def test_an_entry_that_is_written_in_two_statements_is_refused(booked: Engine) -> None:
    """Also if both come in one transaction: so no transaction leaves half an entry behind."""
    for part in entry(2):
        with pytest.raises(DBAPIError, match="its legs sum to"), booked.begin() as connection:
            connection.execute(insert(postings).values([part]))


def test_nothing_is_booked_in_a_closed_month(booked: Engine) -> None:
    """Nor before it; the month after it is open."""
    with booked.begin() as connection:
        connection.execute(insert(book_months).values(month(4)))
    for day in (date(2025, 4, 30), date(2025, 3, 31)):
        with pytest.raises(DBAPIError, match="in a month that was closed"), booked.begin() as connection:
            connection.execute(insert(postings).values(entry(2, booked_on=day)))
    with booked.begin() as connection:
        connection.execute(insert(postings).values(entry(2, booked_on=date(2025, 5, 1))))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (month(3), "in order"),
        (month(5), "in order"),
        (month(4, "2025-04-30T23:59:59"), "has not ended"),
        (month(4, month=date(2025, 4, 2)), "in order"),
        (month(4, trial_balance=b"[]"), "book_months_sha256"),
    ],
)
def test_a_month_that_is_not_the_next_or_not_over_is_not_closed(booked: Engine, row: Any, said: str) -> None:
    """The first one is that of the first posting; and the hash is that of what is kept."""
    with pytest.raises(DBAPIError, match=said), booked.begin() as connection:
        connection.execute(insert(book_months).values(row))
    with booked.begin() as connection:
        connection.execute(insert(book_months).values(month(4, "2025-05-01")))


def test_months_are_closed_one_after_the_other(booked: Engine) -> None:
    """Each once, without a gap."""
    with booked.begin() as connection:
        connection.execute(insert(book_months).values(month(4)))
        connection.execute(insert(book_months).values(month(5)))
    for number in (4, 5, 7):
        with pytest.raises(DBAPIError, match="in order"), booked.begin() as connection:
            connection.execute(insert(book_months).values(month(number)))


def test_a_month_in_which_a_shard_can_still_record_is_not_closed(ledger: Engine) -> None:
    """One shard that was left out is enough; without any posting there is no month to close."""
    with ledger.begin() as connection:
        connection.execute(insert(tables.events), [event(1)])
        ended(connection, "2025-05-01", tables.shards.c.shard != 2)
    with pytest.raises(DBAPIError, match="in order"), ledger.begin() as connection:
        connection.execute(insert(book_months).values(month(4)))
    with ledger.begin() as connection:
        connection.execute(insert(postings).values(entry()))
    with pytest.raises(DBAPIError, match="has not ended"), ledger.begin() as connection:
        connection.execute(insert(book_months).values(month(4)))
    with ledger.begin() as connection:
        ended(connection, "2025-05-01")
        connection.execute(insert(book_months).values(month(4)))


def test_a_month_that_was_ended_is_not_opened_again(booked: Engine) -> None:
    """The time before which nothing is recorded only moves on."""
    with pytest.raises(DBAPIError, match="went backwards"), booked.begin() as connection:
        ended(connection, "2025-12-31")


@pytest.mark.parametrize("table", ["postings", "book_months"])
@pytest.mark.parametrize("act", ["UPDATE {} SET event_no = event_no", "DELETE FROM {}", "TRUNCATE {}"])
def test_what_is_booked_is_neither_changed_nor_deleted(booked: Engine, table: str, act: str) -> None:
    """Not even by who owns it."""
    with pytest.raises(DBAPIError, match="insert-only"), booked.begin() as connection:
        connection.execute(text(act.format(table)))
