"""`huzhu adjudicate`: decide the claims of a file, without a broker or a database (claims.md, section 8)."""

from __future__ import annotations

import heapq
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.offline.by_person import by_person, plan_for, sorted_part
from cli.offline.worker_processes import cores, workers
from cli.terminal.given_files import AsOfOption, instant_of, load_policies
from cli.terminal.output import SOME_REFUSED, progress
from handlers.claims.account import Decidable
from handlers.claims.adjudicate import adjudicate as adjudications
from handlers.claims.explain import decision_of
from schemas.decisions import to_json
from schemas.policy.model import Policies

EXAMPLE = "Example: huzhu adjudicate --policy wuxi-sample.toml facts.jsonl | jq .total_benefit"


def adjudicate(
    facts: Annotated[Path, typer.Argument(help="Facts, one JSON object per line, in any order; - for standard input.")],
    policy: Annotated[list[Path], typer.Option(help="A policy file; repeat the option for more releases.")],
    as_of: AsOfOption = None,
) -> None:
    """Decide every claim in a file of facts and print one JSON object per claim, sorted by claim_id.

    Uses all cores. Memory does not grow with the file: facts are grouped by person in temporary files. Refused facts
    go to standard error, one JSON object per line with `code` and `line`. Exit status: 0 if all facts were accepted,
    3 if some were refused, 2 if an option or a policy is invalid.
    """
    policies, moment = load_policies(policy), instant_of(as_of)
    with plan_for(facts, 4 * cores(), moment) as plan, workers(cores() if plan.buckets > 1 else 1) as pool:
        with progress() as bar:
            worked = by_person(plan, Deciding(policies, plan.folder), pool, bar)
        for number, refusal in worked.refused:
            document = {"line": number, **refusal.model_dump(mode="json")}
            sys.stderr.write(json.dumps(document, ensure_ascii=False) + "\n")
        with ExitStack() as stack:
            parts = [stack.enter_context(part.open("rb")) for part in worked.results]
            for line in heapq.merge(
                *parts
            ):  # by claim_id: it comes first, and a tab sorts before any character of an id
                sys.stdout.write(line.partition(b"\t")[2].decode("utf-8"))
    sys.stdout.flush()
    if worked.refused:
        raise typer.Exit(SOME_REFUSED)


@dataclass(frozen=True, slots=True)
class Deciding:
    """Writes the decisions on some accounts' claims to a sorted file; a line is the claim id, a tab, the decision."""

    policies: Policies
    folder: Path

    def __call__(self, accounts: Iterator[Decidable]) -> Path:
        lines = []
        for account in accounts:
            for adjudication in adjudications(account, self.policies):
                text = json.dumps(to_json(decision_of(adjudication)), ensure_ascii=False)
                lines.append(f"{adjudication.claim.claim_id}\t{text}\n".encode())
        return sorted_part(lines, self.folder)
