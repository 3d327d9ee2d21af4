"""A file of facts in any order, worked on person by person, on all cores, in bounded memory.

1. *Scatter*: each chunk of the file is read, and the record of every fact goes to a bucket by its person.
2. *Rivals*: persons of whom two name one id are found, as the first of them decides what becomes of the other's facts.
3. *Gather*: each bucket is worked on by itself; the rivals are one more bucket, in the order of the file.

A fact that is plainly news needs only its record. Where that is in doubt (an id's version comes twice or late, a
rival names the id) the lines are read again and go through `handlers.claims.admit`, which is the rule. So the outcome
is that of one `handlers.offline.book.Book` that takes the whole file; a test compares the two. Memory holds one bucket
per process and the rivals; the other buckets wait in temporary files.
"""

from __future__ import annotations

import errno
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, NoReturn, TypeVar

from rich.progress import Progress

from cli.offline.scatter import (
    BUCKET_BYTES,
    CHUNK_BYTES,
    LedgerSource,
    Part,
    Plan,
    RefusedLine,
    Scattered,
    bucket_of,
    content,
    line_at,
    line_numbers,
    rivals,
    scatter,
    scatter_ledger,
)
from cli.offline.worker_processes import Workers
from cli.terminal.output import fail
from handlers.claims.account import Decidable
from handlers.claims.admit import Disposition, Registry, admit
from handlers.claims.read import Reading, read
from handlers.offline.book import Book
from handlers.offline.compact_account import LineKey, compact_account_of, doubtful, line_of, makes_claims
from handlers.offline.compact_events import PERSON_ID, VERSION, CompactRecord
from schemas.ids import PersonId
from schemas.refusals import Refusal

T = TypeVar("T")

Chunk = tuple[int, int]
Work = Callable[[Iterator[Decidable]], T]

EVENTS_AT_ONCE = 20_000
"""Of a ledger that one task reads."""

EVENTS_A_BUCKET = 40_000


@dataclass(frozen=True, slots=True)
class Worked(Generic[T]):
    """What came of a file: a result a bucket, how many facts could be read, and (line, refusal) in order."""

    results: list[T]
    facts: int
    refused: list[tuple[int, Refusal]]


def by_person(plan: Plan, work: Work[T], hands: Workers, bar: Progress) -> Worked[T]:
    """Does ``work`` for the accounts of each bucket. It and its result must be such that they can be pickled."""
    facts = plan.facts
    assert facts is not None, "the facts are in a file"
    scattered = _scattered(partial(scatter, plan), plan.chunks(), hands, bar)
    ids = [tuple([one.part(plan.buckets + bucket) for one in scattered]) for bucket in range(plan.buckets)]
    named = hands.each(rivals, ids)
    apart = frozenset(person_id for _, persons in named for person_id in persons)
    results, more = _gathered(plan, scattered, apart, work, hands, bar)
    refused = [each for one in scattered for each in one.refused] + more
    numbers = line_numbers(facts, [each.position for each in refused]) if refused else {}
    told = sorted(((numbers[each.position], each.refusal) for each in refused), key=lambda pair: pair[0])
    return Worked(results, sum(one.facts for one in scattered), told)


def by_person_in_ledger(
    plan: Plan, source: LedgerSource, events: range, work: Work[T], hands: Workers, bar: Progress
) -> Worked[T]:
    """The same with the accepted events of a ledger, which are looked at under their numbers ``events``."""
    ends = [(first, min(events.stop, first + EVENTS_AT_ONCE)) for first in events[::EVENTS_AT_ONCE]]
    scattered = _scattered(partial(scatter_ledger, plan, source), ends, hands, bar)
    results, _ = _gathered(plan, scattered, frozenset(), work, hands, bar)
    return Worked(results, sum(one.facts for one in scattered), [])


def _scattered(
    into_buckets: Callable[[Chunk], Scattered], chunks: list[Chunk], hands: Workers, bar: Progress
) -> list[Scattered]:
    reading = bar.add_task("reading facts", total=len(chunks))
    taken = {}
    for chunk, one in hands.each(into_buckets, chunks):
        taken[chunk] = one
        bar.advance(reading)
    return [taken[chunk] for chunk in chunks]


def _gathered(
    plan: Plan, scattered: list[Scattered], apart: frozenset[str], work: Work[T], hands: Workers, bar: Progress
) -> tuple[list[T], list[RefusedLine]]:
    buckets = [Bucket(tuple([one.part(number) for one in scattered])) for number in range(plan.buckets)]
    if apart:
        numbers = sorted({bucket_of(person_id, plan.buckets) for person_id in apart})
        parts = tuple([part for number in numbers for part in buckets[number].parts])
        buckets.append(Bucket(parts, rivals=True))
    deciding = bar.add_task("deciding claims", total=len(buckets))
    results, refused = [], []
    for _, (result, more) in hands.each(partial(gather, plan, apart, work), buckets):
        results.append(result)
        refused += more
        bar.advance(deciding)
    return results, refused


