"""`huzhu policy check | publish | show`."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.adjudicate import load_policies
from cli.console import err, fail, out
from cli.operate import ledger, settings
from infra.ledger.schema import LedgerMismatch, bound_shards
from schemas.money import format_yuan
from schemas.policy import Policy, Scheme, decimal_text
from schemas.policy_file import PolicyError, read_policy, warnings
from stream import publishing

app = typer.Typer(no_args_is_help=True, help="Check, publish and show the dated policies.")

BASES = {
    "copay": "copay 个人自付",
    "out_of_catalogue": "out of catalogue 个人自费",
    "personal_burden": "personal burden 个人负担",
}


@app.command(epilog="Example: huzhu policy check wuxi-sample.toml")
def check(files: Annotated[list[Path], typer.Argument(help="Policy files that are to be in force together.")]) -> None:
    """Check policy files and explain them. Exit status 2 if one is unusable; warnings do not change it."""
    policies = load_policies(files)
    for file in files:
        text = file.read_text("utf-8")
        for warning in warnings(read_policy(file), text, str(file)):
            err.print(f"warning: {warning}")
    for policy in policies.releases:
        describe(policy)


@app.command(epilog="Example: huzhu policy publish wuxi-sample.toml --operator li.na")
def publish(
    file: Annotated[Path, typer.Argument(help="The policy file.")],
    operator: Annotated[str, typer.Option(help="Who publishes; stands in the audit log.")] = getpass.getuser(),
) -> None:
    """Publish a policy for ever, and decide every claim that waited for it."""
    known = settings()
    engine = ledger(known)
    try:
        text = file.read_text("utf-8")
        done = publishing.publish(engine, text, operator, bound_shards(engine), lambda: datetime.now(UTC), str(file))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: cannot be read: {error}")
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
def show() -> None:
    """Show the published policies."""
    engine = ledger(settings())
    policies = publishing.published(engine)
    for policy in policies:
        describe(policy)
    if not policies:
        out.print("no policy is published")


def describe(policy: Policy) -> None:
    """A policy as a table."""
    until = policy.last_day()
    days = f"{policy.effective_from} to {until}" if until else f"from {policy.effective_from}"
    out.print(f"\n[bold]{policy.id}[/bold]  {policy.title}  ({policy.status}, in force {days})")
    out.print(f"sha256 {policy.sha256}")
    table = Table("scheme", "tier", "categories", "measured on", "from yuan", "rate", "limits")
    for scheme in policy.schemes:
        for tier in scheme.tiers:
            for index, bracket in enumerate(tier.brackets):
                first = index == 0
                table.add_row(
                    scheme.id if first else "",
                    tier.name if first else "",
                    ", ".join(tier.categories) if first else "",
                    f"{BASES[scheme.basis]}, {scheme.measured_on}, by {scheme.accumulates}" if first else "",
                    format_yuan(bracket.over),
                    f"{decimal_text(bracket.rate * 100)} %",
                    limits(scheme) if first else "",
                )
    out.print(table)


def limits(scheme: Scheme) -> str:
    """The limits of a scheme in one line."""
    said = [
        f"{name} {format_yuan(amount)}"
        for name, amount in (
            ("over", scheme.threshold),
            ("per stay at most", scheme.cap_per_stay),
            ("per year at most", scheme.cap_per_year),
            ("at least", scheme.floor_per_stay or None),
        )
        if amount is not None
    ]
    return "; ".join(said)
