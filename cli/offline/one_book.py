"""Processes a short file of facts in one book: the slow twin of `cli.offline.by_person`, without Arrow."""

from __future__ import annotations

from typing import TypeVar

from cli.offline.plan import OnAccounts, Plan, Worked
from cli.terminal.given_files import lines_of
from handlers.offline.book import Book
from schemas.refusals import Refusal

T = TypeVar("T")


def in_one_book(plan: Plan, work: OnAccounts[T]) -> Worked[T]:
    """Does ``work`` on all accounts of a file."""
    assert plan.facts is not None, "the facts are in a file"
    book, refused, lines = Book(), [], 0
    for number, line in lines_of(plan.facts):
        lines += 1
        outcome = book.take(line, plan.as_of)
        if isinstance(outcome, Refusal):
            refused.append((number, outcome))
    return Worked([work(iter(book.accounts.values()))], lines - len(refused), refused)