@contextmanager
def plan_for(facts: Path, at_least: int) -> Iterator[Plan]:
    """A plan for a file, or for standard input (``-``), with at least so many buckets if the file is long.

    Ends the command when the file cannot be read. The temporary files are gone afterwards.
    """
    with temporary_folder() as folder:
        file = facts
        try:
            if str(facts) == "-":
                file = folder / "input"
                with file.open("wb") as copy:
                    shutil.copyfileobj(sys.stdin.buffer, copy, 2**20)
            with file.open("rb") as opened:
                opened.read(1)
            size = file.stat().st_size
        except OSError as error:
            fail(f"{facts}: cannot be read: {error.strerror}")
        yield Plan(file, folder, 1 if size <= CHUNK_BYTES else max(at_least, -(-size // BUCKET_BYTES)))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, also when a signal ends the command. A full disk is told as such."""

    def end(*_: object) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        with tempfile.TemporaryDirectory(prefix="huzhu-facts-") as name:
            yield Path(name)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        fail("no room is left for the output or for temporary files: TMPDIR says where these go")
    finally:
        signal.signal(signal.SIGTERM, before)


class Bucket(NamedTuple):
    """The persons whose records are in some parts; either the rivals among them or all others."""

    parts: tuple[Part, ...]
    rivals: bool = False


@dataclass(slots=True)
class Gathering:
    """The accounts of one bucket, one after the other; ``refused`` is complete when the last has been taken."""

    plan: Plan
    apart: frozenset[str]
    refused: list[RefusedLine] = field(default_factory=list)

    def others(self, parts: tuple[Part, ...]) -> Iterator[Decidable]:
        """The persons who share no id with another."""
        persons: dict[PersonId, tuple[list[CompactRecord], list[int]]] = {}
        for part in parts:
            for record, position in zip(*content(part), strict=True):
                held = persons.get(record[PERSON_ID])
                if held is None:
                    held = persons[record[PERSON_ID]] = ([], [])
                held[0].append(record)
                held[1].append(position)
        for person_id, (records, positions) in persons.items():
            if person_id in self.apart:
                continue
            doubts = doubtful(records)
            if doubts:
                records = self._by_the_rules(doubts, records, positions)
            if makes_claims(records):
                yield compact_account_of(person_id, records)

    def rivals(self, parts: tuple[Part, ...]) -> Iterator[Decidable]:
        """The persons who share an id with another, in one book and in the order of the file."""
        found = (each for part in parts for each in zip(*content(part), strict=True))
        positions = [position for record, position in found if record[PERSON_ID] in self.apart]
        book = Book()
        for position, line in self._lines_at(sorted(positions)):
            outcome = book.take(line)
            if isinstance(outcome, Refusal):
                self.refused.append(RefusedLine(position, outcome))
        yield from book.accounts.values()

    def _by_the_rules(
        self, doubts: set[LineKey], records: list[CompactRecord], positions: list[int]
    ) -> list[CompactRecord]:
        """The accepted records of one person; `admit` takes the versions of a line only in ascending order."""
        if self.plan.facts is None:  # the ledger accepted them all
            return sorted(records, key=lambda record: int(record[VERSION]))
        found = zip(records, positions, strict=True)
        asked = {position: record for record, position in found if line_of(record) in doubts}
        registry: Registry = {}
        accepted = []
        for position, line in self._lines_at(asked):
            reading = read(line)
            assert isinstance(reading, Reading), "what was read before is readable"
            outcome = admit(reading, registry)
            if isinstance(outcome, Refusal):
                self.refused.append(RefusedLine(position, outcome))
            elif outcome is Disposition.ACCEPTED:
                accepted.append(asked[position])
        others = [record for record in records if line_of(record) not in doubts]
        return others + accepted

    def _lines_at(self, positions: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        assert self.plan.facts is not None, "the ledger's events are not read again"
        with self.plan.facts.open("rb") as file:
            for position in positions:
                yield position, line_at(file, position)


def gather(plan: Plan, apart: frozenset[str], work: Work[T], bucket: Bucket) -> tuple[T, list[RefusedLine]]:
    """What ``work`` makes of the accounts of a bucket, and the lines that were refused among them."""
    gathering = Gathering(plan, apart)
    accounts = gathering.rivals(bucket.parts) if bucket.rivals else gathering.others(bucket.parts)
    return work(accounts), gathering.refused


def sorted_part(lines: list[bytes], folder: Path) -> Path:
    """Keeps lines in a file of their own, sorted by their bytes, which is by code point: parts are merged like that."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix="part-", delete=False) as file:
        file.writelines(sorted(lines))
    return Path(file.name)
