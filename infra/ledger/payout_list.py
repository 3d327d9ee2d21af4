"""The list of payouts: its sums, and its pages, each found from where the one before ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, literal, select, tuple_

from infra.ledger.claim_list import Sort, names_in
from infra.ledger.list_tables import digest_payout_list
from infra.ledger.row_filter import Filter


class ListedState(StrEnum):
    """What a list of payouts can be filtered by: one state (`schemas.records.PayoutState`), or several together.

    ``ordered`` are all that move money, and ``missing`` those that failed or were returned.
    """

    ORDERED = "ordered"
    INSTRUCTED = "instructed"
    PAID = "paid"
    MISSING = "missing"
    FAILED = "failed"
    RETURNED = "returned"
    BOOK = "book"

    @property
    def states(self) -> tuple[str, ...]:
        together = {self.ORDERED: ("instructed", "paid", "failed", "returned"), self.MISSING: ("failed", "returned")}
        return together.get(self, (self.value,))


class PayeeKind(StrEnum):
    """Who is paid: a person or their estate, or a facility that advanced the benefit."""

    PERSON = "person"
    FACILITY = "facility"


class ListedPayout(NamedTuple):
    """A payout in a list, or its part in one tier, in fen."""

    payout_id: str
    tier: str
    day: date
    claim_id: str
    scheme_id: str
    kind: str
    state: str
    payer: str
    payee_id: str
    payouts: int
    amount: int


class PayoutSum(NamedTuple):
    """The sum of the lines of one kind and state, in fen."""

    kind: str
    state: str
    payouts: int
    amount: int


class AfterListed(NamedTuple):
    """Where a page of a list ends: the value that it is sorted by, and the payout and tier of its last line."""

    value: date | int
    payout_id: str
    tier: str


def sums(connection: Connection, chosen: Filter) -> list[PayoutSum]:
    """The sums over all pages, by kind and state."""
    line = digest_payout_list
    query = (
        select(line.c.kind, line.c.state, func.sum(line.c.payouts), func.sum(line.c.amount))
        .where(*conditions(chosen))
        .group_by(line.c.kind, line.c.state)
    )
    return [PayoutSum(kind, state, int(n), int(fen)) for kind, state, n, fen in connection.execute(query)]


def page(
    connection: Connection, chosen: Filter, sort: Sort, after: AfterListed | None, limit: int, *, few: bool = False
) -> list[ListedPayout]:
    """Payouts in order, from a position on, so that every page costs the same; ``few`` as in `claim_list.page`."""
    chosen_lines = select(*(digest_payout_list.c[name] for name in ListedPayout._fields)).where(*conditions(chosen))
    line = (chosen_lines.offset(0) if few else chosen_lines).subquery()
    by = line.c.day if sort in (Sort.NEWEST, Sort.OLDEST) else line.c.amount
    down = sort in (Sort.NEWEST, Sort.LARGEST)
    order = (by, line.c.payout_id, line.c.tier)
    query = select(line).limit(limit).order_by(*(each.desc() if down else each for each in order))
    if after is not None:
        here = tuple_(*order)
        last = tuple_(literal(after.value, by.type), literal(after.payout_id), literal(after.tier))
        query = query.where(here < last if down else here > last)
    return [ListedPayout(*row) for row in connection.execute(query)]


def payers(connection: Connection) -> list[str]:
    """Who pays anything in the list."""
    return names_in(connection, digest_payout_list.c.payer)


def conditions(chosen: Filter) -> Iterable[ColumnElement[bool]]:
    """What holds for the lines that a filter leaves."""
    line = digest_payout_list
    if chosen.since is not None:
        yield line.c.day >= chosen.since
    if chosen.until is not None:
        yield line.c.day < chosen.until
    if chosen.status:
        yield line.c.state.in_(ListedState(chosen.status).states)
    for wanted, column in (
        (chosen.kind, line.c.kind),
        (chosen.scheme, line.c.scheme_id),
        (chosen.tier, line.c.tier),
        (chosen.payer, line.c.payer),
    ):
        if wanted:
            yield column == wanted
    if chosen.payee:
        yield line.c.payee_id == "" if chosen.payee == PayeeKind.PERSON else line.c.payee_id != ""
    if chosen.low is not None:
        yield line.c.amount >= chosen.low
    if chosen.high is not None:
        yield line.c.amount <= chosen.high
