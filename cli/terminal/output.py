"""Output of the commands: results to standard output, progress and errors to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console, ConsoleOptions
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.text import TextType

WIDE = 10_000
"""Cells in a line in a pipe or file: as many as anybody needs."""


class Output(Console):
    """A console that wraps and cuts neither sentences nor lists where a program reads them instead of a person."""

    @property
    def options(self) -> ConsoleOptions:
        options = super().options
        return options if self.is_terminal else options.update(width=WIDE)

    def print(self, *objects: Any, **options: Any) -> None:
        if not self.is_terminal:
            options.setdefault("crop", False)
            options.setdefault("soft_wrap", all(isinstance(each, str) for each in objects))
        super().print(*objects, **options)

    def rule(self, title: TextType = "", **options: Any) -> None:
        """A heading; the line beside it is for terminals only."""
        if self.is_terminal:
            super().rule(title, **options)
        else:
            self.print(title)


out = Output(highlight=False)
err = Output(stderr=True, highlight=False)

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
