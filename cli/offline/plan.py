"""What a computation over a file of facts, or over a ledger's, reads, where it may write, and what comes of it."""

from __future__ import annotations

import errno
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

from cli.terminal.given_files import PARQUET, no_columns
from cli.terminal.output import fail
from handlers.claims.decidable import Decidable
from schemas.refusals import Refusal

T = TypeVar("T")

SHORT_BYTES = 2**20
"""A shorter file is read into one book before Arrow would be imported."""

POOL_BYTES = 4 * 2**20
"""A shorter file needs no second process."""

CHUNK_BYTES = 32 * 2**20
"""Bytes of the file per task."""

BUCKET_BYTES = 32 * 2**20
"""Bytes of the file per bucket. As columns they take a fifth, and three times that while they are sorted."""

EVENTS_PER_BUCKET = 80_000

OnAccounts = Callable[[Iterator[Decidable]], T]
"""Work on some accounts, one after the other."""


@dataclass(frozen=True, slots=True)
class Worked(Generic[T]):
    """The outcome for a file: results in order of the buckets, how many facts were not refused, the refused lines."""

    results: list[T]
    facts: int
    refused: list[tuple[int, Refusal]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A file of facts (None: they come from the ledger), and the folder for the buckets.

    ``as_of`` is the moment at which the facts of the file are taken in; without it none is too new.
    """

    facts: Path | None
    folder: Path
    buckets: int
    chunk_bytes: int = CHUNK_BYTES
    as_of: datetime | None = None
    processes: int = 1

    @property
    def size(self) -> int:
        return 0 if self.facts is None else self.facts.stat().st_size

    @property
    def short(self) -> bool:
        """Whether one book is the fastest way."""
        return self.facts is not None and self.size <= SHORT_BYTES

    def chunks(self) -> list[tuple[int, int]]:
        """Half-open byte ranges that together cover the file."""
        size = self.size
        return [(start, min(size, start + self.chunk_bytes)) for start in range(0, size, self.chunk_bytes)]


@contextmanager
def plan_for(facts: Path, processes: int, as_of: datetime | None = None) -> Iterator[Plan]:
    """A plan for a file, or for standard input (``-``), and at most so many processes.

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
        buckets = -(-size // BUCKET_BYTES) or 1
        if size <= POOL_BYTES or processes == 1:
            yield Plan(file, folder, buckets, as_of=as_of)
        else:
            chunk_bytes = min(CHUNK_BYTES, -(-size // (4 * processes)))
            yield Plan(file, folder, max(2 * processes, buckets), chunk_bytes, as_of, processes)


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


def line_numbers(facts: Path, positions: Iterable[int]) -> dict[int, int]:
    """The line numbers, from 1, of the lines that start at some positions of a file."""
    numbers = {}
    number, reached = 1, 0
    with facts.open("rb") as file:
        for position in sorted(positions):
            while reached < position:
                text = file.read(min(position - reached, _READ_BYTES))
                number += text.count(b"\n")
                reached += len(text)
            numbers[position] = number
    return numbers


_READ_BYTES = 4 * 2**20


def sorted_part(lines: list[bytes], folder: Path) -> Path:
    """Writes lines to a new file, sorted by their bytes and so by code point: parts are merged in that order."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix="part-", delete=False) as file:
        file.writelines(sorted(lines))
    return Path(file.name)
