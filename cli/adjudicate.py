"""`huzhu adjudicate`: the whole arithmetic on files, without a broker or a database (claims.md, section 8)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli.console import SOME_REFUSED, fail, progress
from handlers.offline import Book
from schemas.decisions import to_json
from schemas.policy import Policies
from schemas.policy_file import PolicyError, read_policies
from schemas.refusals import Refusal

EXAMPLE = "Example: huzhu adjudicate --policy wuxi-sample.toml facts.jsonl | jq .total_benefit"


def load_policies(files: list[Path]) -> Policies:
    """The policies in some files; ends the command with the reason when they cannot be used."""
    try:
        return read_policies(files)
    except PolicyError as error:
        fail(str(error))


def adjudicate(
    facts: Annotated[Path, typer.Argument(help="Facts, one JSON object a line, in any order; - is standard input.")],
    policy: Annotated[list[Path], typer.Option(help="A policy file; give the option again for more releases.")],
) -> None:
    """Decide every claim in a file of facts and print one JSON object a claim, sorted by claim_id.

    Refused facts go to standard error, one JSON object a line with `code` and `line`. Exit status: 0 when all facts
    were accepted, 3 when some were refused, 2 when the call or a policy is unusable.
    """
    policies = load_policies(policy)
    book = Book()
    refused = 0
    with progress() as bar:
        task = bar.add_task("reading facts", total=None)
        for number, line in lines_of(facts):
            outcome = book.take(line)
            if isinstance(outcome, Refusal):
                refused += 1
                said = {"line": number, **outcome.model_dump(mode="json")}
                sys.stderr.write(json.dumps(said, ensure_ascii=False) + "\n")
            if number % 1000 == 0:
                bar.update(task, completed=number)
    for decision in book.decide(policies):
        sys.stdout.write(json.dumps(to_json(decision), ensure_ascii=False) + "\n")
    sys.stdout.flush()
    if refused:
        raise typer.Exit(SOME_REFUSED)


def lines_of(facts: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that hold something, with their numbers from 1."""
    try:
        stream = sys.stdin.buffer if str(facts) == "-" else facts.open("rb")
    except OSError as error:
        fail(f"{facts}: cannot be read: {error.strerror}")
    with stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield number, line.rstrip(b"\r\n")
