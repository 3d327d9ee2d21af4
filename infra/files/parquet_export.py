"""An export as Parquet, which takes Arrow: the extra `files`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from infra.files.export_files import Field, Head, Written, add_money

ROWS_AT_ONCE = 10_000
_TYPES = {
    "text": pyarrow.string(),
    "count": pyarrow.int64(),
    "yuan": pyarrow.decimal128(18, 2),
    "day": pyarrow.date32(),
    "instant": pyarrow.timestamp("us", tz="UTC"),
}


def write(path: Path, fields: Sequence[Field], rows: Iterable[Sequence[Any]], head: Head) -> Written:
    """Money as decimal(18, 2), days as dates, instants in UTC; author and filter are in the file's metadata."""
    sums = dict.fromkeys((field.name for field in fields if field.kind == "yuan"), 0)
    schema = pyarrow.schema([(field.name, _TYPES[field.kind]) for field in fields], dict(head))
    count, waiting = 0, []
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for row in rows:
            add_money(sums, fields, row)
            waiting.append(row)
            count += 1
            if len(waiting) == ROWS_AT_ONCE:
                writer.write_batch(_batch(schema, fields, waiting))
                waiting = []
        if waiting:
            writer.write_batch(_batch(schema, fields, waiting))
    return Written(count, sums)


def _batch(schema: Any, fields: Sequence[Field], rows: list[Sequence[Any]]) -> Any:
    columns = []
    for column, field in enumerate(fields):
        values = [row[column] for row in rows]
        if field.kind == "yuan":
            values = [None if value is None else Decimal(value).scaleb(-2) for value in values]
        columns.append(pyarrow.array(values, _TYPES[field.kind]))
    return pyarrow.record_batch(columns, schema=schema)
