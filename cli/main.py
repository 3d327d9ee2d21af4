"""The `huzhu` command."""

from __future__ import annotations

import io
import os
import sys

import typer

from cli import (
    adjudicate,
    audit,
    console_site,
    contracts,
    deadletter,
    demo,
    events,
    explain,
    gateway,
    operate,
    payouts,
    people,
    policies,
    reconcile,
    simulate,
    users,
)

app = typer.Typer(
    name="huzhu",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Claims processing for medical self-pay assistance and mutual aid (互助): exact to the fen, exactly once.",
)
app.command(epilog=demo.EXAMPLE)(demo.demo)
app.command(epilog=adjudicate.EXAMPLE)(adjudicate.adjudicate)
app.command(epilog=explain.EXAMPLE)(explain.explain)
app.command(epilog=simulate.EXAMPLE)(simulate.simulate)
app.command(epilog=events.GENERATE_EXAMPLE)(events.generate)
app.command(epilog=events.POST_EXAMPLE)(events.post)
app.command(epilog="Example: huzhu worker --log-level warning")(operate.worker)
app.command(epilog="Example: huzhu relay")(operate.relay)
app.command(epilog=reconcile.EXAMPLE)(reconcile.reconcile)
app.add_typer(operate.topics, name="topics")
app.add_typer(policies.app, name="policy")
app.add_typer(deadletter.app, name="deadletter")
app.add_typer(payouts.app, name="payouts")
app.add_typer(contracts.app, name="contracts")
app.command(epilog=gateway.EXAMPLE)(gateway.gateway)
app.add_typer(gateway.app, name="keys")
app.add_typer(audit.app, name="audit")
app.command(epilog=console_site.EXAMPLE)(console_site.console)
app.add_typer(users.app, name="users")
app.add_typer(people.app, name="people")


@app.callback()
def huzhu() -> None:
    """Every command explains itself with --help."""


def main() -> None:
    """Entry point; a reader that stops early (`| head`) is no error of ours."""
    for stream in (sys.stdout, sys.stderr):  # a program that reads us gets UTF-8, whatever this machine's locale
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
