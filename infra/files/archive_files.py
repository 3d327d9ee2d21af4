"""The Parquet files of an archive, which take Arrow (the extra `files`): written and read page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from hashlib import file_digest
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow
import pyarrow.parquet

from schemas.archive_manifest import ArchivedFile, EntryLine, EventLine

AT_ONCE = 2000
"""Lines that are read at once: some MB."""

Line = type[EntryLine] | type[EventLine]

_NUMBERS = [("seq", pyarrow.int64()), ("event_no", pyarrow.int64())]
_SCHEMAS: dict[Line, Any] = {
    EntryLine: pyarrow.schema([*_NUMBERS, ("value", pyarrow.binary())]),
    EventLine: pyarrow.schema(
        [
            *_NUMBERS,
            ("topic", pyarrow.string()),
            ("partition", pyarrow.int32()),
            ("offset", pyarrow.int64()),
            ("key", pyarrow.binary()),
            ("value", pyarrow.binary()),
            ("recorded_at", pyarrow.timestamp("us", tz="UTC")),
            ("disposition", pyarrow.string()),
        ]
    ),
}


class ArchiveDamaged(Exception):
    """A file of an archive that is not there or cannot be read; the message says why."""


class ArchiveWriter:
    """Writes one file; used with ``with``."""

    def __init__(self, path: Path, line: Line) -> None:
        self._path, self._schema = path, _SCHEMAS[line]
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=False)
        self._rows = self._value_bytes = 0

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def add(self, lines: Sequence[EntryLine | EventLine]) -> None:
        """Writes some lines as a group of rows."""
        if not lines:
            return
        columns = zip(zip(*lines, strict=True), self._schema.types, strict=True)
        arrays = [pyarrow.array(column, type_) for column, type_ in columns]
        self._writer.write_batch(pyarrow.record_batch(arrays, schema=self._schema))
        self._rows += len(lines)
        self._value_bytes += sum(len(line.value or b"") for line in lines)

    def written(self) -> ArchivedFile:
        """What the manifest says about the file, after it was closed."""
        return ArchivedFile(
            sha256=sha256_of(self._path),
            bytes=self._path.stat().st_size,
            rows=self._rows,
            value_bytes=self._value_bytes,
        )


def sha256_of(path: Path) -> str:
    """Of a file's bytes. Raises ArchiveDamaged."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchiveDamaged(str(error.strerror)) from None


def entry_lines(path: Path) -> Iterator[EntryLine]:
    """The entries in a file, in its order. Raises ArchiveDamaged."""
    return map(EntryLine._make, _rows(path, EntryLine))


def event_lines(path: Path) -> Iterator[EventLine]:
    """The events in a file, in its order. Raises ArchiveDamaged."""
    for row in _rows(path, EventLine):
        line = EventLine._make(row)
        yield line._replace(recorded_at=line.recorded_at.astimezone(UTC))


def _rows(path: Path, line: Line) -> Iterator[Iterable[Any]]:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            if not file.schema_arrow.equals(_SCHEMAS[line]):
                raise ArchiveDamaged("its columns are others than Huzhu writes")
            for batch in file.iter_batches(AT_ONCE):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise ArchiveDamaged(type(error).__name__) from None
