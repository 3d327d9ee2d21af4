"""On a phone a row of a wide table is shown as a list: each cell then needs the heading of its column beside it.

Templates write plain tables. This names the headings in the finished page, as an attribute that the style sheet shows.
"""

from __future__ import annotations

import re
from typing import NamedTuple

COLUMNS_MIN = 4
"""Tables with fewer columns fit a phone as they are."""

_PART = re.compile(r"<(/?)(table|thead|tbody|tfoot|tr|th|td)\b([^>]*)>")
_SPAN = re.compile(r'\b(colspan|rowspan)="(\d+)"')
_TAG = re.compile(r"<[^>]*>")


class _Cell(NamedTuple):
    """Where the tag of a cell begins in the page, and the first of its columns."""

    at: int
    column: int


class _Table:
    """What has been seen of a table: where its own tag begins, its headings, and the cells below them."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.headings: list[str] = []
        self.cells: list[_Cell] = []
        self._below: list[int] = []
        """For each column, in how many more rows a cell from above fills it."""
        self._column = 0

    def row(self) -> None:
        self._below = [max(0, rows - 1) for rows in self._below]
        self._column = 0

    def cell(self, at: int, attributes: str) -> None:
        spans = {name: int(number) for name, number in _SPAN.findall(attributes)}
        while self._column < len(self._below) and self._below[self._column]:
            self._column += 1
        self.cells.append(_Cell(at, self._column))
        for _ in range(spans.get("colspan", 1)):
            self._below += [0] * (self._column + 1 - len(self._below))
            self._below[self._column] = spans.get("rowspan", 1)
            self._column += 1


def with_headings(page: str) -> str:
    """The page, in which each cell of a wide table names its heading. No table stands in another."""
    added: list[tuple[int, str]] = []
    table: _Table | None = None
    head = False
    for part in _PART.finditer(page):
        closing, name, attributes = part.groups()
        if name == "table":
            if closing and table is not None:
                added += _names(table)
            table = None if closing else _Table(part.start())
        elif table is None:
            continue
        elif name == "thead":
            head = not closing
        elif closing:
            continue
        elif name == "tr":
            table.row()
        elif head:
            text = _TAG.sub("", page[part.end() : page.index("</th>", part.end())])
            table.headings.append(text.strip())
        elif name in ("th", "td"):
            table.cell(part.start(), attributes)
    pieces, done = [], 0
    for at, text in added:
        end = at + (len("<table") if page.startswith("<table", at) else len("<td"))
        pieces += [page[done:end], text]
        done = end
    return "".join([*pieces, page[done:]])


def _names(table: _Table) -> list[tuple[int, str]]:
    """What is added after the name of which tag, in the order of the page."""
    if len(table.headings) < COLUMNS_MIN:
        return []
    named = [(cell.at, table.headings[cell.column]) for cell in table.cells if cell.column < len(table.headings)]
    quoted = [(at, text.replace('"', "&quot;")) for at, text in named]
    return [(table.at, ' data-stacked=""'), *((at, f' data-heading="{text}"') for at, text in quoted)]
