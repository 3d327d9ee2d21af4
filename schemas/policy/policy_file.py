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

from schemas.bilingual import Saying
from schemas.number_literals import NumberLiteral
from schemas.policy import remedies as messages
from schemas.policy.model import Policies, Policy
from schemas.policy.shared_years import year_conflicts
from schemas.policy.succession import conflicts
from schemas.toml_lines import line_of, lines_of

_KEY = re.compile(r"\s*[\"']?([A-Za-z0-9_\-]+)[\"']?\s*=")
TABLES = ("scheme", "product", "checks")
"""What a policy file may have beside its table [policy]."""

BYTE_ORDER_MARK = "\ufeff"
"""Some editors on Windows put it before the text; it means nothing."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One error in a policy file, or (a warning) something that looks unintended. Lists count from 1."""

    file: str
    line: int
    field: str
    message: Saying

    def __str__(self) -> str:
        return self.said.en

    @property
    def said(self) -> Saying:
        """The whole line, with the place, in both languages."""
        place = f"{self.file}:{self.line}: {self.field}: "
        return Saying(place + self.message.zh, place + self.message.en)


class PolicyError(Exception):
    """A policy file that cannot be used; ``problems`` says what is wrong with it."""

    def __init__(self, problems: list[FileProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read_policies(paths: Sequence[Path], *, elsewhere: bool = False) -> Policies:
    """Policies that are to be in force together. Raises PolicyError with the problems of all files.

    The same policy twice is one; two that share a day or an id are a problem that names both files. With
    ``elsewhere``, they may succeed policies that are not among them.
    """
    problems: list[FileProblem] = []
    read: list[tuple[Path, str, Policy]] = []
    for path in paths:
        try:
            text = read_text(path)
            read.append((path, text, parse_policy(text, str(path))))
        except PolicyError as error:
            problems += error.problems
    problems += _conflicts(read, elsewhere=elsewhere or bool(problems))
    if problems:
        raise PolicyError(problems)
    return Policies(tuple(policy for _, _, policy in read), elsewhere=elsewhere)


def read_text(path: Path) -> str:
    """The text of a policy file. Raises PolicyError when it cannot be read."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        reason = error.strerror
        message = Saying(
            f"无法读取({reason}):请检查文件名和权限", f"cannot be read ({reason}): check the name and the permissions"
        )
        raise PolicyError([FileProblem(str(path), 1, "file", message)]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = Saying("不是 UTF-8 文本:请另存为 UTF-8", "is not UTF-8 text: save it as UTF-8")
        raise PolicyError([FileProblem(str(path), line, "file", message)]) from None


def parse_policy(text: str, file: str = "policy") -> Policy:
    """The policy in a TOML text; ``file`` is the name used in messages. Raises PolicyError."""
    text = text.removeprefix(BYTE_ORDER_MARK)
    document = parse_toml(text, file)
    lines = lines_of(text)
    head = document.pop("policy", None)
    if not isinstance(head, dict):
        message = Saying(
            "没有:方案文件以一个 [policy] 表开头,用单方括号",
            "is missing: a policy file starts with one [policy] table, with single brackets",
        )
        raise PolicyError([FileProblem(file, line_of(lines, ("policy",)), "policy", message)])
    astray = [
        FileProblem(file, line_of(lines, (name,)), name, messages.of_astray(name, value))
        for name, value in document.items()
        if name not in TABLES
    ]
    astray += [
        FileProblem(file, line_of(lines, ("policy", name)), name, messages.of_inside(name))
        for name in TABLES
        if name in head
    ]
    if isinstance(document.get("product"), dict):
        document["product"] = [document["product"]]
    if astray:
        raise PolicyError(astray)
    try:
        return Policy.model_validate({**head, **document})
    except ValidationError as error:
        problems = [_problem(cause, lines, file) for cause in _causes(error.errors())]
        raise PolicyError(sorted(problems, key=lambda problem: problem.line)) from None


def parse_toml(text: str, file: str, tables: messages.TableWords = messages.OF_POLICIES) -> dict[str, Any]:
    """The tables of a TOML text, with every decimal number as it is written. Raises PolicyError with what it is not."""
    try:
        return tomllib.loads(text, parse_float=NumberLiteral)
    except tomllib.TOMLDecodeError as error:
        rows = text.split("\n")
        place = re.search(r"line (\d+), column", str(error))
        line = int(place[1]) if place else max(1, len(text.rstrip().split("\n")))
        key = _KEY.match(rows[line - 1])
        field = key[1] if key else messages.HEADING if rows[line - 1].lstrip().startswith("[") else "TOML"
        reason = re.sub(r" \(at .*\)$", "", str(error))
        raise PolicyError([FileProblem(file, line, field, messages.of_syntax(reason, field, tables))]) from None
    except (ValueError, RecursionError):
        message = Saying(
            "有过长的数字,或嵌套过深的列表:请改正",
            "has a number that is too long, or lists nested too deeply: correct it",
        )
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
    written = location if location[:1] and location[0] in TABLES else ("policy", *location)
    return FileProblem(file, line_of(lines, written), field_name(location), message)


def _conflicts(read: list[tuple[Path, str, Policy]], *, elsewhere: bool) -> list[FileProblem]:
    """Policies that cannot be in force together; the message is about the file to change."""
    unique = {policy.sha256: (path, text, policy) for path, text, policy in reversed(read)}
    ordered = sorted(unique.values(), key=lambda entry: entry[2].effective_from)

    def line(number: int, field: str) -> int:
        lines = lines_of(ordered[number][1].removeprefix(BYTE_ORDER_MARK))
        return line_of(lines, ("policy", field if ("policy", field) in lines else "effective_from"))

    def place(number: int, field: str) -> str:
        return f" ({ordered[number][0]}:{line(number, field)})"

    policies = [policy for _, _, policy in ordered]
    return [
        FileProblem(str(ordered[found.at][0]), line(found.at, found.field), found.field, found.message)
        for found in (
            *conflicts(policies, place=place, elsewhere=elsewhere),
            *year_conflicts(policies, place=place),
        )
    ]


def _words(location: tuple[int | str, ...]) -> tuple[str, ...]:
    return tuple(part for part in location if isinstance(part, str))


def field_name(location: tuple[int | str, ...]) -> str:
    """The way to a field as messages write it, with positions from 1."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in location) or "policy"
