"""`huzhu servers`: the Kafka and PostgreSQL of demo and tests, for trying every process by hand."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer

from cli.terminal.given_files import folder_for
from cli.terminal.output import err, fail
from infra.servers.resolve import (
    DATABASE_URL,
    KAFKA_BOOTSTRAP,
    KafkaPart,
    PartFailed,
    PartUnavailable,
    PostgresPart,
    started_kafka,
    started_postgres,
)

EXAMPLE = "Example: huzhu servers --keep /var/tmp/huzhu > servers.sh"
LOOKED_AGAIN_S = 0.5
"""A signal that comes just before a wait is noticed after it."""

NEXT = """\
put the two lines of standard output into the shells in which you try Huzhu; the second one holds a password
next: huzhu ledger upgrade, then huzhu topics apply (docs/operations.md, "By hand on one machine")"""


def servers(
    keep: Annotated[
        Path | None, typer.Option(help="Folder in which the data stays. Default: the data is gone at the end.")
    ] = None,
) -> None:
    """Start a Kafka and a PostgreSQL on this machine, print the two settings that lead to them, stay until Ctrl-C.

    The servers are empty, answer this machine alone, and end with this command. What the settings name is left alone.
    With --keep the next start with that folder finds the data again, at other ports: the settings are printed anew.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end it in the same orderly way
    if keep is not None:
        folder_for(keep)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        started = time.monotonic()
        try:
            with err.status("starting Kafka and PostgreSQL"):
                kafka = stack.enter_context(started_kafka(keep and keep / "kafka"))
                postgres = stack.enter_context(started_postgres(keep and keep / "postgres"))
        except (PartUnavailable, PartFailed) as error:
            fail(str(error))
        origins = f"Kafka ({kafka.origin}), PostgreSQL ({postgres.origin})"
        err.print(f"{origins}, after {time.monotonic() - started:.1f} s; Ctrl-C stops both", soft_wrap=True)
        err.print(f"the data stays in {keep}" if keep else "the data is gone then", soft_wrap=True, markup=False)
        _print_settings(kafka, postgres)
        err.print(NEXT, soft_wrap=True, markup=False)
        while True:
            time.sleep(LOOKED_AGAIN_S)


def _print_settings(kafka: KafkaPart, postgres: PostgresPart) -> None:
    """Two lines for a shell; psql reads the address too."""
    address = postgres.url.replace("postgresql+psycopg://", "postgresql://", 1)
    for name, value in ((KAFKA_BOOTSTRAP, kafka.bootstrap), (DATABASE_URL, address)):
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    sys.stdout.flush()
