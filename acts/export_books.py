"""Writing the books to a file for Beancount, as of one moment and in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from acts.book_balances import all_balances
from handlers.books import beancount_text
from handlers.words.book_sentences import account_title, in_listed_order, movement
from infra.ledger import book_rows
from infra.ledger.book_rows import EntryFilter
from schemas.months import next_month


class BooksExported(NamedTuple):
    """What a file holds; ``until`` is its last month."""

    entries: int
    accounts: int
    until: date


class NothingPosted(Exception):
    """Nothing was posted up to the month that was asked for."""


def export_books(engine: Engine, file: Path, until: date | None) -> BooksExported:
    """Writes the entries up to and including the month ``until``, or all of them, and each month's closing balances.

    The file appears when it is complete. Raises NothingPosted and OSError.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            last = book_rows.last_month(connection)
            if last is None:
                raise NothingPosted
            done = _Export(connection, until or last)
            with open(part, "w", encoding="utf-8", newline="\n") as out:
                out.writelines(done.lines())
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
    return BooksExported(done.entries, done.accounts, done.until)


class _Export:
    def __init__(self, connection: Connection, until: date) -> None:
        self._connection = connection
        self.until = until
        self.entries = self.accounts = 0

    def lines(self) -> Iterator[str]:
        balances = list(all_balances(self._connection, self.until))
        if not balances:
            raise NothingPosted
        names = sorted((line.account for line in balances[-1].lines), key=in_listed_order)
        self.accounts = len(names)
        yield beancount_text.heading(self.until)
        yield from beancount_text.opened(names, balances[0].month, account_title)
        chosen = EntryFilter(before=next_month(self.until))
        for entry in book_rows.audited_entries(self._connection, chosen):
            self.entries += 1
            yield beancount_text.transaction(entry, movement(entry))
        for balance in balances:
            yield from beancount_text.assertions(balance)
