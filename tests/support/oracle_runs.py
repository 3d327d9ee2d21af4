"""Commands of the program run on random cases, for comparisons with the oracle."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.main import huzhu
from tests.oracle.cases import Case

Found = tuple[list[dict[str, Any]], list[tuple[Any, Any]]]
"""What is printed on standard output, and (line, code) of each refusal."""


def written(case: Case, folder: Path) -> list[str]:
    """The arguments for a case, whose files are written into a folder."""
    facts = folder / "FACTS.jsonl"
    facts.write_bytes(b"".join(line + b"\n" for line in case.lines))
    arguments = [str(facts)]
    for number, text in enumerate(case.policy_texts):
        file = folder / f"policy-{number}.toml"
        file.write_text(text, encoding="utf-8")
        arguments += ["--policy", str(file)]
    return arguments


def ran(command: str, arguments: list[str]) -> Found:
    """What a command prints. It must have read all: what it refuses is data, and any other failure an error."""
    result = CliRunner().invoke(huzhu(command), [command, *arguments])
    refusals = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    assert result.exit_code == (3 if refusals else 0), (result.stderr, result.exception)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return found, [(refusal["line"], refusal["code"]) for refusal in refusals]


def by_oracle(lines: Sequence[dict[str, Any]], refusals: Sequence[dict[str, object]]) -> Found:
    """What one of the oracles gives, in the form in which it is compared."""
    return list(lines), [(refusal["line"], refusal["code"]) for refusal in refusals]


FLAGS = ("alerts", "held")


def adjudicated(case: Case, left_out: tuple[str, ...] = FLAGS) -> Found:
    """The claims of a case as `huzhu adjudicate` prints them, without their explanations and some other members."""
    with tempfile.TemporaryDirectory() as folder:
        claims, refusals = ran("adjudicate", written(case, Path(folder)))
    for claim in claims:
        for name in ("explanation", *left_out):
            claim.pop(name, None)
    return claims, refusals


def watched(case: Case, watches: str) -> Found:
    """Who is found by watches, as `huzhu watch` prints it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "watches.toml")
        file.write_text(watches, encoding="utf-8")
        return ran("watch", ["--watches", str(file), *written(case, Path(folder))])


def difference(expected: Found, actual: Found) -> str | None:
    """Where the oracle's result and the product's differ first; None where they do not."""
    if expected[1] != actual[1]:
        return f"refusals (line, code)\n  oracle  {expected[1]}\n  product {actual[1]}"
    missing = [f"  oracle  {json.dumps(line)}" for line in expected[0] if line not in actual[0]]
    surplus = [f"  product {json.dumps(line)}" for line in actual[0] if line not in expected[0]]
    if missing or surplus:
        return "\n".join(["lines", *missing[:2], *surplus[:2]])
    return None if expected == actual else "the order of the lines"


def disagreement(case: Case, oracle: Callable[[Case], Found], product: Callable[[Case], Found]) -> str | None:
    """Where the two disagree on a case, with the case itself made small by leaving out lines; None where they agree."""

    def said(candidate: Case) -> str | None:
        try:
            return difference(oracle(candidate), product(candidate))
        except AssertionError as error:
            return f"the command failed: {error}"

    if said(case) is None:
        return None
    size = max(1, len(case.lines) // 2)
    while size > 0:
        start = 0
        while start < len(case.lines):
            smaller = replace(case, lines=case.lines[:start] + case.lines[start + size :])
            if said(smaller) is None:
                start += size
            else:
                case = smaller
        size //= 2
    lines = "\n".join(line.decode("utf-8", "replace") for line in case.lines)
    return f"seed {case.seed}: {said(case)}\n{lines}\n" + "\n".join(case.policy_texts)
