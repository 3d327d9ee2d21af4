"""`huzhu --version`: which version this is, and whether its core is compiled."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated

import typer

CORE = "handlers.claims.adjudicate"
"""One of the modules that a compiled wheel holds as machine code; either all of them are, or none (hatch_build.py)."""


def show_version(wanted: bool) -> None:
    """Prints the line and ends the program, if it is wanted."""
    if wanted:
        typer.echo(version_line())
        raise typer.Exit


def version_line() -> str:
    """Such as ``huzhu 1.2.3, compiled 已编译``."""
    return f"huzhu {version('huzhu')}, {'compiled 已编译' if is_compiled(CORE) else 'pure Python 纯 Python 版'}"


def is_compiled(module: str) -> bool:
    """Whether Python takes a module, which exists, from machine code; it is not imported for that."""
    spec = find_spec(module)
    return spec is not None and not (spec.origin or "").endswith(".py")


VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", callback=show_version, is_eager=True, help="Show the version, and whether the core is compiled."
    ),
]
