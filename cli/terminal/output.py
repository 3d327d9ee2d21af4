"""How the command speaks to people: standard output for results, standard error for progress and trouble."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

UNUSABLE = 2
"""Exit status when the call, a file or a setting is unusable."""

SOME_REFUSED = 3
"""Exit status when the work was done but some events were refused."""


def fail(message: str, status: int = UNUSABLE) -> NoReturn:
    """Ends the command with one message for a person."""
    sys.stderr.write(message.rstrip() + "\n")
    raise typer.Exit(status)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on standard error, shown only to a terminal: a program that reads the stream is not disturbed."""
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
