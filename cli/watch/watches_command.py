"""`huzhu watches check | compare | publish | show`: what does a file of watches look for, and whom does it find?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from acts.published_watches import published_watches
from cli.offline.sorted_output import worked_on
from cli.offline.worker_processes import JobsOption, cores
from cli.terminal.connect import ledger, read_settings
from cli.terminal.given_files import FACTS_HELP, AsOfOption, instant_of, load_policies, load_watches, tell_refused
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json, print_table
from cli.terminal.operators import Operator, signed_in
from cli.terminal.output import SOME_REFUSED, out
from cli.terminal.prose import Prose
from cli.watch import watches_publish
from handlers.claims.decidable import Decidable
from handlers.offline.groups import together
from handlers.watches.comparison import FoundUnits, WatchComparison
from handlers.watches.looking import found_among
from handlers.words.watch_sentences import COMPARED, NOTHING_PUBLISHED, watch_days, watch_rule
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.policy.model import Policies
from schemas.watch.watch_model import Watches

app = typer.Typer(
    no_args_is_help=True, help="Check, compare, publish and show watches: for whom a policy looks (主动发现)."
)


@app.command(epilog="Example: huzhu watches check watches-sample.toml --language zh")
def check(
    file: Annotated[Path, typer.Argument(help="A file of watches.")],
    language: LanguageOption = OutputLanguage.BOTH,
    as_json: JsonOption = False,
) -> None:
    """Check a file of watches, and say in plain words what each of them looks for.

    Exit status 2 if it is unusable; the message names file, line, field and remedy.
    """
    watches = load_watches(file, language)
    if as_json:
        print_json({**watches.fields, "sha256": watches.sha256})
        return
    _print(watches, Saying("可用;", "usable; "), language)


@app.command(epilog="Example: huzhu watches publish watches-sample.toml --operator li.na")
def publish(
    file: Annotated[Path, typer.Argument(help="A file of watches.")],
    operator: Operator,
    yes: Annotated[bool, typer.Option("--yes", help="Publish without asking; needed where nobody can answer.")] = False,
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Publish watches for good: whoever crosses a step of theirs is an alert, now and as claims are decided.

    Says first how many claims it finds so far. Decides no claim again and moves no money. Exit status 1 if the answer
    is no; 2 if the file cannot be published, or if there is nobody to ask and no --yes.
    """
    operator = signed_in(operator, Right.CLEAR, Right.ALERTS)
    watches_publish.publish(ledger(read_settings()), file, operator, yes, language)


@app.command(epilog="Example: huzhu watches show")
def show(language: LanguageOption = OutputLanguage.BOTH, as_json: JsonOption = False) -> None:
    """Show the published watches, in the order of their publication."""
    with ledger(read_settings()).connect() as connection:
        published = published_watches(connection)
    if as_json:
        print_json({"files": [{**each.fields, "sha256": each.sha256} for each in published.files]})
        return
    for each in published.files:
        _print(each, Saying("", ""), language)
    if not published.files:
        out.print(translator(language)(NOTHING_PUBLISHED))


@app.command(epilog="Example: huzhu watches compare now.toml lower.toml facts.jsonl --policy wuxi-sample.toml")
def compare(
    before: Annotated[Path, typer.Argument(help="The file of watches as it is.")],
    after: Annotated[Path, typer.Argument(help="The file of watches that might follow.")],
    facts: Annotated[Path, typer.Argument(help=FACTS_HELP)],
    policy: Annotated[list[Path], typer.Option(help="A policy file; repeat the option for more releases.")],
    as_of: AsOfOption = None,
    jobs: JobsOption = None,
    language: LanguageOption = OutputLanguage.BOTH,
    as_json: JsonOption = False,
) -> None:
    """Say whom another file of watches would find among the same facts, and whom it would no longer find.

    Watches are compared by their ids; one that is in one file only finds nobody in the other. Exit status 3 if some
    facts were refused, 2 if a file is unusable.
    """
    files = load_watches(before, language), load_watches(after, language)
    policies, moment = load_policies(policy, language), instant_of(as_of)
    comparing = ComparingWatches(*files, policies)
    with worked_on(facts, lambda _: comparing, moment, jobs or cores(), grouped=comparing.grouped) as worked:
        tell_refused(worked.refused)
    total = WatchComparison({watch.id: FoundUnits() for file in files for watch in file.watches})
    for part in worked.results:
        total.merge(part)
    if as_json:
        print_json(_compared_json(files, total))
    else:
        say = translator(language, " ")
        rows = [
            [name, *map(str, _counts(found).values()), str(found.crossings_before), str(found.crossings_after)]
            for name, found in total.watches.items()
        ]
        print_table([say(head) for head in COMPARED], rows, right=range(1, len(COMPARED)))
    if worked.refused:
        raise typer.Exit(SOME_REFUSED)


def _print(watches: Watches, how: Saying, language: OutputLanguage) -> None:
    """The name of a file, how it is found, its days, and what each of its watches looks for."""
    say, days = translator(language), watch_days(watches)
    name = f"{watches.title}({watches.id})" if watches.title else watches.id
    out.print(Prose(say(Saying(f"{name}:{how.zh}{days.zh}。", f"{name}: {how.en}{days.en}."))))
    out.print(f"SHA-256 {watches.sha256}", style="dim")
    for watch in watches.watches:
        rule = watch_rule(watch)
        out.print(Prose(say(Saying(f"{watch.id}:{rule.zh}。", f"{watch.id}: {rule.en}."))))


@dataclass(frozen=True, slots=True)
class ComparingWatches:
    """Looks among some accounts with both files."""

    before: Watches
    after: Watches
    policies: Policies

    @property
    def grouped(self) -> bool:
        """Whether it needs whole groups."""
        return self._by_household or bool(self.policies.household_schemes)

    @property
    def _by_household(self) -> bool:
        return self.before.by_household or self.after.by_household

    def __call__(self, accounts: Iterator[Decidable]) -> WatchComparison:
        compared = WatchComparison()
        for persons in together(accounts, self.policies, by_household=self._by_household):
            compared.take(*found_among(persons, self.policies, self.before, self.after))
        return compared


def _counts(found: FoundUnits) -> dict[str, int]:
    """How many units are found before and after, by both, and only by one."""
    return {
        "units_before": len(found.before),
        "units_after": len(found.after),
        "kept": found.kept,
        "gained": len(found.gained),
        "lost": len(found.lost),
    }


def _compared_json(files: tuple[Watches, Watches], total: WatchComparison) -> dict[str, Any]:
    before, after = ({"id": file.id, "sha256": file.sha256} for file in files)
    watches = [
        {
            "watch": name,
            **_counts(found),
            "crossings_before": found.crossings_before,
            "crossings_after": found.crossings_after,
            "units_gained": found.gained,
            "units_lost": found.lost,
        }
        for name, found in total.watches.items()
    ]
    return {"before": before, "after": after, "watches": watches}
