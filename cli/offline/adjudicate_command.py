"""`huzhu adjudicate`: decide the claims of a file, without a broker or a database (claims.md, section 8)."""

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
from cli.terminal.given_files import FACTS_HELP, AsOfOption, instant_of, load_policies, tell_refused
from cli.terminal.output import SOME_REFUSED
from handlers.claims.adjudicate import adjudicate_together
from handlers.claims.decidable import Decidable
from handlers.claims.explain import decision_of
from handlers.offline.groups import together
from schemas.decisions import to_json
from schemas.policy.model import Policies

EXAMPLE = "Example: huzhu adjudicate --policy wuxi-sample.toml facts.jsonl | jq .total_benefit"


def adjudicate(
    facts: Annotated[Path, typer.Argument(help=FACTS_HELP)],
    policy: Annotated[list[Path], typer.Option(help="A policy file; repeat the option for more releases.")],
    as_of: AsOfOption = None,
    jobs: JobsOption = None,
) -> None:
    """Decide every claim in a file of facts and print one JSON object per claim, sorted by claim_id.

    Uses all cores. Memory does not grow with the file: facts are grouped by person in temporary files, and under
    policies that count by household the persons whom memberships link are brought together there. Refused facts
    go to standard error, one JSON object per line with `code` and `line`. Exit status: 0 if all facts were accepted,
    3 if some were refused, 2 if an option or a policy is invalid.
    """
    policies, moment = load_policies(policy), instant_of(as_of)
    grouped = bool(policies.household_schemes)
    work = partial(Deciding, policies)
    with worked_on(facts, work, moment, jobs or cores(), grouped=grouped, invoices=True) as worked:
        tell_refused(worked.refused)
        print_merged(worked.results)
    if worked.refused:
        raise typer.Exit(SOME_REFUSED)


@dataclass(frozen=True, slots=True)
class Deciding:
    """Writes the decisions on some accounts' claims to a sorted file; a line is the claim id, a tab, the decision."""

    policies: Policies
    folder: Path

    def __call__(self, accounts: Iterator[Decidable]) -> Path:
        lines = []
        for persons in together(accounts, self.policies, invoices=True):
            for adjudication in adjudicate_together(persons, self.policies):
                text = json.dumps(to_json(decision_of(adjudication)), ensure_ascii=False)
                lines.append(f"{adjudication.claim.claim_id}\t{text}\n".encode())
        return sorted_part(lines, self.folder)
