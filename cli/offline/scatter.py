"""Sorts the facts of a file into buckets on disk by person, and finds the persons who share an id.

These are the first two of the three passes of `cli.offline.by_person`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from cli.offline.plan import Plan
from handlers.offline.columns.arrays import Ints, whole
from handlers.offline.columns.fact_tables import KINDS, Tables, in_kinds, joined
from handlers.offline.columns.reading import read_lines
from handlers.offline.columns.rivals import Identities, identities_of, rivals_in
from handlers.offline.columns.texts import Keys, keys_of
from schemas.refusals import Refusal

READ_BYTES = 4 * 2**20
"""Bytes of the file that are read at once: about 10,000 lines, so that columns pay."""


@dataclass(frozen=True, slots=True)
class Scattered:
    """A chunk on disk: how many facts it has, which lines (by position) were refused, and where each bucket begins.

    There is a file for each kind of fact, then one for the ids, in which bucket n ends where bucket n + 1 begins.
    """

    name: Path
    starts: list[list[int]]
    facts: int
    refused: list[tuple[int, Refusal]]

    def tables(self, bucket: int) -> Tables:
        """The facts of the persons in a bucket."""
        return in_kinds(self._rows(kind, bucket) for kind in range(len(KINDS)))

    def identities(self, bucket: int) -> Identities:
        """The ids in a bucket."""
        table = self._rows(len(KINDS), bucket)
        return Identities(*(table.column(name).to_numpy() for name in ("id", "person")))

    def _rows(self, kind: int, bucket: int) -> pa.Table:
        start, end = self.starts[kind][bucket : bucket + 2]
        with pa.memory_map(str(_part(self.name, kind))) as file:
            return pa.ipc.open_file(file).read_all().slice(start, end - start)


def scatter(plan: Plan, chunk: tuple[int, int]) -> Scattered:
    """Reads the lines that start in a chunk and puts each fact into the bucket of its person."""
    assert plan.facts is not None, "the facts are in a file"
    found = []
    with plan.facts.open("rb") as file:
        for start in range(*chunk, READ_BYTES):
            lines, positions = lines_in(file, start, min(start + READ_BYTES, chunk[1]))
            found.append(read_lines(lines, positions, plan.as_of))
    refused = [line for lines in found for line in lines.refused]
    tables = joined(lines.tables for lines in found)
    return Scattered(*written(plan, chunk, tables), sum(lines.facts for lines in found), refused)


def written(plan: Plan, chunk: tuple[int, int], tables: Tables) -> tuple[Path, list[list[int]]]:
    """Writes facts and their ids by bucket, and says where, and where in the files each bucket begins."""
    name = plan.folder / f"chunk-{chunk[0]}"
    persons = [keys_of(whole(table.column("person_id"))) for table in tables]
    found = identities_of(tables, persons)
    sorts = [*zip(tables, persons, strict=True), (pa.table({"id": found.id, "person": found.person}), found.id)]
    starts = []
    for kind, (table, keys) in enumerate(sorts):
        bucket = keys % np.uint64(plan.buckets)
        in_order = table.combine_chunks().take(pa.array(np.argsort(bucket, kind="stable")))
        with pa.OSFile(str(_part(name, kind)), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(in_order)
        counts = np.bincount(bucket.astype(np.int64), minlength=plan.buckets)
        starts.append([0, *np.cumsum(counts).tolist()])
    return name, starts


def _part(name: Path, kind: int) -> Path:
    """The file of a chunk's facts of one kind, or of its ids."""
    return name.with_name(f"{name.name}-{kind}")


def rivals(scattered: list[Scattered], bucket: int) -> Keys:
    """The persons who share one of a bucket's ids with another person, by their keys."""
    return rivals_in([chunk.identities(bucket) for chunk in scattered])


def lines_in(file: BinaryIO, start: int, end: int) -> tuple[list[bytes], Ints]:
    """The lines that are not blank and start in ``[start, end)``, without line ends, and where they start."""
    if start:
        file.seek(start - 1)
        start += len(file.readline()) - 1  # the rest of a line that started before
    else:
        file.seek(0)
    text = file.read(max(0, end - start))
    if text and not text.endswith(b"\n"):
        text += file.readline()
    lines = text.split(b"\n")
    positions = start + np.cumsum([0, *(len(line) + 1 for line in lines[:-1])])
    told = np.array([bool(line.strip()) for line in lines], np.bool_)
    return [line.rstrip(b"\r") for line in lines if line.strip()], positions[told]


def line_at(file: BinaryIO, position: int) -> bytes:
    """The line that starts at a position, without its line end."""
    file.seek(position)
    return file.readline().rstrip(b"\r\n")
