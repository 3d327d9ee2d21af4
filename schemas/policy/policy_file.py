"""Reading policy files, with messages that name the file, the line, the field and the remedy."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.money import NumberLiteral
from schemas.policy import remedies as messages
from schemas.policy.model import Policies, Policy
from schemas.toml_lines import line_of, lines_of

_KEY = re.compile(r"\s*[\"']?([A-Za-z0-9_\-]+)[\"']?\s*=")
_BYTE_ORDER_MARK = "\ufeff"
"""Some editors on Windows put it before the text; it means nothing."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One error in a policy file, or (a warning) something that looks unintended. Lists count from 1."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.message}"


class PolicyError(Exception):
    """A policy file that cannot be used; ``problems`` says what is wrong with it."""

    def __init__(self, problems: list[FileProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read_policies(paths: Sequence[Path]) -> Policies:
    """Policies that are to be in force together. Raises PolicyError with the problems of all files.

    The same policy twice is one; two that share a day or an id are a problem that names both files.
    """
    problems: list[FileProblem] = []
    read: list[tuple[Path, str, Policy]] = []
    for path in paths:
        try:
            text = read_text(path)
            read.append((path, text, parse_policy(text, str(path))))
        except PolicyError as error:
            problems += error.problems
    problems += _conflicts(read)
    if problems:
        raise PolicyError(problems)
    return Policies(tuple(policy for _, _, policy in read))


def read_text(path: Path) -> str:
    """The text of a policy file. Raises PolicyError when it cannot be read."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        message = f"cannot be read ({error.strerror}): check the name and the permissions"
        raise PolicyError([FileProblem(str(path), 1, "file", message)]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PolicyError([FileProblem(str(path), line, "file", "is not UTF-8 text: save it as UTF-8")]) from None


def parse_policy(text: str, file: str = "policy") -> Policy:
    """The policy in a TOML text; ``file`` is the name used in messages. Raises PolicyError."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    document = _parse(text, file)
    lines = lines_of(text)
    head = document.pop("policy", None)
    if not isinstance(head, dict):
        message = "is missing: a policy file starts with one [policy] table, with single brackets"
        raise PolicyError([FileProblem(file, line_of(lines, ("policy",)), "policy", message)])
    astray = [
        FileProblem(file, line_of(lines, (name,)), name, "is outside the tables: move it below [policy], or delete it")
        for name in document
        if name != "scheme"
    ]
    astray += [
        FileProblem(file, line_of(lines, ("policy", "scheme")), "scheme", "is inside [policy]: write it as [[scheme]]")
        for name in head
        if name == "scheme"
    ]
    if astray:
        raise PolicyError(astray)
    try:
        return Policy.model_validate({**head, **document})
    except ValidationError as error:
        problems = [_problem(cause, lines, file) for cause in _causes(error.errors())]
        raise PolicyError(sorted(problems, key=lambda problem: problem.line)) from None


def warnings(policy: Policy, text: str, file: str = "policy") -> list[FileProblem]:
    """What is allowed but looks unintended: tiers that share a category or a name, a floor above a cap."""
    lines = lines_of(text.removeprefix(_BYTE_ORDER_MARK))
    found = []

    def warn(path: tuple[str | int, ...], message: str) -> None:
        found.append(FileProblem(file, line_of(lines, path), _name(path), message))

    for index, scheme in enumerate(policy.schemes):
        first_place: dict[str, tuple[int, int]] = {}
        names: dict[str, int] = {}
        for position, tier in enumerate(scheme.tiers):
            location = ("scheme", index, "tier", position)
            for place, category in enumerate(tier.categories):
                earlier, at = first_place.setdefault(category, (position, place))
                if earlier != position:
                    line = line_of(lines, ("scheme", index, "tier", earlier, "categories", at))
                    warn(
                        (*location, "categories", place),
                        f'category "{category}" is also in tier "{scheme.tiers[earlier].name}" on line {line}, and '
                        "the first tier applies: delete it in one of the two",
                    )
            if names.setdefault(tier.name, position) != position:
                warn(
                    (*location, "name"), f'another tier is also called "{tier.name}": rename one, reports show the name'
                )
        for cap in (scheme.cap_per_stay, scheme.cap_per_year):
            if cap is not None and scheme.floor_per_stay > cap:
                warn(("scheme", index, "floor_per_stay"), "is above the cap, so nothing is ever paid: lower it")
                break
    return found


def _parse(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=NumberLiteral)
    except tomllib.TOMLDecodeError as error:
        rows = text.split("\n")
        place = re.search(r"line (\d+), column", str(error))
        line = int(place[1]) if place else max(1, len(text.rstrip().split("\n")))
        key = _KEY.match(rows[line - 1])
        field = key[1] if key else messages.HEADING if rows[line - 1].lstrip().startswith("[") else "TOML"
        message = re.sub(r" \(at .*\)$", "", str(error))
        raise PolicyError([FileProblem(file, line, field, messages.of_syntax(message, field))]) from None
    except (ValueError, RecursionError):
        message = "has a number that is too long, or lists nested too deeply: correct it"
        raise PolicyError([FileProblem(file, 1, "TOML", message)]) from None


def _causes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """The errors, without those that only follow from another one."""
    meant = {
        (*error["loc"][:-1], messages.suggestion(str(error["loc"][-1]), _words(error["loc"][:-1])))
        for error in errors
        if error["type"] == "extra_forbidden"
    }

    def follows(error: ErrorDetails) -> bool:
        location = error["loc"]
        if error["type"] == "missing":
            return location in meant  # the field is there, with a spelling mistake
        if error["type"] == "too_short":  # pydantic counts only the elements that are right
            return any(other["loc"][: len(location)] == location and other is not error for other in errors)
        return False

    return [error for error in errors if not follows(error)]


def _problem(error: ErrorDetails, lines: dict[tuple[str | int, ...], int], file: str) -> FileProblem:
    context = error.get("ctx", {})
    location = (*error["loc"], *context.get("at", ()))
    message = messages.of_field(error["type"], error["msg"], location, error.get("input"), context)
    written = location if location[:1] == ("scheme",) else ("policy", *location)
    return FileProblem(file, line_of(lines, written), _name(location), message)


def _conflicts(read: list[tuple[Path, str, Policy]]) -> list[FileProblem]:
    """Policies that share a day or an id; the message is about the file to change."""
    problems = []
    unique = {policy.sha256: (path, text, policy) for path, text, policy in reversed(read)}
    ordered = sorted(unique.values(), key=lambda entry: entry[2].effective_from)
    for index, (path, text, policy) in enumerate(ordered):
        lines = lines_of(text.removeprefix(_BYTE_ORDER_MARK))
        for other_path, other_text, other in ordered[index + 1 :]:
            there = lines_of(other_text.removeprefix(_BYTE_ORDER_MARK))
            if policy.overlaps(other):
                field = "effective_from" if policy.effective_to is None else "effective_to"
                place = f"{other_path}:{line_of(there, ('policy', 'effective_from'))}"
                message = f'"{policy.id}" and "{other.id}" ({place}) are both in force on {other.effective_from}'
                line = line_of(lines, ("policy", field))
                problems.append(FileProblem(str(path), line, "effective_to", f"{message}: {policy.way_out(other)}"))
            if policy.id == other.id:
                place = f"{path}:{line_of(lines, ('policy', 'id'))}"
                message = f'"{other.id}" is also the id of another policy ({place}): give each release its own id'
                problems.append(FileProblem(str(other_path), line_of(there, ("policy", "id")), "id", message))
    return problems


def _words(location: tuple[int | str, ...]) -> tuple[str, ...]:
    return tuple(part for part in location if isinstance(part, str))


def _name(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in location) or "policy"
