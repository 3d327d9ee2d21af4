"""`huzhu policy check | diff | publish | show`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from acts.published_policies import published_policies
from cli.policy import policy_diff, policy_json, policy_publish, policy_table
from cli.terminal.connect import ledger, read_settings
from cli.terminal.given_files import load_policies, warning_text
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json
from cli.terminal.operators import Operator, signed_in
from cli.terminal.output import out
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.policy.doubts import warnings
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy, read_text

app = typer.Typer(no_args_is_help=True, help="Check, compare, publish and show the dated policies.")

DIFFERENT = 1
"""Exit status of `huzhu policy diff` when the policies differ, as with diff(1)."""


@app.command(epilog="Example: huzhu policy check wuxi-sample.toml --language zh")
def check(
    files: Annotated[list[Path], typer.Argument(help="Policy files that will be in force together.")],
    language: LanguageOption = OutputLanguage.BOTH,
    as_json: JsonOption = False,
) -> None:
    """Check policy files and explain them in words and worked examples.

    Exit status 2 if one is unusable; the message names file, line, field and remedy. Warnings do not change it.
    """
    policies = load_policies(files, language)
    say = translator(language)
    for file in files:
        text = read_text(file)
        for warning in warnings(parse_policy(text, str(file)), text, str(file)):
            sys.stderr.write(warning_text(warning, say))
    _show(policies, language, as_json)


def _show(policies: Policies, language: OutputLanguage, as_json: bool) -> None:
    each = [(policy, policies.term(policy)) for policy in policies.releases]
    if as_json:
        print_json({"policies": [policy_json.of_policy(policy, term) for policy, term in each]})
        return
    for policy, term in each:
        policy_table.show(policy, term, language, out)


@app.command(epilog="Example: huzhu policy diff wuxi-2023.toml wuxi-2024.toml")
def diff(
    before: Annotated[Path, typer.Argument(help="The old policy file.")],
    after: Annotated[Path, typer.Argument(help="The new policy file.")],
    language: LanguageOption = OutputLanguage.BOTH,
    as_json: JsonOption = False,
) -> None:
    """Show what changed between two policies, and the effect on a few example amounts.

    Exit status 0 if they are the same, 1 if they differ, 2 if one is unusable.
    """
    old, new = (load_policies([file], language, elsewhere=True).releases[0] for file in (before, after))
    if as_json:
        print_json(policy_json.of_difference(old, new))
    else:
        policy_diff.show(old, new, language, out)
    if old.sha256 != new.sha256:
        raise typer.Exit(DIFFERENT)


@app.command(epilog="Example: huzhu policy publish wuxi-sample.toml --operator li.na")
def publish(
    file: Annotated[Path, typer.Argument(help="The policy file.")],
    operator: Operator,
    yes: Annotated[bool, typer.Option("--yes", help="Publish without asking; needed where nobody can answer.")] = False,
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Publish a policy for good, and decide every claim that it reaches.

    First shows which claims are decided and what money moves, warns of what looks unintended, and asks. Exit status 1
    if the answer is no; 2 if the policy cannot be published, or if there is nobody to ask and no --yes.
    """
    operator = signed_in(operator, Right.CLEAR)
    policy_publish.publish(ledger(read_settings()), file, operator, yes, language)


@app.command(epilog="Example: huzhu policy show")
def show(language: LanguageOption = OutputLanguage.BOTH, as_json: JsonOption = False) -> None:
    """Show the published policies, in words and worked examples."""
    with ledger(read_settings()).connect() as connection:
        policies = published_policies(connection)
    _show(policies, language, as_json)
    if not (policies.releases or as_json):
        out.print(translator(language)(Saying("还没有公布方案。", "No policies are published.")))
