"""`huzhu watch`: find whose own payments cross a step of a watch, in a file of facts (time.md, section 4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.offline.plan import sorted_part
from cli.offline.sorted_output import print_merged, worked_on
from cli.offline.worker_processes import JobsOption, cores
from cli.terminal.given_files import FACTS_HELP, AsOfOption, instant_of, load_policies, load_watches, tell_refused
from cli.terminal.output import SOME_REFUSED
from handlers.claims.decidable import Decidable
from handlers.offline.groups import together
from handlers.watches.crossings import Crossing
from handlers.watches.explained import crossing_json, explanation
from handlers.watches.looking import found_among
from schemas.policy.model import Policies
from schemas.watch.watch_model import Watches

EXAMPLE = "Example: huzhu watch --watches watches-sample.toml --policy wuxi-sample.toml facts.jsonl | jq .claim_id"


def watch(
    facts: Annotated[Path, typer.Argument(help=FACTS_HELP)],
    watches: Annotated[Path, typer.Option(help="A file of watches.")],
    policy: Annotated[list[Path], typer.Option(help="A policy file; repeat the option for more releases.")],
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the claims that make up each sum, and a sentence.")
    ] = False,
    as_of: AsOfOption = None,
    jobs: JobsOption = None,
) -> None:
    """Find every claim that brings what a person or household bears over a step of a watch.

    Prints one JSON object per crossing, sorted by watch, claim_id and step. Uses all cores; memory does not grow with
    the file. Refused facts go to standard error, one JSON object per line with `code` and `line`. Exit status: 0 if all
    facts were accepted, 3 if some were refused, 2 if an option, the watches or a policy are unusable.
    """
    looked_for, policies, moment = load_watches(watches), load_policies(policy), instant_of(as_of)
    grouped = looked_for.by_household or bool(policies.household_schemes)
    looking = partial(LookingFor, looked_for, policies, explain)
    with worked_on(facts, looking, moment, jobs or cores(), grouped=grouped) as worked:
        tell_refused(worked.refused)
        print_merged(worked.results)
    if worked.refused:
        raise typer.Exit(SOME_REFUSED)


@dataclass(frozen=True, slots=True)
class LookingFor:
    """Writes what watches find among some accounts to a sorted file."""

    watches: Watches
    policies: Policies
    explain: bool
    folder: Path

    def __call__(self, accounts: Iterator[Decidable]) -> Path:
        groups = together(accounts, self.policies, by_household=self.watches.by_household)
        lines = [
            _line(crossing, self.explain)
            for persons in groups
            for found in found_among(persons, self.policies, self.watches)
            for crossing in found
        ]
        return sorted_part(lines, self.folder)


def _line(crossing: Crossing, explain: bool) -> bytes:
    """The watch, the claim and the step in digits that sort as it does; then what is printed."""
    told = crossing_json(crossing) | (explanation(crossing) if explain else {})
    text = json.dumps(told, ensure_ascii=False)
    return f"{crossing.watch.id}\t{crossing.claim.claim_id}\t{crossing.step:020}\t{text}\n".encode()
