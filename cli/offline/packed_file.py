"""Files of packed facts: Parquet with the layout of `handlers.offline.columns`, written once and decided often.

Every page has a checksum that is compared when it is read, so a damaged file is refused and never decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import Progress

from cli.offline.by_person import Work
from cli.offline.plan import Worked
from cli.offline.worker_processes import Workers
from cli.terminal.output import fail
from handlers.offline.columns.arrays import DamagedColumns
from handlers.offline.columns.column_groups import linked_rows
from handlers.offline.columns.layout import PACKING, SCHEMA
from handlers.offline.columns.packing import Packed, refused_of
from handlers.offline.groups import BY_ANYTHING
from schemas.bilingual import Saying
from schemas.refusals import Refusal

T = TypeVar("T")

ROWS_PER_GROUP = 20_000
"""Persons who are decided together: some 20 MiB in memory. Whom something links lies in groups of a bucket's size."""

_VERSION, _FACTS = b"huzhu.packing", b"huzhu.facts"
_NEEDED = ["person_id", "died_on", "claims", "coverages", "memberships"]

NO_PARQUET = Saying(
    "不是完整的 Parquet 文件(不是 Parquet、已损坏或不完整):请用 huzhu facts pack 重新打包",
    "is no whole Parquet file (none at all, damaged, or cut short): pack the facts again with huzhu facts pack",
)
OTHER_CONTENT = Saying(
    "是 Parquet,但不是 huzhu facts pack 打包的数据:请用它打包",
    "is Parquet, but not what huzhu facts pack writes: pack the facts with it",
)


class NotPacked(Exception):
    """A file that does not hold packed facts; the sentence says why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.said = Saying(zh, en)


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file that is what it should be as far as its footer tells; ``facts`` counts those that were not refused."""

    path: Path
    facts: int
    groups: int
    refused: list[tuple[int, Refusal]]


def write(target: Path, tables: Iterable[pa.Table], facts: int) -> None:
    """Writes packed tables to a file, which is there only when it is whole."""
    part = target.with_name(f"{target.name}.part")
    schema = SCHEMA.with_metadata({_VERSION: PACKING})
    try:
        with (
            part.open("wb") as file,
            pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as out,
        ):
            for table, whole in _in_groups(tables):
                out.write_table(table.cast(schema), row_group_size=len(table) if whole else ROWS_PER_GROUP)
            out.add_key_value_metadata({_FACTS: str(facts).encode()})
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def table_of(part: Path) -> pa.Table:
    """The packed rows in a temporary file, which is removed."""
    with part.open("rb") as file:
        table = pa.ipc.open_file(file).read_all()
    part.unlink()
    return table


def _in_groups(tables: Iterable[pa.Table]) -> Iterator[tuple[pa.Table, bool]]:
    """The same rows in tables that are not much shorter than a row group, unless persons in one are linked.

    Such a table is to stay whole: everybody of a household, or with the same invoice, has to be in it.
    """
    waiting: list[pa.Table] = []
    for table in tables:
        if linked_rows(table, BY_ANYTHING).any():
            yield table, True
            continue
        waiting.append(table)
        if sum(len(each) for each in waiting) >= ROWS_PER_GROUP:
            yield pa.concat_tables(waiting), False
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting), False


def opened(path: Path, as_of: datetime | None = None) -> PackedFile:
    """A file of packed facts. Ends the command if it is none, or if they should be taken in as of another moment."""
    if as_of is not None:
        fail(
            f"{path}: 数据在打包时已接收:请把 --as-of 用于 huzhu facts pack\n"
            f"{path}: the facts were taken in when they were packed: give --as-of to huzhu facts pack"
        )
    try:
        with _reading(path) as file:
            told = file.metadata.metadata or {}
            if _VERSION not in told:
                raise NotPacked(*OTHER_CONTENT)
            version = told[_VERSION].decode(errors="replace")
            if version != PACKING:
                raise NotPacked(
                    f"是另一版本打包的({version},本版本为 {PACKING}):请重新打包",
                    f"was packed by another version ({version}, this one reads {PACKING}): pack the facts again",
                )
            if not file.schema_arrow.equals(SCHEMA) or not told.get(_FACTS, b"").isdigit():
                raise NotPacked(*OTHER_CONTENT)
            refused = refused_of(file.read(["line", "refusal"], use_threads=False))
            return PackedFile(path, int(told[_FACTS]), file.num_row_groups, refused)
    except NotPacked as error:
        _refuse(path, error)


@contextmanager
def _reading(path: Path) -> Iterator[pq.ParquetFile]:
    """The file; whatever keeps it from being read is said. Raises NotPacked."""
    try:
        with path.open("rb") as raw, pq.ParquetFile(raw, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, DamagedColumns):
        raise NotPacked(*NO_PARQUET) from None
    except OSError as error:
        if error.errno is None:  # Arrow's, about the content
            raise NotPacked(*NO_PARQUET) from None
        raise NotPacked(f"无法读取:{error.strerror}", f"cannot be read: {error.strerror}") from None


def _refuse(path: Path, error: NotPacked) -> NoReturn:
    fail(f"{path}: {error.said.zh}\n{path}: {error.said.en}")


def by_row_group(packed: PackedFile, work: Work[T], pool: Workers, bar: Progress) -> Worked[T]:
    """Does ``work`` on each group of persons. It and its result must be picklable. Ends the command on damage."""
    deciding = bar.add_task("deciding claims", total=packed.groups)
    results = []
    try:
        for _, result in pool.map(partial(_on_group, packed.path, work), range(packed.groups)):
            results.append(result)
            bar.advance(deciding)
    except NotPacked as error:
        _refuse(packed.path, error)
    return Worked(results, packed.facts, packed.refused)


def _on_group(path: Path, work: Work[T], number: int) -> T:
    with _reading(path) as file:
        return work(Packed(file.read_row_group(number, columns=_NEEDED, use_threads=False), []))
