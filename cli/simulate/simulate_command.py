"""`huzhu simulate`: what the same facts would cost under other policies. Pays nothing, writes nothing."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.offline.one_book import in_one_book
from cli.offline.plan import Worked, plan_for, temporary_folder
from cli.offline.worker_processes import JobsOption, cores, workers
from cli.simulate import cost_tables, report_json
from cli.simulate.asked import Asked, Compared, Simulated, by_household
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
from handlers.offline.what_if import Tally, in_place_of
from schemas.policy.model import Policies
from schemas.policy.succession import PoliciesConflict

EXAMPLE = (
    "Example: huzhu simulate --policy draft.toml --baseline wuxi-sample.toml --facts facts.jsonl --out draft-report"
)


def simulate(
    policy: Annotated[list[Path], typer.Option(help="A policy file to try; repeat the option for more releases.")],
    baseline: Annotated[
        list[Path] | None,
        typer.Option(
            help="A policy file to compare with; can be repeated. Default with --ledger: the published policies."
        ),
    ] = None,
    facts: Annotated[Path | None, typer.Option(help=FACTS_HELP)] = None,
    ledger: Annotated[bool, typer.Option("--ledger", help="Use the facts of the ledger, or of its replica.")] = False,
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
        from cli.simulate import html_page

        folder_for(folder)
    old = None if baseline is None else load_policies(baseline, language)
    compares = ledger or old is not None
    new = load_policies(policy, language, elsewhere=compares)
    compare = partial(_compared, new, language)
    asked = Asked(jobs or cores(), folder / "claims.csv" if folder is not None and every_claim else None)
    if facts is None:
        from cli.simulate.from_ledger import from_ledger  # the database's libraries take long to import

        worked, compared = from_ledger(compare, old, asked)
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


def _from_file(facts: Path, as_of: datetime | None, compared: Compared, asked: Asked) -> Worked[Simulated]:
    if is_packed(facts):
        return _from_packed(facts, as_of, compared, asked)
    with plan_for(facts, asked.jobs, as_of) as plan:
        if plan.short:
            worked = in_one_book(plan, asked.one_by_one(compared, plan.folder))
        else:
            from cli.offline.by_person import by_person

            with workers(plan.processes) as pool, progress() as bar:
                worked = by_person(plan, asked.work(compared, plan.folder), pool, bar, grouped=by_household(compared))
        asked.collect(worked)
    return worked


def _from_packed(facts: Path, as_of: datetime | None, compared: Compared, asked: Asked) -> Worked[Simulated]:
    from cli.offline import packed_file

    packed = packed_file.opened(facts, as_of)
    with temporary_folder() as spool, workers(min(asked.jobs, packed.groups)) as pool:
        with progress() as bar:
            worked = packed_file.by_row_group(packed, asked.work(compared, spool), pool, bar)
        asked.collect(worked)
    return worked


def _compared(new: Policies, language: OutputLanguage, old: Policies | None) -> Compared:
    try:
        return old, new if old is None else in_place_of(old, new)
    except PoliciesConflict as error:
        refuse_together(error, language)
