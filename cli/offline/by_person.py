"""Processes a file of facts, in any order, person by person: on all cores, in bounded memory.

1. *Scatter*: reads the file in chunks and puts the record of every fact into the bucket of its person.
2. *Rivals*: finds persons who share an id, because the first of them decides what happens to the other's facts.
3. *Gather*: processes each bucket on its own; the rivals form one more bucket, in the order of the file.

A fact that is clearly new needs only its record. In case of doubt (a version of an id comes twice or late, or a rival
uses the id) the lines are read again and go through `handlers.claims.admit`, which has the rules. So the outcome is the
same as that of a single `handlers.offline.book.Book` for the whole file; a test compares the two. Memory holds one
bucket per process and the rivals; the other buckets wait in temporary files.
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
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, NoReturn, TypeVar

from rich.progress import Progress

from cli.offline.scatter import (
    BUCKET_BYTES,
    CHUNK_BYTES,
    LedgerSource,
    LineRefusal,
    Part,
    Plan,
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
from cli.terminal.given_files import PARQUET, no_columns
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
"""Events of a ledger per task."""

EVENTS_PER_BUCKET = 40_000


@dataclass(frozen=True, slots=True)
class Worked(Generic[T]):
    """The outcome for a file: one result per bucket, how many facts were not refused, (line, refusal) in order."""

    results: list[T]
    facts: int
    refused: list[tuple[int, Refusal]]


def by_person(plan: Plan, work: Work[T], pool: Workers, bar: Progress) -> Worked[T]:
    """Does ``work`` on the accounts of each bucket. It and its result must be picklable."""
    facts = plan.facts
    assert facts is not None, "the facts are in a file"
    scattered = _scattered(partial(scatter, plan), plan.chunks(), pool, bar)
    ids = [tuple([chunk.part(plan.buckets + bucket) for chunk in scattered]) for bucket in range(plan.buckets)]
    rival_ids = frozenset(person_id for _, persons in pool.map(rivals, ids) for person_id in persons)
    results, late_refusals = _gathered(plan, scattered, rival_ids, work, pool, bar)
    refused = [line for chunk in scattered for line in chunk.refused] + late_refusals
    numbers = line_numbers(facts, [line.position for line in refused]) if refused else {}
    refusals = sorted(((numbers[line.position], line.refusal) for line in refused), key=lambda pair: pair[0])
    not_refused = sum(chunk.facts for chunk in scattered) - len(late_refusals)
    return Worked(results, not_refused, refusals)


def by_person_in_ledger(
    plan: Plan, source: LedgerSource, events: range, work: Work[T], pool: Workers, bar: Progress
) -> Worked[T]:
    """The same for the accepted events of a ledger whose numbers are in ``events``."""
    chunks = [(first, min(events.stop, first + EVENTS_AT_ONCE)) for first in events[::EVENTS_AT_ONCE]]
    scattered = _scattered(partial(scatter_ledger, plan, source), chunks, pool, bar)
    results, _ = _gathered(plan, scattered, frozenset(), work, pool, bar)
    return Worked(results, sum(chunk.facts for chunk in scattered), [])


def _scattered(
    into_buckets: Callable[[Chunk], Scattered], chunks: list[Chunk], pool: Workers, bar: Progress
) -> list[Scattered]:
    reading = bar.add_task("reading facts", total=len(chunks))
    scattered = {}
    for chunk, result in pool.map(into_buckets, chunks):
        scattered[chunk] = result
        bar.advance(reading)
    return [scattered[chunk] for chunk in chunks]


def _gathered(
    plan: Plan, scattered: list[Scattered], rival_ids: frozenset[str], work: Work[T], pool: Workers, bar: Progress
) -> tuple[list[T], list[LineRefusal]]:
    buckets = [Bucket(tuple([chunk.part(number) for chunk in scattered])) for number in range(plan.buckets)]
    if rival_ids:
        numbers = sorted({bucket_of(person_id, plan.buckets) for person_id in rival_ids})
        parts = tuple([part for number in numbers for part in buckets[number].parts])
        buckets.append(Bucket(parts, rivals=True))
    deciding = bar.add_task("deciding claims", total=len(buckets))
    results, refused = [], []
    for _, (result, refused_lines) in pool.map(partial(gather, plan, rival_ids, work), buckets):
        results.append(result)
        refused += refused_lines
        bar.advance(deciding)
    return results, refused


@contextmanager
def plan_for(facts: Path, at_least: int, as_of: datetime | None = None) -> Iterator[Plan]:
    """A plan for a file, or for standard input (``-``), with ``at_least`` that many buckets if the file is long.

    Ends the command if the file cannot be read. Removes the temporary files at the end.
    """
    with temporary_folder() as folder:
        file = facts
        try:
            if str(facts) == "-":
                file = folder / "input"
                with file.open("wb") as copy:
                    shutil.copyfileobj(sys.stdin.buffer, copy, 2**20)
            with file.open("rb") as opened:
                no_columns(facts, opened.read(len(PARQUET)))
            size = file.stat().st_size
        except OSError as error:
            fail(f"{facts}: cannot be read: {error.strerror}")
        buckets = 1 if size <= CHUNK_BYTES else max(at_least, -(-size // BUCKET_BYTES))
        yield Plan(file, folder, buckets, as_of=as_of)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed at the end, even if a signal ends the command. Says so if the disk is full."""

    def end(*_: object) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        with tempfile.TemporaryDirectory(prefix="huzhu-facts-") as name:
            yield Path(name)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        fail("no space left for the output or the temporary files; TMPDIR sets where temporary files go")
    finally:
        signal.signal(signal.SIGTERM, before)


