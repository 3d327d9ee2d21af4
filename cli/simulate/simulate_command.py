"""`huzhu simulate`: what the same facts would cost under other policies. Pays nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from sqlalchemy.exc import DBAPIError

from cli.offline.by_person import (
    EVENTS_PER_BUCKET,
    Work,
    Worked,
    by_person,
    by_person_in_ledger,
    plan_for,
    sorted_part,
    temporary_folder,
)
from cli.offline.scatter import LedgerSource, Plan
from cli.offline.worker_processes import cores, workers
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
from handlers.claims.account import Decidable
from handlers.offline.what_if import Tally, in_place_of, pairs
from infra.ledger.schema import connect
from infra.ledger.snapshot import Moment, moment
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy
from schemas.policy.succession import PoliciesConflict
from stream.deadline import INFRASTRUCTURE_GONE

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
    worked, compared = (
        _from_ledger(compare, old, every_claim, folder)
        if facts is None
        else _from_file(facts, taken_in_at, compare(old), every_claim, folder)
    )
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


def _from_file(
    facts: Path, as_of: datetime | None, compared: Compared, every_claim: bool, folder: Path | None
) -> Outcome:
    if is_packed(facts):
        return _from_packed(facts, as_of, compared, every_claim, folder), compared
    with plan_for(facts, 4 * cores(), as_of) as plan:
        work = _work(plan, compared, every_claim)
        with workers(cores() if plan.buckets > 1 else 1) as pool, progress() as bar:
            worked = by_person(plan, work, pool, bar)
        _collect(worked, folder)
    return worked, compared


def _from_packed(
    facts: Path, as_of: datetime | None, compared: Compared, every_claim: bool, folder: Path | None
) -> Worked[Simulated]:
    from cli.offline import packed_file  # Arrow and numpy take long to import
    from cli.simulate.simulate_columns import SimulatingColumns

    packed = packed_file.opened(facts, as_of)
    before, after = compared[0] or Policies(), compared[1]
    with temporary_folder() as spool, workers(cores() if packed.groups > 1 else 1) as pool:
        one_by_one = packed_file.OnAccounts(Simulating(before, after, spool))
        with progress() as bar:
            work = one_by_one if every_claim else SimulatingColumns(before, after)
            worked = packed_file.by_row_group(packed, work, pool, bar)
        _collect(worked, folder)
    return worked


def _from_ledger(
    compare: Callable[[Policies], Compared], old: Policies | None, every_claim: bool, folder: Path | None
) -> Outcome:
    settings = read_settings()
    url = settings.database_url or fail("set HUZHU_DATABASE_URL, such as postgresql://huzhu@127.0.0.1/huzhu")
    engine = connect(url, settings.ledger_lease)
    try:
        with moment(engine) as now, temporary_folder() as spool:
            compared = compare(_published(now) if old is None else old)
            events = range(now.first_event, now.end_event)
            buckets = -(-len(events) // EVENTS_PER_BUCKET) or 1
            plan = Plan(None, spool, buckets if buckets == 1 else max(buckets, 4 * cores()))
            source = LedgerSource(url, settings.ledger_lease, now.snapshot_id)
            work = _work(plan, compared, every_claim)
            with workers(cores() if buckets > 1 else 1) as pool, progress() as bar:
                worked = by_person_in_ledger(plan, source, events, work, pool, bar)
            _collect(worked, folder)
    except (DBAPIError, psycopg.Error) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        fail(f"the ledger cannot be read: {str(reason).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()
    return worked, compared


Simulated = tuple[Tally, Path | None]
"""The sums of some persons, and the file that lists their claims, if it was asked for."""

Outcome = tuple[Worked[Simulated], Compared]


def _published(now: Moment) -> Policies:
    return Policies(tuple(parse_policy(text) for text in now.policy_texts))


def _compared(new: Policies, language: OutputLanguage, old: Policies | None) -> Compared:
    try:
        return old, new if old is None else in_place_of(old, new)
    except PoliciesConflict as error:
        refuse_together(error, language)


def _work(plan: Plan, compared: Compared, every_claim: bool) -> Work[Simulated]:
    before, after = compared[0] or Policies(), compared[1]
    if every_claim or plan.buckets == 1:
        return Simulating(before, after, plan.folder if every_claim else None)
    from cli.simulate.simulate_columns import SimulatingMany  # Arrow and numpy pay for many facts only

    return SimulatingMany(before, after)


def _collect(worked: Worked[Simulated], folder: Path | None) -> None:
    parts = [part for _, part in worked.results if part is not None]
    if parts and folder is not None:
        claims_csv.merge(parts, folder / "claims.csv")
