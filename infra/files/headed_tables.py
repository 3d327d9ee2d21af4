"""Tables as offices send them, CSV or Excel: below titles and dates, under headings in the words of each office."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from infra.files.text_files import decoded

HEADING_ROWS_MAX = 20
"""How many first lines may hold the headings: tables start with titles and dates."""


class UnusableTable(Exception):
    """A file that is not such a table; the message says what is missing and what to do."""


class HeadedTable(NamedTuple):
    """The lines below the headings that are not empty, with their numbers in the file and their cells by column.

    ``columns`` names the file's own heading for each column that was found.
    """

    lines: list[tuple[int, dict[str, Any]]]
    columns: dict[str, str]


def read_headed(
    path: Path, headings: Mapping[str, tuple[str, ...]], given: Mapping[str, str], needed: Sequence[Collection[str]]
) -> HeadedTable:
    """A table's lines. ``headings`` are the known ones by column, ``given`` gives others that the file has instead.

    Of each collection in ``needed`` the file has to have a column, and each that is given. Headings are compared
    without case, spaces and width. Raises UnusableTable.
    """
    try:
        rows = list(_rows(path))
    except (OSError, CalamineError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableTable(f"{path}: cannot be read as CSV or Excel: {error}") from None
    names = {name: ((given[name],) if name in given else known) for name, known in headings.items()}
    wanted = [*needed, *([name] for name in given)]
    tried = ((at, _headings(row, names)) for at, (_, row) in enumerate(rows[:HEADING_ROWS_MAX]))
    at, headed = next(((at, headed) for at, headed in tried if _has(headed, wanted)), (0, {}))
    if not headed:
        missing = list(dict.fromkeys(name for group in wanted for name in group))
        known = "; ".join(f"{name}: {', '.join(names[name])}" for name in missing)
        raise UnusableTable(
            f"{path}: 前 {HEADING_ROWS_MAX} 行里没有找到所需的列标题。 None of the first {HEADING_ROWS_MAX} lines "
            f"has the required headings ({known}). Name them with --column, such as --column {missing[0]}=单号"
        )
    lines = [
        (number, {name: row[place] if place < len(row) else "" for name, place in headed.items()})
        for number, row in rows[at + 1 :]
        if any(cell_text(cell) for cell in row)
    ]
    return HeadedTable(lines, {name: cell_text(rows[at][1][place]) for name, place in headed.items()})


def plain(text: str) -> str:
    """A text without case, spaces and width."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).casefold()


def cell_text(cell: object) -> str:
    """A cell as text: Excel keeps a numeric id as a float."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _has(headed: Mapping[str, int], wanted: Sequence[Collection[str]]) -> bool:
    return all(any(name in headed for name in group) for group in wanted)


def _rows(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """The rows of the file with their numbers: those of the first sheet, or of the text."""
    data = path.read_bytes()
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        yield from enumerate(sheet.to_python(skip_empty_area=False), start=1)
        return
    text = decoded(data)
    first = next((line for line in text.splitlines() if any(mark in line for mark in ",;\t")), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    for row in reader:
        yield reader.line_num, row


def _headings(row: list[Any], names: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    cells = [plain(cell_text(cell)) for cell in row]
    headed: dict[str, int] = {}
    for name, headings in names.items():
        for place in (cells.index(heading) for heading in map(plain, headings) if heading in cells):
            headed.setdefault(name, place)
    return headed
