"""Processes a file of facts, in any order, person by person: on all cores, in bounded memory.

1. *Scatter*: reads the file in chunks, into columns, and puts every fact into the bucket of its person.
2. *Sharing*: finds rivals, who share an id, because the first of them decides what happens to the other's facts; and,
   if asked, whose bills name an invoice of two encounters, as those of nobody else can be there twice.
3. *Gather*: packs the persons of each bucket and does the work on them; the rivals come last, in one book and in the
   order of the file. Where somebody counts by household, the persons whom memberships link wait until all are packed,
   and are brought together (`cli.offline.by_group`); so are those who share an invoice.

So the outcome is the same as that of a single `handlers.offline.book.Book` for the whole file (`cli.offline.one_book`);
a test compares the two. Results come in the order of the buckets, whichever process is the first to finish. Memory
holds one chunk or bucket per process and the rivals; the other buckets wait in temporary files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Generic, TypeVar

import numpy as np
from rich.progress import Progress

from cli.offline.by_group import Aside, by_group, set_aside
from cli.offline.plan import OnAccounts, Plan, Worked, line_numbers
from cli.offline.scatter import Scattered, Sharing, line_at, scatter, sharing
from cli.offline.worker_processes import Workers, in_order
from handlers.offline.book import Book
from handlers.offline.columns.arrays import Ints
from handlers.offline.columns.fact_tables import joined
from handlers.offline.columns.gathering import Gathering, Judged, admit_lines, positions_of
from handlers.offline.columns.packing import Packed, pack, unpack
from handlers.offline.columns.texts import Keys
from handlers.offline.groups import Linking
from schemas.refusals import Refusal

T = TypeVar("T")

Work = Callable[[Packed], T]
"""Work on the persons of a bucket."""


@dataclass(frozen=True, slots=True)
class OneByOne(Generic[T]):
    """Work on accounts, done on those that are packed."""

    work: OnAccounts[T]

    def __call__(self, packed: Packed) -> T:
        return self.work(chain(unpack(packed.table), packed.beyond))


def by_person(
    plan: Plan, work: Work[T], pool: Workers, bar: Progress, *, grouped: bool, invoices: bool = False
) -> Worked[T]:
    """Does ``work`` on the persons of each bucket. It and its result must be picklable.

    With ``grouped``, persons whom memberships of households link are worked on together; with ``invoices`` those who
    share one, and accounts know the invoices of which two encounters may have the same.
    """
    facts = plan.facts
    assert facts is not None, "the facts are in a file"
    linking = Linking(grouped, invoices)
    scattered = in_order(partial(scatter, plan, invoices), plan.chunks(), pool, bar, "reading facts")
    found = in_order(partial(sharing, scattered, invoices), range(plan.buckets), pool, bar, "comparing ids")
    shared = Sharing(*(np.unique(np.concatenate(keys)) for keys in zip(*found, strict=True)))
    gathering = partial(gather, plan, scattered, shared, work, linking)
    gathered = in_order(gathering, range(plan.buckets), pool, bar, "deciding claims")
    if len(shared.ids):
        gathered.append(gather_rivals(plan, scattered, shared.ids, work, linking))
    refused = [line for chunk in scattered for line in chunk.refused]
    refused += [line for part in gathered for line in part.refused]
    numbers = line_numbers(facts, [position for position, _ in refused])
    refusals = sorted(((numbers[position], refusal) for position, refusal in refused), key=lambda line: line[0])
    lines = sum(chunk.facts + len(chunk.refused) for chunk in scattered)
    return Worked(all_results(plan, gathered, work, pool, bar), lines - len(refused), refusals)


def all_results(plan: Plan, gathered: Sequence[Gathered[T]], work: Work[T], pool: Workers, bar: Progress) -> list[T]:
    """The results of the buckets, and then of those who were set aside."""
    return [
        *(part.result for part in gathered),
        *by_group(plan, [part.aside for part in gathered], work, pool, bar),
    ]


@dataclass(frozen=True, slots=True)
class Gathered(Generic[T]):
    """The result of the work on some persons, the lines that were refused, and who was set aside for their group."""

    result: T
    refused: list[tuple[int, Refusal]]
    aside: Aside | None

    @classmethod
    def of(
        cls, plan: Plan, packed: Packed, refused: list[tuple[int, Refusal]], work: Work[T], linking: Linking
    ) -> Gathered[T]:
        """Does the work on those whom nothing links."""
        alone, aside = set_aside(plan.folder, packed, linking)
        return cls(work(alone), refused, aside)


def gather(
    plan: Plan, scattered: list[Scattered], shared: Sharing, work: Work[T], linking: Linking, bucket: int
) -> Gathered[T]:
    """Does ``work`` on a bucket's persons who are no rivals."""
    gathering = Gathering(joined(chunk.tables(bucket) for chunk in scattered), shared.ids, shared.invoices)
    doubtful = gathering.in_doubt()
    judged = admit_lines(_lines_at(plan, doubtful)) if len(doubtful) else Judged([], [])
    packed = gathering.packed(np.setdiff1d(doubtful, judged.accepted))
    return Gathered.of(plan, packed, judged.refused, work, linking)


def gather_rivals(plan: Plan, scattered: list[Scattered], shared: Keys, work: Work[T], linking: Linking) -> Gathered[T]:
    """The same for the rivals: the first of them in the file keeps the id."""
    buckets = np.unique(shared % np.uint64(plan.buckets)).tolist()
    parts = (chunk.tables(bucket) for bucket in buckets for chunk in scattered)
    positions = np.sort(np.concatenate([positions_of(tables, shared) for tables in parts]))
    book, refused = Book(), []
    for position, line in _lines_at(plan, positions):
        outcome = book.take(line)
        if isinstance(outcome, Refusal):
            refused.append((position, outcome))
    return Gathered.of(plan, pack(book.accounts.values()), refused, work, linking)


def _lines_at(plan: Plan, positions: Ints) -> Iterator[tuple[int, bytes]]:
    assert plan.facts is not None, "what a ledger accepted is in no doubt"
    with plan.facts.open("rb") as file:
        for position in positions.tolist():
            yield position, line_at(file, position)
