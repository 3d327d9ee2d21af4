"""The `huzhu` command."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module

import typer
from rich.markup import escape

from cli.terminal.extras import missing_extra
from cli.terminal.last_resort import explained
from cli.terminal.output import fail
from cli.version_option import VersionOption

COMMANDS = {  # module, function, name of the example
    "demo": ("cli.demo.demo_command", "demo", "EXAMPLE"),
    "adjudicate": ("cli.offline.adjudicate_command", "adjudicate", "EXAMPLE"),
    "watch": ("cli.watch.watch_command", "watch", "EXAMPLE"),
    "explain": ("cli.explain.explain_command", "explain", "EXAMPLE"),
    "simulate": ("cli.simulate.simulate_command", "simulate", "EXAMPLE"),
    "generate": ("cli.events.events_command", "generate", "GENERATE_EXAMPLE"),
    "post": ("cli.events.events_command", "post", "POST_EXAMPLE"),
    "worker": ("cli.servers.stream_commands", "worker", "WORKER_EXAMPLE"),
    "relay": ("cli.servers.stream_commands", "relay", "RELAY_EXAMPLE"),
    "status": ("cli.servers.status_command", "status", "EXAMPLE"),
    "settings": ("cli.servers.settings_command", "settings", "EXAMPLE"),
    "servers": ("cli.servers.servers_command", "servers", "EXAMPLE"),
    "reconcile": ("cli.payouts.reconcile_command", "reconcile", "EXAMPLE"),
    "gateway": ("cli.servers.gateway_command", "gateway", "EXAMPLE"),
    "console": ("cli.servers.console_command", "console", "EXAMPLE"),
    "signin": ("cli.access.signin_command", "signin", "SIGNIN_EXAMPLE"),
    "signout": ("cli.access.signin_command", "signout", "SIGNOUT_EXAMPLE"),
}
GROUPS = {  # module, Typer with the commands
    "facts": ("cli.facts.facts_command", "app"),
    "topics": ("cli.servers.topics_command", "app"),
    "day": ("cli.days.day_command", "app"),
    "policy": ("cli.policy.policy_command", "app"),
    "watches": ("cli.watch.watches_command", "app"),
    "treaty": ("cli.treaty.treaty_command", "app"),
    "deadletter": ("cli.events.deadletter_command", "app"),
    "payouts": ("cli.payouts.payouts_command", "app"),
    "statements": ("cli.statements.statements_command", "app"),
    "holds": ("cli.holds.holds_command", "app"),
    "recoveries": ("cli.recoveries.recoveries_command", "app"),
    "alerts": ("cli.alerts.alerts_command", "app"),
    "deaths": ("cli.deaths.deaths_command", "app"),
    "contracts": ("cli.contracts_command", "app"),
    "keys": ("cli.access.keys_command", "app"),
    "audit": ("cli.audit.audit_command", "app"),
    "users": ("cli.access.users_command", "app"),
    "people": ("cli.access.people_command", "app"),
    "books": ("cli.books.books_command", "app"),
    "pools": ("cli.pools.pools_command", "app"),
    "ledger": ("cli.ledger.ledger_command", "app"),
}

TO_COMPLETE = "_TYPER_COMPLETE_ARGS"
"""The variable in which a shell hands over the line that is to be completed."""


def huzhu(*names: str) -> typer.Typer:
    """The program with the commands and groups of these names, or with all of them.

    Modules of other commands are not imported, so that each command starts as fast as it can.
    """
    app = typer.Typer(
        name="huzhu",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Claims processing for medical self-pay assistance and mutual aid (互助): exact to the fen, exactly once.",
    )
    app.callback()(_help)
    for name, (module, function, example) in COMMANDS.items():
        if not names or name in names:
            try:
                command = import_module(module)
            except ModuleNotFoundError as error:
                _say_what_is_missing(app, name, error)
            else:
                app.command(name, epilog=getattr(command, example))(getattr(command, function))
    for name, (module, group) in GROUPS.items():
        if not names or name in names:
            try:
                app.add_typer(getattr(import_module(module), group), name=name)
            except ModuleNotFoundError as error:
                _say_what_is_missing(app, name, error)
    return app


def _say_what_is_missing(app: typer.Typer, name: str, error: ModuleNotFoundError) -> None:
    """Adds a command in place of one whose package is not installed, so that all others can be listed and used."""
    sentence = missing_extra(error)
    if sentence is None:
        raise error

    def unusable() -> None:
        fail(sentence)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(name, help=escape(sentence), context_settings=anything)(unusable)


def _help(version: VersionOption = False) -> None:
    """Run any command with --help for details."""


def main() -> None:
    """Entry point. A reader that stops early (`| head`) is not an error."""
    for stream in (sys.stdout, sys.stderr):  # other programs always get UTF-8, whatever the locale
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")
    try:
        first = sys.argv[1:2] or os.environ.get(TO_COMPLETE, "").split()[1:2]
        program = huzhu(*(name for name in first if name in COMMANDS or name in GROUPS or name == "--version"))
        program(prog_name="huzhu")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        reason = explained(error)
        if reason is None:
            raise
        sys.stderr.write(f"{reason[0]}\n")
        sys.exit(reason[1])


if __name__ == "__main__":
    main()
