"""Reading mapping files of the national settlement list: messages name the file, the line, the field and the remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.bilingual import Saying
from schemas.national.mapping import CountsAs, NationalMapping, NationalMappings
from schemas.policy.policy_file import FileProblem, PolicyError, read_text
from schemas.toml_lines import line_of, lines_of

Lines = dict[tuple[str | int, ...], int]

_BYTE_ORDER_MARK = "\ufeff"
_EXAMPLES = {
    "id": 'id = "renmin-hospital-2024"',
    "status": 'status = "sample"',
    "facility_id": 'facility_id = "H32020600001"',
    "effective_from": "effective_from = 2024-01-01",
    "counts_as": "a table [mapping.counts_as]",
    "preselfpay_amt": 'preselfpay_amt = "copay"',
    "overlmt_selfpay": 'overlmt_selfpay = "out_of_catalogue"',
}


class MappingError(Exception):
    """Mapping files that cannot be used; ``problems`` says what is wrong with them."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


def read_mappings(paths: Sequence[Path]) -> NationalMappings:
    """The mappings in some files; a folder means its ``*.toml``. Raises MappingError with all problems.

    The same mapping twice is one; two that share an id, or a day of one facility, are a problem that names both.
    """
    problems: list[FileProblem] = []
    read: list[tuple[Path, Lines, NationalMapping]] = []
    for path in _files(paths):
        try:
            text = read_text(path)
            mapping = parse_mapping(text, str(path))
            read.append((path, lines_of(text.removeprefix(_BYTE_ORDER_MARK)), mapping))
        except (MappingError, PolicyError) as error:
            problems += error.problems
    problems += _conflicts(read)
    if problems:
        raise MappingError(problems)
    return NationalMappings(tuple({mapping.sha256: mapping for _, _, mapping in read}.values()))


def _told(file: str, line: int, field: str, message: str) -> FileProblem:
    return FileProblem(file, line, field, Saying(message, message))


def _files(paths: Sequence[Path]) -> list[Path]:
    files = []
    for path in paths:
        inside = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        if not inside:
            raise MappingError([_told(str(path), 1, "file", "is a folder without *.toml files: put a mapping into it")])
        files += inside
    return files


def parse_mapping(text: str, file: str = "mapping") -> NationalMapping:
    """The mapping in a TOML text; ``file`` is the name used in messages. Raises MappingError."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = int(str(error).rpartition("at line ")[2].partition(",")[0]) if "at line " in str(error) else 1
        message = str(error).partition(" (at ")[0]
        raise MappingError([_told(file, line, "TOML", f"is not TOML ({message}): correct this line")]) from None
    lines = lines_of(text)
    head = document.pop("mapping", None)
    astray = [
        _told(file, line_of(lines, (name,)), name, "is outside [mapping]: move it below, or write [mapping.NAME]")
        for name in document
    ]
    if not isinstance(head, dict):
        message = "is missing: a mapping file is one [mapping] table, with single brackets"
        astray.insert(0, _told(file, line_of(lines, ("mapping",)), "mapping", message))
    if astray:
        raise MappingError(astray)
    try:
        return NationalMapping.model_validate(head)
    except ValidationError as error:
        problems = [_problem(cause, lines, file) for cause in error.errors()]
        raise MappingError(sorted(problems, key=lambda problem: problem.line)) from None


def _problem(error: ErrorDetails, lines: Lines, file: str) -> FileProblem:
    context = error.get("ctx", {})
    location = (*error["loc"], *context.get("at", ()))
    written = tuple(part for part in location if part != "[key]")
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in written)
    return _told(file, line_of(lines, ("mapping", *written)), name, _remedy(error, str(location[-1])))


def _remedy(error: ErrorDetails, field: str) -> str:
    match error["type"]:
        case "missing":
            return f"is missing: add {_EXAMPLES[field]}"
        case "extra_forbidden":
            fields = [*NationalMapping.model_fields, *CountsAs.model_fields]
            close = get_close_matches(field, fields, n=1)
            meant = f"did you mean {close[0]}? " if close else ""
            return f"is not a field here: {meant}Correct it or delete it; docs/national-list.md lists the fields"
        case "literal_error" | "enum":
            return f"is not allowed: write one of {error.get('ctx', {}).get('expected', '')}"
        case "string_type" | "string_too_short" | "string_too_long" | "string_pattern_mismatch":
            return "is not text: write 1 to 200 printable characters in quotes"
        case "model_type" | "dict_type":
            return f"is not a table: write [mapping.{field}]"
        case "tuple_type":
            return f'is not a list: write it in square brackets, such as {field} = ["preselfpay_amt"]'
        case _:
            return error["msg"]


def _conflicts(read: Sequence[tuple[Path, Lines, NationalMapping]]) -> list[FileProblem]:
    problems = []
    unique = list({entry[2].sha256: entry for entry in read}.values())
    unique.sort(key=lambda entry: entry[2].effective_from)
    for index, (path, lines, mapping) in enumerate(unique):
        for other_path, other_lines, other in unique[index + 1 :]:
            start = max(mapping.effective_from, other.effective_from)
            shared = mapping.in_force_on(start) and other.in_force_on(start)
            if shared and mapping.facility_id == other.facility_id:
                place = f"{other_path}:{line_of(other_lines, ('mapping', 'effective_from'))}"
                message = f'"{mapping.id}" and "{other.id}" ({place}) are both in force on {start} for this facility'
                same_day = mapping.effective_from == other.effective_from
                remedy = "use only one of them" if same_day else f"end this one with effective_to = {start}"
                line = line_of(lines, ("mapping", "effective_from"))
                problems.append(_told(str(path), line, "effective_to", f"{message}: {remedy}"))
            if mapping.id == other.id:
                message = f"is also the id of another mapping ({path}): give each release its own id"
                problems.append(_told(str(other_path), line_of(other_lines, ("mapping", "id")), "id", message))
    return problems
