"""Sorts the facts of a file into buckets on disk by person, and finds the persons who share an id.

These are the first two of the three passes of `cli.offline.by_person`.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from zlib import crc32

from handlers.claims.read import read, recall
from handlers.offline.compact_account import LineKey, identities
from handlers.offline.compact_events import LETTER, OTHER, PERSON_ID, CompactRecord, parse_compact, record_of
from infra.ledger.schema import connect
from infra.ledger.snapshot import accepted_events
from schemas.dates import format_instant
from schemas.refusals import Refusal

CHUNK_BYTES = 4 * 2**20
"""About 10,000 facts: small enough for a smooth progress bar, large enough to make the cost of a task negligible."""

BUCKET_BYTES = 16 * 2**20
"""Bytes of the file per bucket. As Python objects they take about five times as much."""


class LineRefusal(NamedTuple):
    """A refused line: its position in the file (bytes), and the reason."""

    position: int
    refusal: Refusal


Part = tuple[str, int, int]
"""The part of a bucket that comes from one chunk: file, start and end position."""


class Scattered(NamedTuple):
    """A chunk on disk: bucket n is in ``file`` from ``offsets[n]`` to ``[n + 1]``, first all facts, then all ids."""

    file: str
    offsets: list[int]
    facts: int
    refused: list[LineRefusal]

    def part(self, bucket: int) -> Part:
        return (self.file, self.offsets[bucket], self.offsets[bucket + 1])


@dataclass(frozen=True, slots=True)
class LedgerSource:
    """A ledger and the snapshot of it that is read (`infra.ledger.snapshot`)."""

    url: str
    lease: float
    snapshot_id: str


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

    def chunks(self) -> list[tuple[int, int]]:
        """Half-open byte ranges that together cover the file."""
        size = 0 if self.facts is None else self.facts.stat().st_size
        return [(start, min(size, start + self.chunk_bytes)) for start in range(0, size, self.chunk_bytes)]


def scatter(plan: Plan, chunk: tuple[int, int]) -> Scattered:
    """Reads the lines that start in a chunk and puts the record of each fact into the bucket of its person."""
    refused: list[LineRefusal] = []
    assert plan.facts is not None, "the facts are in a file"
    records = _records(plan.facts, chunk, plan.as_of, refused)
    return _into_buckets(plan, chunk[0], records, refused)


def scatter_ledger(plan: Plan, ledger: LedgerSource, chunk: tuple[int, int]) -> Scattered:
    """The same for a range of the ledger's events. They were accepted before, so no rule is checked again."""
    engine = connect(ledger.url, ledger.lease)
    try:
        values = accepted_events(engine, ledger.snapshot_id, *chunk)
        records = enumerate((parse_compact(value) or record_of(recall(value)) for value in values), start=chunk[0])
        return _into_buckets(plan, chunk[0], records, [])
    finally:
        engine.dispose()


def _records(
    facts: Path, chunk: tuple[int, int], as_of: datetime | None, refused: list[LineRefusal]
) -> Iterator[tuple[int, CompactRecord]]:
    taken_in = None if as_of is None else format_instant(as_of)
    for position, line in _lines(facts, *chunk):
        record = parse_compact(line, taken_in)
        if record is None:
            reading = read(line, as_of=as_of)
            if isinstance(reading, Refusal):
                refused.append(LineRefusal(position, reading))
                continue
            record = record_of(reading.fact)
        yield position, record


def _into_buckets(
    plan: Plan, name: int, numbered: Iterable[tuple[int, CompactRecord]], refused: list[LineRefusal]
) -> Scattered:
    facts: list[tuple[list[CompactRecord], list[int]]] = [([], []) for _ in range(plan.buckets)]
    ids: list[set[tuple[LineKey, str]]] = [set() for _ in range(plan.buckets)]
    count = 0
    for position, record in numbered:
        count += 1
        if record[LETTER] == OTHER:
            continue
        person_id: str = record[PERSON_ID]
        records, positions = facts[bucket_of(person_id, plan.buckets)]
        records.append(record)
        positions.append(position)
        for identity in identities(record):
            _, subject_id = identity
            ids[bucket_of(subject_id, plan.buckets)].add((identity, person_id))
    path = plan.folder / f"chunk-{name}"
    parts = [marshal.dumps(bucket) for bucket in facts] + [marshal.dumps(list(bucket)) for bucket in ids]
    path.write_bytes(b"".join(parts))
    offsets = [0]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return Scattered(str(path), offsets, count, refused)


def rivals(parts: tuple[Part, ...]) -> set[str]:
    """The persons who share an id with another person, according to the ids in some parts."""
    owned: set[tuple[LineKey, str]] = set()
    for part in parts:
        owned.update(content(part))
    if len({identity for identity, _ in owned}) == len(owned):
        return set()
    owners: dict[LineKey, set[str]] = {}
    for identity, person_id in owned:
        owners.setdefault(identity, set()).add(person_id)
    return {person_id for persons in owners.values() if len(persons) > 1 for person_id in persons}


def _lines(facts: Path, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank and start in ``[start, end)``, with their positions and without line ends."""
    with facts.open("rb") as file:
        if start:
            file.seek(start - 1)
            start += len(file.readline()) - 1  # the rest of a line that started in the chunk before
        text = file.read(max(0, end - start))
        if text and not text.endswith(b"\n"):
            text += file.readline()
    for line in text.split(b"\n"):
        if line.strip():
            yield start, line.rstrip(b"\r")
        start += len(line) + 1


def line_at(file: BinaryIO, position: int) -> bytes:
    """The line that starts at a position, without its line end."""
    file.seek(position)
    return file.readline().rstrip(b"\r\n")


def content(part: Part) -> Any:
    """What `scatter` wrote: (records, positions), or a list of ids with their persons."""
    file, start, end = part
    with open(file, "rb") as opened:
        opened.seek(start)
        return marshal.loads(opened.read(end - start))


def bucket_of(name: str, buckets: int) -> int:
    """The bucket of a name; the same in every process."""
    return crc32(name.encode("utf-8")) % buckets


def line_numbers(facts: Path, positions: Iterable[int]) -> dict[int, int]:
    """The line numbers, from 1, of the lines that start at some positions of a file."""
    numbers = {}
    number, reached = 1, 0
    with facts.open("rb") as file:
        for position in sorted(positions):
            while reached < position:
                text = file.read(min(position - reached, CHUNK_BYTES))
                number += text.count(b"\n")
                reached += len(text)
            numbers[position] = number
    return numbers