class Bucket(NamedTuple):
    """The persons whose records are in some parts: either the rivals among them or all the others."""

    parts: tuple[Part, ...]
    rivals: bool = False


@dataclass(slots=True)
class Gathering:
    """The accounts of one bucket, one after the other; ``refused`` is complete after the last of them."""

    plan: Plan
    rival_ids: frozenset[str]
    refused: list[LineRefusal] = field(default_factory=list)

    def others(self, parts: tuple[Part, ...]) -> Iterator[Decidable]:
        """The persons who share no id with anyone else."""
        persons: dict[PersonId, tuple[list[CompactRecord], list[int]]] = {}
        for part in parts:
            for record, position in zip(*content(part), strict=True):
                entry = persons.get(record[PERSON_ID])
                if entry is None:
                    entry = persons[record[PERSON_ID]] = ([], [])
                entry[0].append(record)
                entry[1].append(position)
        for person_id, (records, positions) in persons.items():
            if person_id in self.rival_ids:
                continue
            doubts = doubtful(records)
            if doubts:
                records = self._by_the_rules(doubts, records, positions)
            if makes_claims(records):
                yield compact_account_of(person_id, records)

    def rivals(self, parts: tuple[Part, ...]) -> Iterator[Decidable]:
        """The persons who share an id, in one book and in the order of the file."""
        records = (pair for part in parts for pair in zip(*content(part), strict=True))
        positions = [position for record, position in records if record[PERSON_ID] in self.rival_ids]
        book = Book()
        for position, line in self._lines_at(sorted(positions)):
            outcome = book.take(line)
            if isinstance(outcome, Refusal):
                self.refused.append(LineRefusal(position, outcome))
        yield from book.accounts.values()

    def _by_the_rules(
        self, doubts: set[LineKey], records: list[CompactRecord], positions: list[int]
    ) -> list[CompactRecord]:
        """The accepted records of one person; `admit` accepts versions only in ascending order."""
        if self.plan.facts is None:  # the ledger accepted them all
            return sorted(records, key=lambda record: int(record[VERSION]))
        pairs = zip(records, positions, strict=True)
        doubtful_records = {position: record for record, position in pairs if line_of(record) in doubts}
        registry: Registry = {}
        accepted = []
        for position, line in self._lines_at(doubtful_records):
            reading = read(line)
            assert isinstance(reading, Reading), "it was readable before"
            outcome = admit(reading, registry)
            if isinstance(outcome, Refusal):
                self.refused.append(LineRefusal(position, outcome))
            elif outcome is Disposition.ACCEPTED:
                accepted.append(doubtful_records[position])
        others = [record for record in records if line_of(record) not in doubts]
        return others + accepted

    def _lines_at(self, positions: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        assert self.plan.facts is not None, "the ledger's events are not read again"
        with self.plan.facts.open("rb") as file:
            for position in positions:
                yield position, line_at(file, position)


def gather(plan: Plan, rival_ids: frozenset[str], work: Work[T], bucket: Bucket) -> tuple[T, list[LineRefusal]]:
    """The result of ``work`` on the accounts of a bucket, and the lines of the bucket that were refused."""
    gathering = Gathering(plan, rival_ids)
    accounts = gathering.rivals(bucket.parts) if bucket.rivals else gathering.others(bucket.parts)
    return work(accounts), gathering.refused


def sorted_part(lines: list[bytes], folder: Path) -> Path:
    """Writes lines to a new file, sorted by their bytes and so by code point: parts are merged in that order."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix="part-", delete=False) as file:
        file.writelines(sorted(lines))
    return Path(file.name)
