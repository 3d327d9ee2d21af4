"""Lists of the commands: a table for people, or JSON for programs. Times are in Asia/Shanghai, with the offset."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.terminal.output import out
from schemas.dates import SHANGHAI, format_instant

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON: amounts as text in yuan, times in RFC 3339.")]


def moment(instant: datetime) -> str:
    """A time for people: ``2027-03-01 19:43:57 +08:00``."""
    return instant.astimezone(SHANGHAI).isoformat(" ", "seconds").replace("+", " +")


def print_json(document: object) -> None:
    """One JSON document on standard output, indented, as UTF-8."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def plain(record: Mapping[str, Any], *left_out: str) -> dict[str, Any]:
    """A record for JSON, without some of its members; times become RFC 3339."""
    return {
        name: format_instant(value) if isinstance(value, datetime) else value
        for name, value in record.items()
        if name not in left_out
    }


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> None:
    """A table; the columns whose places are in ``right`` are aligned to the right. Long cells are folded, never cut."""
    table = Table()
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)
