"""What is in a file that the console gave, as its user's program reads it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pyarrow.parquet
from python_calamine import CalamineWorkbook


def table(kind: str, content: bytes) -> list[dict[str, Any]]:
    """The rows of an export, as a user's program reads them; totals left out."""
    if kind == "csv":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    if kind == "parquet":
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
        return rows
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    found: list[dict[str, Any]] = []
    for name in book.sheet_names[:-1]:
        head, *lines, total = book.get_sheet_by_name(name).to_python()
        found += [{str(key): value for key, value in zip(head, line, strict=True)} for line in lines]
        assert "合计 total" == total[0]
    return found


def summed(rows: list[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(str(row[name])).quantize(Decimal("0.01")) for row in rows), Decimal(0))
