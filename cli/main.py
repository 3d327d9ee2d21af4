"""The `huzhu` command."""

from __future__ import annotations

import io
import os
import sys

import typer

from cli import contracts_command
from cli.access import people_command, users_command
from cli.audit import audit_command
from cli.demo import demo_command
from cli.events import deadletter_command, events_command
from cli.explain import explain_command
from cli.offline import adjudicate_command
from cli.payouts import payouts_command, reconcile_command
from cli.policy import policy_command
from cli.servers import console_command, gateway_command, operate
from cli.simulate import simulate_command

app = typer.Typer(
    name="huzhu",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Claims processing for medical self-pay assistance and mutual aid (互助): exact to the fen, exactly once.",
)
app.command(epilog=demo_command.EXAMPLE)(demo_command.demo)
app.command(epilog=adjudicate_command.EXAMPLE)(adjudicate_command.adjudicate)
app.command(epilog=explain_command.EXAMPLE)(explain_command.explain)
app.command(epilog=simulate_command.EXAMPLE)(simulate_command.simulate)
app.command(epilog=events_command.GENERATE_EXAMPLE)(events_command.generate)
app.command(epilog=events_command.POST_EXAMPLE)(events_command.post)
app.command(epilog="Example: huzhu worker --log-level warning")(operate.worker)
app.command(epilog="Example: huzhu relay")(operate.relay)
app.command(epilog=reconcile_command.EXAMPLE)(reconcile_command.reconcile)
app.add_typer(operate.topics, name="topics")
app.add_typer(policy_command.app, name="policy")
app.add_typer(deadletter_command.app, name="deadletter")
app.add_typer(payouts_command.app, name="payouts")
app.add_typer(contracts_command.app, name="contracts")
app.command(epilog=gateway_command.EXAMPLE)(gateway_command.gateway)
app.add_typer(gateway_command.app, name="keys")
app.add_typer(audit_command.app, name="audit")
app.command(epilog=console_command.EXAMPLE)(console_command.console)
app.add_typer(users_command.app, name="users")
app.add_typer(people_command.app, name="people")


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
