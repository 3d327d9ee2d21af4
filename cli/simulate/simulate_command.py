"""`huzhu simulate`: what the same facts would cost under other policies. Pays nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer
from sqlalchemy.exc import DBAPIError

from cli.offline.one_book import in_one_book
from cli.offline.plan import EVENTS_PER_BUCKET, Plan, Worked, plan_for, sorted_part, temporary_folder
from cli.offline.worker_processes import JobsOption, cores, workers
from cli.simulate import claims_csv, cost_tables, html_page, report_json
from cli.terminal.connect import read_settings
from cli.terminal.given_files import (
    FACTS_HELP,
    AsOfOption,
    folder_for,
    instant_of,
    is_packed,
    load_policies,
    refuse_together,
    tell_refused,
)
from cli.terminal.language import OutputLanguage
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.output import SOME_REFUSED, err, fail, out, progress
from handlers.claims.decidable import Decidable
from handlers.offline.what_if import Tally, in_place_of, pairs
from infra.ledger.schema import connect
from infra.ledger.snapshot import Moment, moment
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy
from schemas.policy.succession import PoliciesConflict
from stream.deadline import INFRASTRUCTURE_GONE

if TYPE_CHECKING:
    from cli.offline.by_person import Work

EXAMPLE = (
    "Example: huzhu simulate --policy draft.toml --baseline wuxi-sample.toml --facts facts.jsonl --out draft-report"
)


@dataclass(frozen=True, slots=True)
class Simulating:
    """The work on the accounts of a bucket. ``claims`` is the folder for the list of every claim, or None."""

    before: Policies
    after: Policies
    claims: Path | None

    def __call__(self, accounts: Iterator[Decidable]) -> tuple[Tally, Path | None]:
        tally, lines = Tally(), []
        for account in accounts:
            decided = list(pairs(account, self.before, self.after))
            tally.take(decided)
            if self.claims is not None:
                lines += [line for pair in decided for line in claims_csv.lines_of(pair)]
        return tally, None if self.claims is None else sorted_part(lines, self.claims)


def simulate(
    policy: Annotated[list[Path], typer.Option(help="A policy file to try; repeat the option for more releases.")],
    baseline: Annotated[
        list[Path] | None,
        typer.Option(
            help="A policy file to compare with; can be repeated. Default with --ledger: the published policies."
        ),
    ] = None,
    facts: Annotated[Path | None, typer.Option(help=FACTS_HELP)] = None,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Use the facts of the ledger at HUZHU_DATABASE_URL.")
    ] = False,
    as_of: AsOfOption = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for the report: a page (index.html) and CSV files.")
    ] = None,
    every_claim: Annotated[
        bool, typer.Option("--every-claim", help="Also write every claim, before and after, to claims.csv.")
    ] = False,
    jobs: JobsOption = None,
    language: Annotated[OutputLanguage, typer.Option(help="zh, en, or both (Chinese first).")] = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """Show what the same facts would cost under other policies: who gains, who loses, and how much.

    The new policies replace the baseline on the days they are in force; on all other days the baseline applies.
    Without a baseline only the cost of the new policies is shown. Nothing is paid or written to the ledger. Refused
    facts go to standard error and cause exit status 3, as in `huzhu adjudicate`; exit status 2 means that an option, a
    policy or the ledger is unusable.
    """
    if ledger is (facts is not None):
        fail("give either --facts FILE or --ledger")
    if ledger and as_of is not None:
        fail("--as-of needs --facts: the ledger took its facts in when they came")
    taken_in_at = instant_of(as_of)
    if every_claim and folder is None:
        fail("--every-claim needs --out: the folder for claims.csv")
    if folder is not None:
        folder_for(folder)
    old = None if baseline is None else load_policies(baseline, language)
    compares = ledger or old is not None
    new = load_policies(policy, language, elsewhere=compares)
    compare = partial(_compared, new, language)
    asked = _Asked(jobs or cores(), folder / "claims.csv" if folder is not None and every_claim else None)
    if facts is None:
        worked, compared = _from_ledger(compare, old, asked)
    else:
        compared = compare(old)
        worked = _from_file(facts, taken_in_at, compared, asked)
    tally = Tally()
    for result, _ in worked.results:
        tally.merge(result)
    report = cost_tables.SimulationReport(tally, compared[0], compared[1], worked.facts, len(worked.refused))
    tell_refused(worked.refused)
    written = []
    if folder is not None:
        written = [*cost_tables.write_csv(report, folder), html_page.write(report, language, folder)]
    if as_json:
        print_json(report_json.document(report))
    else:
        cost_tables.show(report, language, out)
    if folder is not None:
        names = [path.name for path in written] + ["claims.csv"] * every_claim
        (err if as_json else out).print(f"{folder}: {', '.join(names)}")
    if worked.refused:
        raise typer.Exit(SOME_REFUSED)


Compared = tuple[Policies | None, Policies]
"""The policies before (None if there is nothing to compare with) and after."""

Simulated = tuple[Tally, Path | None]
"""The sums of some persons, and the file that lists their claims, if it was asked for."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """How to work, and where the list of every claim goes, if there is one."""

    jobs: int
    claims: Path | None

    def one_by_one(self, compared: Compared, spool: Path) -> Simulating:
        return Simulating(compared[0] or Policies(), compared[1], spool if self.claims else None)

    def work(self, compared: Compared, spool: Path) -> Work[Simulated]:
        """The work on packed persons."""
        from cli.offline.by_person import OneByOne  # Arrow and numpy take long to import
        from cli.simulate.simulate_columns import SimulatingColumns

        if self.claims:
            return OneByOne(self.one_by_one(compared, spool))
        return SimulatingColumns(compared[0] or Policies(), compared[1])

    def collect(self, worked: Worked[Simulated]) -> None:
        """Merges what the parts list."""
        parts = [part for _, part in worked.results if part is not None]
        if self.claims is not None and parts:
            claims_csv.merge(parts, self.claims)


def _from_file(facts: Path, as_of: datetime | None, compared: Compared, asked: _Asked) -> Worked[Simulated]:
    if is_packed(facts):
        return _from_packed(facts, as_of, compared, asked)
    with plan_for(facts, asked.jobs, as_of) as plan:
        if plan.short:
            worked = in_one_book(plan, asked.one_by_one(compared, plan.folder))
        else:
            from cli.offline.by_person import by_person

            with workers(plan.processes) as pool, progress() as bar:
                worked = by_person(plan, asked.work(compared, plan.folder), pool, bar)
        asked.collect(worked)
    return worked


def _from_packed(facts: Path, as_of: datetime | None, compared: Compared, asked: _Asked) -> Worked[Simulated]:
    from cli.offline import packed_file

    packed = packed_file.opened(facts, as_of)
    with temporary_folder() as spool, workers(min(asked.jobs, packed.groups)) as pool:
        with progress() as bar:
            worked = packed_file.by_row_group(packed, asked.work(compared, spool), pool, bar)
        asked.collect(worked)
    return worked


def _from_ledger(
    compare: Callable[[Policies], Compared], old: Policies | None, asked: _Asked
) -> tuple[Worked[Simulated], Compared]:
    from cli.offline.by_person import by_person_in_ledger
    from cli.offline.scatter import LedgerSource

    settings = read_settings()
    url = settings.database_url or fail("set HUZHU_DATABASE_URL, such as postgresql://huzhu@127.0.0.1/huzhu")
    engine = connect(url, settings.ledger_lease)
    try:
        with moment(engine) as now, temporary_folder() as spool:
            compared = compare(_published(now) if old is None else old)
            events = range(now.first_event, now.end_event)
            buckets = -(-len(events) // EVENTS_PER_BUCKET) or 1
            processes = 1 if buckets == 1 else asked.jobs
            plan = Plan(None, spool, max(buckets, 2 * processes if processes > 1 else 1), processes=processes)
            source = LedgerSource(url, settings.ledger_lease, now.snapshot_id)
            work = asked.work(compared, spool)
            with workers(processes) as pool, progress() as bar:
                worked = by_person_in_ledger(plan, source, events, work, pool, bar)
            asked.collect(worked)
    except (DBAPIError, psycopg.Error) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        fail(f"the ledger cannot be read: {str(reason).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()
    return worked, compared


def _published(now: Moment) -> Policies:
    return Policies(tuple(parse_policy(text) for text in now.policy_texts))


def _compared(new: Policies, language: OutputLanguage, old: Policies | None) -> Compared:
    try:
        return old, new if old is None else in_place_of(old, new)
    except PoliciesConflict as error:
        refuse_together(error, language)
