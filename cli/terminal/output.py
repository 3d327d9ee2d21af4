"""Output of the commands: results to standard output, progress and errors to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

WIDE = 10_000
"""Cells in a line of a pipe or file: as many as anybody needs, so that nothing is wrapped or cut for a program."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False)

UNUSABLE = 2
"""Exit status when an option, a file or a setting is unusable."""

SOME_REFUSED = 3
"""Exit status when the work is done but some events were refused."""


def fail(message: str, status: int = UNUSABLE) -> NoReturn:
    """Ends the command with a message for a person."""
    sys.stderr.write(message.rstrip() + "\n")
    raise typer.Exit(status)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on standard error, shown only on a terminal so that it never ends up in a log or a pipe."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    with bar:
        yield bar
