"""`huzhu adjudicate`: decide the claims of a file, without a broker or a database (claims.md, section 8)."""

from __future__ import annotations

import heapq
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.offline.one_book import in_one_book
from cli.offline.plan import Worked, plan_for, sorted_part, temporary_folder
from cli.offline.worker_processes import JobsOption, cores, workers
from cli.terminal.given_files import FACTS_HELP, AsOfOption, instant_of, is_packed, load_policies, tell_refused
from cli.terminal.output import SOME_REFUSED, progress
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
    with _decided(facts, policies, moment, jobs or cores()) as worked:
        tell_refused(worked.refused)
        with ExitStack() as stack:
            parts = [stack.enter_context(part.open("rb")) for part in worked.results]
            for line in heapq.merge(
                *parts
            ):  # by claim_id: it comes first, and a tab sorts before any character of an id
                sys.stdout.write(line.partition(b"\t")[2].decode("utf-8"))
    sys.stdout.flush()
    if worked.refused:
        raise typer.Exit(SOME_REFUSED)


@contextmanager
def _decided(facts: Path, policies: Policies, as_of: datetime | None, jobs: int) -> Iterator[Worked[Path]]:
    """The decisions in temporary files."""
    if is_packed(facts):
        from cli.offline import packed_file  # Arrow and numpy take long to import
        from cli.offline.by_person import OneByOne

        packed = packed_file.opened(facts, as_of)
        with temporary_folder() as folder, workers(min(jobs, packed.groups)) as pool:
            with progress() as bar:
                worked = packed_file.by_row_group(packed, OneByOne(Deciding(policies, folder)), pool, bar)
            yield worked
        return
    with plan_for(facts, jobs, as_of) as plan:
        work = Deciding(policies, plan.folder)
        if plan.short:
            yield in_one_book(plan, work)
            return
        from cli.offline.by_person import OneByOne, by_person

        with workers(plan.processes) as pool:
            with progress() as bar:
                worked = by_person(plan, OneByOne(work), pool, bar, grouped=bool(policies.household_schemes))
            yield worked


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
