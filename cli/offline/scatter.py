"""Sorts the facts of a file into buckets on disk by person, and finds the persons who share an id or an invoice.

These are the first two of the three passes of `cli.offline.by_person`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

from cli.offline.plan import Plan
from handlers.offline.columns.arrays import Ints, whole
from handlers.offline.columns.fact_tables import KINDS, Tables, in_kinds, joined, without_invoices
from handlers.offline.columns.reading import read_lines
from handlers.offline.columns.rivals import Identities, identities_of, rivals_in
from handlers.offline.columns.shared_invoices import NamedInvoices, invoices_named_in, sharing_invoices
from handlers.offline.columns.texts import Keys, keys_of
from schemas.refusals import Refusal

READ_BYTES = 4 * 2**20
"""Bytes of the file that are read at once: about 10,000 lines, so that columns pay."""


_IDS, _INVOICES = len(KINDS), len(KINDS) + 1
"""The files that hold no facts, after those that do."""


@dataclass(frozen=True, slots=True)
class Scattered:
    """A chunk on disk: how many facts it has, which lines (by position) were refused, and where each bucket begins.

    There is a file for each kind of fact, then one for the ids, and one for the invoices if they were asked for. In
    each of them bucket n ends where bucket n + 1 begins.
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
        return Identities(*self._keys(_IDS, bucket))

    def invoices(self, bucket: int) -> NamedInvoices:
        """The invoices in a bucket."""
        return NamedInvoices(*self._keys(_INVOICES, bucket))

    def _keys(self, kind: int, bucket: int) -> list[Keys]:
        return [column.to_numpy() for column in self._rows(kind, bucket).columns]

    def _rows(self, kind: int, bucket: int) -> pa.Table:
        start, end = self.starts[kind][bucket : bucket + 2]
        with pa.memory_map(str(_part(self.name, kind))) as file:
            return pa.ipc.open_file(file).read_all().slice(start, end - start)


def scatter(plan: Plan, invoices: bool, chunk: tuple[int, int]) -> Scattered:
    """Reads the lines that start in a chunk and puts each fact into the bucket of its person.

    ``invoices`` asks for the invoices of bills as well.
    """
    assert plan.facts is not None, "the facts are in a file"
    found = []
    with plan.facts.open("rb") as file:
        for start in range(*chunk, READ_BYTES):
            lines, positions = lines_in(file, start, min(start + READ_BYTES, chunk[1]))
            found.append(read_lines(lines, positions, plan.as_of))
    refused = [line for lines in found for line in lines.refused]
    tables = joined(lines.tables for lines in found)
    return Scattered(*written(plan, chunk, tables, invoices), sum(lines.facts for lines in found), refused)


def written(plan: Plan, chunk: tuple[int, int], tables: Tables, invoices: bool = False) -> tuple[Path, list[list[int]]]:
    """Writes facts and their ids by bucket, and says where, and where in the files each bucket begins.

    Their invoices only where ``invoices`` asks for them.
    """
    name = plan.folder / f"chunk-{chunk[0]}"
    kept = tables if invoices else without_invoices(tables)
    persons = [keys_of(whole(table.column("person_id"))) for table in kept]
    found = identities_of(kept, persons)
    sorts = [*zip(kept, persons, strict=True), (pa.table(found._asdict()), found.id)]
    if invoices:
        named = invoices_named_in(kept[1], persons[1])
        sorts.append((pa.table(named._asdict()), named.invoice))
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
    """The file of a chunk's facts of one kind, of its ids, or of its invoices."""
    return name.with_name(f"{name.name}-{kind}")


class Sharing(NamedTuple):
    """Persons who share an id with another person, and those who name an invoice of two encounters, by their keys."""

    ids: Keys
    invoices: Keys


NOBODY = Sharing(np.zeros(0, np.uint64), np.zeros(0, np.uint64))


def sharing(scattered: list[Scattered], invoices: bool, bucket: int) -> Sharing:
    """The persons who share what is in a bucket."""
    rivals = rivals_in([chunk.identities(bucket) for chunk in scattered])
    named = sharing_invoices([chunk.invoices(bucket) for chunk in scattered]) if invoices else NOBODY.invoices
    return Sharing(rivals, named)


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
