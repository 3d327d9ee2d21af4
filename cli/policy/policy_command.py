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
from cli.servers.operate import ledger, settings
from cli.terminal.language import Language
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.ledger.schema import LedgerMismatch, bound_shards
from schemas.policy.model import Policies
from schemas.policy.policy_file import PolicyError, parse_policy, read_policies, read_text, warnings

app = typer.Typer(no_args_is_help=True, help="Check, compare, publish and show the dated policies.")

LanguageOption = Annotated[Language, typer.Option(help="zh, en, or both, Chinese first.")]

DIFFERENT = 1
"""Exit status of `diff` when the policies differ, as of `diff` itself."""


@app.command(epilog="Example: huzhu policy check wuxi-sample.toml --language zh")
def check(
    files: Annotated[list[Path], typer.Argument(help="Policy files that are to be in force together.")],
    language: LanguageOption = Language.BOTH,
) -> None:
    """Check policy files and explain them in words and worked examples.

    Exit status 2 if one is unusable, with file, line, field and remedy; warnings do not change it.
    """
    policies = read(files)
    for file in files:
        text = read_text(file)
        for warning in warnings(parse_policy(text, str(file)), text, str(file)):
            sys.stderr.write(f"warning: {warning}\n")
    for policy in policies.releases:
        policy_table.show(policy, language, out)


@app.command(epilog="Example: huzhu policy diff wuxi-2023.toml wuxi-2024.toml")
def diff(
    before: Annotated[Path, typer.Argument(help="The policy file as it was.")],
    after: Annotated[Path, typer.Argument(help="The policy file as it is to be.")],
    language: LanguageOption = Language.BOTH,
) -> None:
    """Say what changed between two policies, and what it means at a few example amounts.

    Exit status 0 when they say the same, 1 when they differ, 2 when one is unusable.
    """
    old, new = (read([file]).releases[0] for file in (before, after))
    if not policy_diff.show(old, new, language, out):
        raise typer.Exit(DIFFERENT)


@app.command(epilog="Example: huzhu policy publish wuxi-sample.toml --operator li.na")
def publish(
    file: Annotated[Path, typer.Argument(help="The policy file.")],
    operator: Annotated[str, typer.Option(help="Who publishes; stands in the audit log.")] = getpass.getuser(),
) -> None:
    """Publish a policy for ever, and decide every claim that waited for it."""
    known = settings()
    engine = ledger(known)
    try:
        text = read_text(file)
        shards = bound_shards(engine)
        with engine.begin() as connection:
            done = publish_policy(connection, text, operator, shards, utc_now, str(file))
    except PolicyError as error:
        fail(str(error))
    except (ValueError, LedgerMismatch) as error:
        fail(f"{file}: {error}")
    if not done.new:
        out.print(f"{done.policy.id} was published before, nothing to do (sha256 {done.policy.sha256})")
        return
    out.print(f"published {done.policy.id} (sha256 {done.policy.sha256})")
    out.print(f"{done.claims_decided} waiting claims decided, {done.instructions} payouts instructed")


@app.command(epilog="Example: huzhu policy show")
def show(language: LanguageOption = Language.BOTH) -> None:
    """Show the published policies, in words and worked examples."""
    with ledger(settings()).connect() as connection:
        policies = published_policies(connection)
    for policy in policies.releases:
        policy_table.show(policy, language, out)
    if not policies.releases:
        out.print("no policy is published")


def read(files: list[Path]) -> Policies:
    """The policies in some files; ends the command with what is wrong with them."""
    try:
        return read_policies(files)
    except PolicyError as error:
        fail(str(error))
