"""Commands of the program run on random cases, for comparisons with the oracle."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
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


FLAGS = ("alerts", "held")


def adjudicated(case: Case, left_out: tuple[str, ...] = FLAGS) -> Found:
    """The claims of a case as `huzhu adjudicate` prints them, without their explanations and some other members."""
    with tempfile.TemporaryDirectory() as folder:
        claims, refusals = ran("adjudicate", written(case, Path(folder)))
    for claim in claims:
        for name in ("explanation", *left_out):
            claim.pop(name, None)
    return claims, refusals


def difference(by_oracle: Found, by_product: Found) -> str | None:
    """Where two results differ first; None where they do not."""
    if by_oracle[1] != by_product[1]:
        return f"refusals (line, code)\n  oracle  {by_oracle[1]}\n  product {by_product[1]}"
    here = [line for line in by_oracle[0] if line not in by_product[0]]
    there = [line for line in by_product[0] if line not in by_oracle[0]]
    if here or there:
        return "\n".join(
            ["lines", *(f"  oracle  {json.dumps(line)}" for line in here[:2])]
            + [f"  product {json.dumps(line)}" for line in there[:2]]
        )
    return None if by_oracle == by_product else "the order of the lines"


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
