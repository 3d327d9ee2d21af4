"""What each payer owes each payee, by age; each figure leads to the payouts under it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from acts.book_balances import balance_of
from handlers.words.book_sentences import account_title
from handlers.words.clearing_sentences import age_words, payee_words, payer_words
from infra.ledger import figures, open_payouts
from infra.ledger.open_payouts import AGES, AfterPayout, Debt, OpenPayout, OpenSum
from schemas import accounts
from schemas.access.console_rights import Right
from schemas.accounts import AccountKind, read_account
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.months import month_of
from schemas.outbound import InstructionKind
from web.console.visit import Visit, not_found

PAGE_ROWS = 50
AGE_NAMES = [age_words(first, end) for first, end in zip(AGES, [*AGES[1:], None], strict=True)]


@dataclass(frozen=True, slots=True)
class OpenLine:
    """What is open between a payer and a payee: a sum for each age, and all of it."""

    place: Debt
    sums: list[OpenSum]

    @property
    def total(self) -> OpenSum:
        return OpenSum(sum(each.payouts for each in self.sums), sum(each.amount for each in self.sums))

    @property
    def payer(self) -> Saying:
        return payer_words(self.place.payer)

    @property
    def payee(self) -> Saying:
        return payee_words(self.place.payee)

    def link(self, age: int | None = None) -> str:
        """The address of the payouts under a figure."""
        return _address(self.place, age)


def show(visit: Visit) -> Response:
    visit.require(Right.BOOKS)
    return visit.page("payables.html", **open_by_age(visit, InstructionKind.PAYMENT))


def open_by_age(visit: Visit, kind: InstructionKind) -> dict[str, Any]:
    """What is open between each payer and payee, by age, with sums of the columns: the values of a page."""
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        today = shanghai_date(visit.now())
        found = open_payouts.by_age(connection, kind, today)
        as_of, queues = figures.as_of(connection), figures.queues(connection)
        counted = as_of is not None and not queues.entries
        books = _in_books(connection, kind, month_of(today)) if counted else None
    lines = [OpenLine(place, sums) for place, sums in found.items()]
    columns = [[line.sums[at] for line in lines] for at in range(len(AGES))] + [[line.total for line in lines]]
    return {
        "lines": lines,
        "totals": [sum(each.amount for each in column) for column in columns],
        "payouts": sum(line.total.payouts for line in lines),
        "ages": AGE_NAMES,
        "differences": [] if books is None else _differences(kind, lines, books),
        "as_of": as_of,
        "queues": queues,
        "today": today,
    }


def _in_books(connection: Connection, kind: InstructionKind, month: date) -> dict[str, int]:
    """What the books say is owed, in fen by account, from the last month that was closed and what was booked since."""
    wanted, sign = (AccountKind.PAYABLE, -1) if kind is InstructionKind.PAYMENT else (AccountKind.RECEIVABLE, 1)
    held = balance_of(connection, month).closings
    return {name: sign * amount for name, amount in held.items() if read_account(name).kind is wanted}


def _differences(kind: InstructionKind, lines: list[OpenLine], books: dict[str, int]) -> list[tuple[Saying, int, int]]:
    """Each account whose balance is not what its open payouts come to: its name, the open payouts, and the books."""
    account = accounts.payable if kind is InstructionKind.PAYMENT else accounts.receivable
    listed = {account(line.place.payer, line.place.payee): line.total.amount for line in lines}
    return [
        (account_title(name), listed.get(name, 0), books.get(name, 0))
        for name in sorted(listed.keys() | books.keys())
        if listed.get(name, 0) != books.get(name, 0)
    ]


def listed(visit: Visit) -> Response:
    """The payouts under a figure, oldest first; each page begins where the one before ended."""
    visit.require(Right.BOOKS)
    place, age, after = _asked(visit)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        today = shanghai_date(visit.now())
        total = open_payouts.sum_of(connection, place, age, today)
        rows = open_payouts.page(connection, place, age, today, after, PAGE_ROWS + 1)
        as_of, queues = figures.as_of(connection), figures.queues(connection)
    return visit.page(
        "payable_lines.html",
        line=OpenLine(place, []),
        kind=place.kind,
        age=None if age is None else AGE_NAMES[age],
        total=total,
        rows=[(row, (today - row.day).days) for row in rows[:PAGE_ROWS]],
        first=_address(place, age),
        next=_address(place, age, rows[PAGE_ROWS - 1]) if len(rows) > PAGE_ROWS else None,
        later=after is not None,
        as_of=as_of,
        queues=queues,
    )


def _address(place: Debt, age: int | None, after: OpenPayout | None = None) -> str:
    fields = {"kind": place.kind.value, "payer": place.payer, "payee": place.payee}
    if age is not None:
        fields["age"] = str(AGES[age])
    if after is not None:
        fields["after"] = f"{after.day}.{after.event_no}.{after.payout_id}"
    return f"/payables/payouts?{urlencode(fields)}"


def _asked(visit: Visit) -> tuple[Debt, int | None, AfterPayout | None]:
    """Payer and payee, age, and position in the address. Raises PageRefused for what no link of ours says."""
    asked = visit.query
    try:
        kind = InstructionKind(asked.get("kind", "payment"))
        age = AGES.index(int(asked["age"])) if "age" in asked else None
        after = None
        if "after" in asked:
            day, event_no, payout_id = asked["after"].split(".", 2)
            after = AfterPayout(date.fromisoformat(day), int(event_no), payout_id)
    except ValueError:
        raise not_found() from None
    if after is not None and after.event_no >= 2**63:
        raise not_found()
    return Debt(kind, asked.get("payer", ""), asked.get("payee", "")), age, after
