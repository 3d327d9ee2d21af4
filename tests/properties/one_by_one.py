"""A file of facts decided in one book, and person by person over small chunks and buckets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from rich.progress import Progress

from cli.offline.by_person import OneByOne, by_person
from cli.offline.plan import Plan
from cli.offline.worker_processes import Workers
from handlers.claims.adjudicate import adjudicate_together
from handlers.claims.decidable import Decidable
from handlers.claims.explain import decision_of
from handlers.offline.book import Book
from handlers.offline.groups import together
from schemas.decisions import to_json
from schemas.policy.model import Policies
from schemas.refusals import Refusal

Claims = list[dict[str, object]]
Refusals = list[tuple[int, Refusal]]


class Deciding:
    """The decisions of some accounts, which can be sent to another process."""

    def __init__(self, published: Policies) -> None:
        self.published = published

    def __call__(self, accounts: Iterator[Decidable]) -> Claims:
        groups = together(accounts, self.published, invoices=True)
        return [to_json(decision_of(each)) for group in groups for each in adjudicate_together(group, self.published)]


def book_of(lines: list[bytes]) -> Book:
    book = Book()
    for line in lines:
        book.take(line)
    return book


def in_one_book(lines: list[bytes], published: Policies, as_of: datetime | None = None) -> tuple[Claims, Refusals]:
    """As `huzhu adjudicate` was first written: the reference."""
    book, refused = Book(), []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            outcome = book.take(line.rstrip(b"\r\n"), as_of)
            if isinstance(outcome, Refusal):
                refused.append((number, outcome))
    return [to_json(decision) for decision in book.decide(published)], refused


def person_by_person(
    lines: list[bytes],
    published: Policies,
    folder: Path,
    hands: Workers,
    chunk_bytes: int = 700,
    buckets: int = 3,
    as_of: datetime | None = None,
    grouped: bool = True,
) -> tuple[Claims, Refusals]:
    """In chunks and buckets so small that every seam is met."""
    file = folder / "facts.jsonl"
    file.write_bytes(b"\n".join(line.rstrip(b"\n") for line in lines))
    plan = Plan(file, folder, buckets, chunk_bytes, as_of)
    work, bar = OneByOne(Deciding(published)), Progress(disable=True)
    worked = by_person(plan, work, hands, bar, grouped=grouped, invoices=True)
    assert worked.facts + len(worked.refused) == sum(bool(line.strip()) for line in lines), "each line counts once"
    claims = [claim for result in worked.results for claim in result]
    return sorted(claims, key=lambda claim: str(claim["claim_id"])), worked.refused
