"""Reading a policy file, with messages that name the file, the line, the field and the remedy."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from schemas.money import NumberLiteral
from schemas.policy import Policy

_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\-]+)\s*\]\]?")
_KEY = re.compile(r"\s*[\"']?([A-Za-z0-9_\-]+)[\"']?\s*=")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or (a warning) that looks unintended, in a policy file."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.message}"


class PolicyError(Exception):
    """A policy file that cannot be used; ``problems`` says everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read_policy(path: Path) -> Policy:
    """The policy in a file. Raises PolicyError, also when the file cannot be read."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise PolicyError([Problem(str(path), 0, "file", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise PolicyError([Problem(str(path), 0, "file", "is not UTF-8 text: save it as UTF-8")]) from None
    return parse_policy(text, str(path))


def parse_policy(text: str, file: str = "policy") -> Policy:
    """The policy in a TOML text; ``file`` is the name used in messages. Raises PolicyError."""
    try:
        document = tomllib.loads(text, parse_float=NumberLiteral)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise PolicyError([Problem(file, int(line[1]) if line else 0, "TOML", str(error))]) from None
    head = document.pop("policy", None)
    if not isinstance(head, dict):
        raise PolicyError([Problem(file, 1, "policy", "a policy file starts with a [policy] table")])
    try:
        return Policy.model_validate({**head, **document})
    except ValidationError as error:
        raise PolicyError([_problem(dict(each), text, file) for each in error.errors()]) from None


def warnings(policy: Policy, text: str, file: str = "policy") -> list[Problem]:
    """What is allowed but looks unintended: two tiers that share a category, a floor above the cap."""
    found = []
    for index, scheme in enumerate(policy.schemes):
        seen: dict[str, str] = {}
        names = set()
        for position, tier in enumerate(scheme.tiers):
            line = _line(text, ("scheme", index, "tier", position, "categories"))
            field = f"{scheme.id}.{tier.name}"
            for category in tier.categories:
                if category in seen:
                    found.append(
                        Problem(
                            file,
                            line,
                            field,
                            f"category {category!r} stands in tier {seen[category]!r} too, which wins",
                        )
                    )
                seen.setdefault(category, tier.name)
            if tier.name in names:
                found.append(Problem(file, line, field, "another tier has this name: reports cannot tell them apart"))
            names.add(tier.name)
        if scheme.cap_per_stay is not None and scheme.floor_per_stay > scheme.cap_per_stay:
            line = _line(text, ("scheme", index, "floor_per_stay"))
            found.append(Problem(file, line, scheme.id, "floor_per_stay is above cap_per_stay: nothing is ever paid"))
    return found


def _problem(error: dict[str, object], text: str, file: str) -> Problem:
    location = error["loc"]
    assert isinstance(location, tuple)
    field = ".".join(f"{part + 1}" if isinstance(part, int) else str(part) for part in location) or "policy"
    message = str(error["msg"])
    if error["type"] == "extra_forbidden":
        message = "is not a field of a policy file: check its spelling or delete it"
    elif error["type"] == "missing":
        message = "is missing: add it"
    return Problem(file, _line(text, location), field, message)


def _line(text: str, location: tuple[int | str, ...]) -> int:
    """The line (from 1) on which the field of a pydantic location stands, or the line of its table."""
    wanted_table = tuple(part for part in location if part in ("scheme", "tier"))
    wanted_index = [part for part in location if isinstance(part, int)][: len(wanted_table)]
    keys = [part for part in location if isinstance(part, str) and part not in ("scheme", "tier")]
    best, scheme, tier, inside = 1, -1, -1, False
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            name = header[1]
            if name == "scheme":
                scheme, tier = scheme + 1, -1
            elif name == "scheme.tier":
                tier += 1
            here = {"policy": (), "scheme": (scheme,), "scheme.tier": (scheme, tier)}.get(name)
            inside = here == tuple(wanted_index) and len(wanted_table) == len(here)
            if inside:
                best = number
        elif inside and (key := _KEY.match(line)) and key[1] in keys:
            return number
    return best
