"""Files of national settlement records: JSON, JSON lines, CSV and spreadsheets, as records with their line numbers.

Only the file is interpreted here: `handlers.national.settlement_values` decides which cell is an amount and whether
it is exact.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from infra.files.text_files import decoded

SPREADSHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
Row = tuple[int, dict[str, object]]
"""The line of a text file or the row of a sheet, from 1, and the record by the names in the heading."""


class FileUnusable(Exception):
    """The file cannot be read as a table; the message says why and what to do."""


def rows_of(path: Path, sheet: str | None = None) -> list[Row]:
    """The records of a CSV file or of a sheet of a workbook. Raises FileUnusable."""
    try:
        if path.suffix.lower() == ".csv":
            return list(_csv(_decoded(path.read_bytes())))
        return list(_sheet(path, sheet))
    except OSError as error:
        raise FileUnusable(f"cannot be read: {error.strerror}") from None


def _decoded(data: bytes) -> str:
    try:
        return decoded(data)
    except UnicodeDecodeError:
        raise FileUnusable("is neither UTF-8 nor GB 18030 text: save it as CSV UTF-8") from None


def _csv(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    heading: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if heading is None:
                heading = _heading(cells, reader.line_num)
                continue
            yield reader.line_num, _record(heading, cells, reader.line_num)
    except csv.Error as error:
        raise FileUnusable(f"line {reader.line_num} is not CSV: {error}") from None
    if heading is None:
        raise FileUnusable("is empty: the first line names the fields")


def _sheet(path: Path, sheet: str | None) -> Iterator[Row]:
    try:
        with CalamineWorkbook.from_path(path) as book:
            tables = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except (CalamineError, PasswordError) as error:
        raise FileUnusable(f"is not a spreadsheet that can be opened ({type(error).__name__}): save it again") from None
    filled = {name: rows for name, rows in tables.items() if any(_filled(row) for row in rows)}
    if sheet is None and len(filled) > 1:
        raise FileUnusable(f"has {len(filled)} sheets with content: choose one with --sheet NAME")
    chosen = sheet if sheet is not None else next(iter(filled), "")
    if chosen not in filled:
        raise FileUnusable("has no such sheet with content: check --sheet" if sheet else "has no filled sheet")
    heading: list[str] | None = None
    for number, cells in enumerate(filled[chosen], start=1):
        if not _filled(cells):
            continue
        if heading is None:
            heading = _heading([str(cell) for cell in cells], number)
            continue
        yield number, _record(heading, cells, number)


def _filled(cells: Sequence[object]) -> bool:
    return any(str(cell).strip() for cell in cells)


def _heading(cells: Sequence[str], number: int) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    named = [name for name in names if name]
    if "setl_id" not in named:
        raise FileUnusable(f"line {number} is not a heading: the first line names the fields, including setl_id")
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise FileUnusable(f"line {number} names a field twice: {', '.join(twice)}")
    return names


def _record(heading: Sequence[str], cells: Sequence[object], number: int) -> dict[str, object]:
    if any(str(cell).strip() for cell in cells[len(heading) :]):
        raise FileUnusable(f"line {number} has more cells than the heading names")
    return {name: cell for name, cell in zip(heading, cells, strict=False) if name}
