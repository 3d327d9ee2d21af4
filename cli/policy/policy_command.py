"""`huzhu policy check | diff | publish | show`."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from acts.publish_policy import publish_policy
from acts.published_policies import published_policies
from cli.policy import policy_diff, policy_table
from cli.terminal.connect import ledger, read_settings
from cli.terminal.given_files import load_policies
from cli.terminal.language import OutputLanguage
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.ledger.schema import LedgerMismatch, bound_shards
from schemas.policy.policy_file import PolicyError, parse_policy, read_text, warnings

app = typer.Typer(no_args_is_help=True, help="Check, compare, publish and show the dated policies.")

LanguageOption = Annotated[OutputLanguage, typer.Option(help="zh, en, or both (Chinese first).")]

DIFFERENT = 1
"""Exit status of `huzhu policy diff` when the policies differ, as with diff(1)."""


@app.command(epilog="Example: huzhu policy check wuxi-sample.toml --language zh")
def check(
    files: Annotated[list[Path], typer.Argument(help="Policy files that will be in force together.")],
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Check policy files and explain them in words and worked examples.

    Exit status 2 if one is unusable; the message names file, line, field and remedy. Warnings do not change it.
    """
    policies = load_policies(files)
    for file in files:
        text = read_text(file)
        for warning in warnings(parse_policy(text, str(file)), text, str(file)):
            sys.stderr.write(f"warning: {warning}\n")
    for policy in policies.releases:
        policy_table.show(policy, language, out)


@app.command(epilog="Example: huzhu policy diff wuxi-2023.toml wuxi-2024.toml")
def diff(
    before: Annotated[Path, typer.Argument(help="The old policy file.")],
    after: Annotated[Path, typer.Argument(help="The new policy file.")],
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Show what changed between two policies, and the effect on a few example amounts.

    Exit status 0 if they are the same, 1 if they differ, 2 if one is unusable.
    """
    old, new = (load_policies([file]).releases[0] for file in (before, after))
    if not policy_diff.show(old, new, language, out):
        raise typer.Exit(DIFFERENT)


@app.command(epilog="Example: huzhu policy publish wuxi-sample.toml --operator li.na")
def publish(
    file: Annotated[Path, typer.Argument(help="The policy file.")],
    operator: Annotated[str, typer.Option(help="Who publishes; recorded in the audit log.")] = getpass.getuser(),
) -> None:
    """Publish a policy for good, and decide every claim that was waiting for it."""
    settings = read_settings()
    engine = ledger(settings)
    try:
        text = read_text(file)
        shards = bound_shards(engine)
        with engine.begin() as connection:
            result = publish_policy(connection, text, operator, shards, utc_now, str(file))
    except PolicyError as error:
        fail(str(error))
    except (ValueError, LedgerMismatch) as error:
        fail(f"{file}: {error}")
    if not result.new:
        out.print(f"{result.policy.id} is already published, nothing to do (sha256 {result.policy.sha256})")
        return
    out.print(f"published {result.policy.id} (sha256 {result.policy.sha256})")
    out.print(f"{result.claims_decided} waiting claims decided, {result.instructions} payouts instructed")


@app.command(epilog="Example: huzhu policy show")
def show(language: LanguageOption = OutputLanguage.BOTH) -> None:
    """Show the published policies, in words and worked examples."""
    with ledger(read_settings()).connect() as connection:
        policies = published_policies(connection)
    for policy in policies.releases:
        policy_table.show(policy, language, out)
    if not policies.releases:
        out.print("no published policies")
