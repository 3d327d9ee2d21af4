"""Writes an export as Excel with typed cells and totals, CSV or Parquet: row by row, in bounded memory."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import xlsxwriter

from infra.files.csv_cells import harmless
from schemas.money import format_yuan

SHANGHAI = timezone(timedelta(hours=8))
SHEET_ROWS_MAX = 1_000_000
"""Excel allows 1,048,576 rows per sheet; a longer export continues on another sheet."""


class Field(NamedTuple):
    """One column: its heading and its kind. ``yuan`` is given in fen; ``instant`` is written in Shanghai time."""

    name: str
    kind: Literal["text", "count", "yuan", "day", "instant"]


class Written(NamedTuple):
    """The number of rows, and the sum in fen of each money column, by heading."""

    rows: int
    sums: dict[str, int]


Head = Sequence[tuple[str, str]]
Writer = Callable[[Path, Sequence[Field], Iterable[Sequence[Any]], Head], Written]


def write_xlsx(path: Path, fields: Sequence[Field], rows: Iterable[Sequence[Any]], head: Head) -> Written:
    """A workbook: sheets of data, each with a row of totals, and a sheet that describes the export."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False})
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    formats = {
        "yuan": book.add_format({"num_format": "#,##0.00"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "count": book.add_format({"num_format": "#,##0"}),
    }
    total = book.add_format({"num_format": "#,##0.00", "bold": True, "top": 1})
    label = book.add_format({"bold": True, "top": 1})
    sums = dict.fromkeys((field.name for field in fields if field.kind == "yuan"), 0)
    count, at, sheet, sheet_sums = 0, 0, None, dict(sums)

    def close() -> None:
        if sheet is None:
            return
        for column, field in enumerate(fields):
            if field.kind == "yuan" and at > 1:
                letter = xlsxwriter.utility.xl_col_to_name(column)
                formula = f"=SUM({letter}2:{letter}{at})"
                sheet.write_formula(at, column, formula, total, sheet_sums[field.name] / 100)
            else:
                sheet.write_string(at, column, "合计 total" if column == 0 else "", label)

    for row in rows:
        if sheet is None or at > SHEET_ROWS_MAX:
            close()
            sheet, at, sheet_sums = _sheet(book, fields, bold), 1, dict.fromkeys(sums, 0)
        for column, (field, value) in enumerate(zip(fields, row, strict=True)):
            if value is None:
                continue
            if field.kind == "yuan":
                sheet.write_number(at, column, value / 100, formats["yuan"])
                sums[field.name] += value
                sheet_sums[field.name] += value
            elif field.kind == "count":
                sheet.write_number(at, column, value, formats["count"])
            elif field.kind == "day":
                sheet.write_datetime(at, column, datetime(value.year, value.month, value.day), formats["day"])
            elif field.kind == "instant":
                local = value.astimezone(SHANGHAI).replace(tzinfo=None)
                sheet.write_datetime(at, column, local, formats["instant"])
            else:
                sheet.write_string(at, column, str(value))
        count, at = count + 1, at + 1
    if sheet is None:
        sheet, at = _sheet(book, fields, bold), 1
    close()
    about = book.add_worksheet("说明 about")
    about.set_column(0, 0, 28)
    about.set_column(1, 1, 60)
    description = [
        *head,
        ("时区 time zone", "Asia/Shanghai (UTC+08:00)"),
        ("行数 rows", f"{count:,}"),
        *((f"{name} 合计 total", format_yuan(sums[name])) for name in sums),
    ]
    for line, (name, text) in enumerate(description):
        about.write_string(line, 0, name)
        about.write_string(line, 1, text)
    book.close()
    return Written(count, sums)


def _sheet(book: Any, fields: Sequence[Field], bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for column, field in enumerate(fields):
        sheet.set_column(column, column, {"text": 22, "count": 10, "yuan": 16, "day": 12, "instant": 20}[field.kind])
        sheet.write_string(0, column, field.name, bold)
    return sheet


def write_csv(path: Path, fields: Sequence[Field], rows: Iterable[Sequence[Any]], head: Head) -> Written:
    """UTF-8 with the byte order mark that Excel needs; an apostrophe before text that looks like a formula."""
    sums = dict.fromkeys((field.name for field in fields if field.kind == "yuan"), 0)
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields])
        for row in rows:
            add_money(sums, fields, row)
            writer.writerow([_cell(field, value) for field, value in zip(fields, row, strict=True)])
            count += 1
    return Written(count, sums)


def write_parquet(path: Path, fields: Sequence[Field], rows: Iterable[Sequence[Any]], head: Head) -> Written:
    """See `infra.files.parquet_export`. Raises ModuleNotFoundError without the extra `files`."""
    from infra.files import parquet_export

    return parquet_export.write(path, fields, rows, head)


WRITERS: dict[str, Writer] = {"xlsx": write_xlsx, "csv": write_csv, "parquet": write_parquet}
OFFERED = [name for name in WRITERS if name != "parquet" or find_spec("pyarrow") is not None]
"""The formats that this installation can write: Parquet needs the extra `files`."""

MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


def add_money(sums: dict[str, int], fields: Sequence[Field], row: Sequence[Any]) -> None:
    """Adds a row's money, in fen, to the sums by heading."""
    for field, value in zip(fields, row, strict=True):
        if field.kind == "yuan" and value is not None:
            sums[field.name] += value


def _cell(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if field.kind == "yuan":
        return format_yuan(value)
    if field.kind == "instant":
        return str(value.astimezone(SHANGHAI).isoformat(" ", "seconds"))
    if field.kind == "day":
        assert isinstance(value, date)
        return value.isoformat()
    text = str(value)
    return harmless(text) if field.kind == "text" else text
