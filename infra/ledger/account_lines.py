"""What was booked to one account in a month, line by line, with the claim or the statement that each line is about."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, true, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by

from infra.ledger.clearing_tables import postings, statements
from infra.ledger.tables import instructions
from schemas.books import About, BookEntry, BookLeg
from schemas.months import next_month


class LinePosition(NamedTuple):
    """Where a page of lines ends; the next one begins after it."""

    event_no: int
    entry: int
    leg: int


class AccountLine(NamedTuple):
    """One leg of an entry in the account, in fen: a debit, or below zero a credit.

    ``claim_id`` is that of the payout that the entry names, ``statement_id`` the statement that it names; an entry of
    a contribution has neither.
    """

    entry: BookEntry
    leg: int
    amount: int
    claim_id: str | None
    statement_id: str | None

    @property
    def position(self) -> LinePosition:
        return LinePosition(self.entry.event_no, self.entry.entry, self.leg)


def lines_of(
    connection: Connection, account: str, month: date, after: LinePosition | None, limit: int
) -> list[AccountLine]:
    """The lines of an account in a month, in the ledger's order, from a position on.

    Reads the postings of the month at most: they lie together, and the index of days leads to them.
    """
    own = postings
    chosen = select(own).where(own.c.account == account, own.c.booked_on >= month, own.c.booked_on < next_month(month))
    if after is not None:
        chosen = chosen.where(tuple_(own.c.event_no, own.c.entry, own.c.leg) > tuple_(*after))
    line = chosen.order_by(own.c.event_no, own.c.entry, own.c.leg).limit(limit).subquery("line")
    of = postings.alias("of_entry")
    legs = (
        select(
            func.array_agg(aggregate_order_by(of.c.account, of.c.leg)).label("accounts"),
            func.array_agg(aggregate_order_by(of.c.amount, of.c.leg)).label("amounts"),
        )
        .where(of.c.event_no == line.c.event_no, of.c.entry == line.c.entry)
        .lateral("legs")
    )
    names = ("event_no", "entry", "booked_on", "effective_on", "reference")
    query = (
        select(
            *(line.c[name] for name in names),
            legs.c.accounts,
            legs.c.amounts,
            line.c.leg,
            line.c.amount,
            instructions.c.claim_id,
            statements.c.statement_id,
        )
        .select_from(line)
        .join(legs, true())
        .outerjoin(instructions, instructions.c.payout_id == line.c.reference)
        .outerjoin(statements, statements.c.statement_id == line.c.reference)
        .order_by(line.c.event_no, line.c.entry, line.c.leg)
    )
    return [_line(row) for row in connection.execute(query)]


def _line(row: Any) -> AccountLine:
    legs = tuple(map(BookLeg, row.accounts, row.amounts))
    entry = BookEntry(row.event_no, row.entry, row.booked_on, row.effective_on, row.reference, legs)
    if entry.about is About.CONTRIBUTION:  # whoever sends it chooses its id, which may look like a payout's
        return AccountLine(entry, row.leg, row.amount, None, None)
    return AccountLine(entry, row.leg, row.amount, row.claim_id, row.statement_id)
