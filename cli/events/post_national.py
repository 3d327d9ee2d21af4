"""`huzhu post --format national`: settlement lists in the hospitals' format, checked as a whole and then posted.

Every record is checked before the first is posted. Refused records are listed and written unchanged to
``FILE.refused.csv``; the others are posted. With ``--check`` nothing is posted.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.terminal.given_files import lines_of
from cli.terminal.output import fail
from handlers.national.convert import Converted, parse
from handlers.national.settlement_batch import convert_all
from infra.clock import utc_now
from infra.files.national_files import SPREADSHEETS, FileUnusable, rows_of
from schemas.national.mapping import NationalMappings
from schemas.national.mapping_file import MappingError, read_mappings
from schemas.national.national_refusal import NationalRefusal

Numbered = tuple[int, dict[str, object]]

JSON_FILES = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked file: the events of the accepted records, and the refused records with the reasons."""

    events: list[bytes]
    accepted: int
    refused: list[tuple[int, dict[str, object], NationalRefusal]]


def mappings_of(files: Sequence[Path] | None, configured: str | None) -> NationalMappings:
    """The given mappings or those of HUZHU_NATIONAL_MAPPINGS; ends the command if they cannot be used."""
    paths = list(files or ()) or ([Path(configured)] if configured else [])
    if not paths:
        fail(
            "--format national needs --mapping FILE (or HUZHU_NATIONAL_MAPPINGS) for this hospital's amounts; "
            "start from infra/samples/national-sample.toml"
        )
    try:
        return read_mappings(paths)
    except MappingError as error:
        fail(str(error))


def check(file: Path, mappings: NationalMappings, sheet: str | None) -> Checked:
    """Reads and checks a whole file; ends the command if the file cannot be read at all."""
    numbered, refused = _records(file, sheet)
    events: list[bytes] = []
    accepted = 0
    answers = convert_all([record for _, record in numbered], mappings, utc_now())
    for (line, record), answer in zip(numbered, answers, strict=True):
        if isinstance(answer, Converted):
            accepted += 1
            events += [json.dumps(event, ensure_ascii=False).encode("utf-8") for event in answer.events]
        else:
            refused.append((line, record, answer))
    refused.sort(key=lambda entry: entry[0])
    return Checked(events, accepted, refused)


def list_refused(file: Path, checked: Checked) -> None:
    """Lists the refused records on standard error: file, line, fields, code, and the remedy in both languages."""
    for line, _, refusal in checked.refused:
        where = f"{file}:{line}: {', '.join(refusal.fields) or '-'}"
        sys.stderr.write(f"{where}: {refusal.code}: {refusal.zh} {refusal.en}\n")


def keep_refused(file: Path, checked: Checked) -> Path:
    """Writes the refused records to a file, readable by its owner only, so that they can be corrected and posted."""
    path = Path("national.refused.csv") if str(file) == "-" else file.with_name(f"{file.name}.refused.csv")
    columns = list(dict.fromkeys(name for _, record, _ in checked.refused for name in record))
    reason_columns = ["refused_line", "refused_code", "refused_fields", "refused_zh", "refused_en"]
    columns = [name for name in columns if name not in reason_columns]
    try:
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8-sig", newline=""
        ) as out:
            writer = csv.writer(out)
            writer.writerow([*reason_columns, *columns])
            for line, record, refusal in checked.refused:
                reason = [line, str(refusal.code), " ".join(refusal.fields), refusal.zh, refusal.en]
                writer.writerow([*reason, *(_cell(record.get(name)) for name in columns)])
    except OSError as error:
        fail(f"{path}: cannot be written: {error.strerror}. Nothing was posted")
    return path


def _cell(value: object) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def _records(
    file: Path, sheet: str | None
) -> tuple[list[Numbered], list[tuple[int, dict[str, object], NationalRefusal]]]:
    kind = file.suffix.lower()
    if str(file) != "-" and kind in (".csv", *SPREADSHEETS):
        try:
            return rows_of(file, sheet), []
        except FileUnusable as error:
            fail(f"{file}: {error}")
    if str(file) != "-" and kind not in JSON_FILES:
        fail(f"{file}: unknown format; the name must end in {', '.join((*JSON_FILES, '.csv', *SPREADSHEETS))}")
    lines = list(lines_of(file))
    document = parse(b"\n".join(line for _, line in lines))
    if not isinstance(document, NationalRefusal):
        return list(enumerate(document, start=1)), []
    numbered: list[Numbered] = []
    refused: list[tuple[int, dict[str, object], NationalRefusal]] = []
    for number, line in lines:
        records = parse(line)
        if isinstance(records, NationalRefusal):
            refused.append((number, {}, records))
        else:
            numbered += [(number, record) for record in records]
    return numbered, refused
