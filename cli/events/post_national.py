"""`huzhu post --format national`: settlement lists as hospitals have them, checked as a whole, then posted.

Every record is checked before the first is posted. Records that are refused are listed and written, as they stood, to
``FILE.refused.csv``; all others are posted. With ``--check`` nothing is posted.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.offline.adjudicate_command import lines_of
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
    """A file of records: the events of those that are taken, and the others with the reasons."""

    events: list[bytes]
    taken: int
    refused: list[tuple[int, dict[str, object], NationalRefusal]]


def mappings_of(files: Sequence[Path] | None, configured: str | None) -> NationalMappings:
    """The mappings of the call, else those of HUZHU_NATIONAL_MAPPINGS; ends the command when they cannot be used."""
    paths = list(files or ()) or ([Path(configured)] if configured else [])
    if not paths:
        fail(
            "--format national needs --mapping FILE (or HUZHU_NATIONAL_MAPPINGS): it says how this hospital counts; "
            "start from infra/samples/national-sample.toml"
        )
    try:
        return read_mappings(paths)
    except MappingError as error:
        fail(str(error))


def check(file: Path, mappings: NationalMappings, sheet: str | None) -> Checked:
    """Reads and checks a whole file; ends the command when it cannot be read at all."""
    numbered, refused = _records(file, sheet)
    events: list[bytes] = []
    taken = 0
    answers = convert_all([record for _, record in numbered], mappings, utc_now())
    for (line, record), answer in zip(numbered, answers, strict=True):
        if isinstance(answer, Converted):
            taken += 1
            events += [json.dumps(event, ensure_ascii=False).encode("utf-8") for event in answer.events]
        else:
            refused.append((line, record, answer))
    refused.sort(key=lambda each: each[0])
    return Checked(events, taken, refused)


def tell(file: Path, checked: Checked) -> None:
    """Lists the refused records on standard error: file, line, fields, code, and what to do, in both languages."""
    for line, _, refusal in checked.refused:
        where = f"{file}:{line}: {', '.join(refusal.fields) or '-'}"
        sys.stderr.write(f"{where}: {refusal.code}: {refusal.zh} {refusal.en}\n")


def keep_refused(file: Path, checked: Checked) -> Path:
    """Writes the refused records, for their owner only, so that they can be corrected and posted."""
    path = Path("national.refused.csv") if str(file) == "-" else file.with_name(f"{file.name}.refused.csv")
    columns = list(dict.fromkeys(name for _, record, _ in checked.refused for name in record))
    own = ["refused_line", "refused_code", "refused_fields", "refused_zh", "refused_en"]
    columns = [name for name in columns if name not in own]
    try:
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8-sig", newline=""
        ) as out:
            writer = csv.writer(out)
            writer.writerow([*own, *columns])
            for line, record, refusal in checked.refused:
                said = [line, str(refusal.code), " ".join(refusal.fields), refusal.zh, refusal.en]
                writer.writerow([*said, *(_cell(record.get(name)) for name in columns)])
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
        fail(f"{file}: what is in it? Name it {', '.join((*JSON_FILES, '.csv', *SPREADSHEETS))}")
    lines = list(lines_of(file))
    whole = parse(b"\n".join(line for _, line in lines))
    if not isinstance(whole, NationalRefusal):
        return list(enumerate(whole, start=1)), []
    numbered: list[Numbered] = []
    refused: list[tuple[int, dict[str, object], NationalRefusal]] = []
    for number, line in lines:
        found = parse(line)
        if isinstance(found, NationalRefusal):
            refused.append((number, {}, found))
        else:
            numbered += [(number, record) for record in found]
    return numbered, refused
