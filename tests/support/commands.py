"""Every command of the program, and its options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

from cli.main import huzhu


def commands(group: Any, name: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of a group and of its groups: each full name, as a person types it, and its long options."""
    inner = getattr(group, "commands", None)
    if inner is None:
        yield name, [option for parameter in group.params for option in parameter.opts if option.startswith("--")]
        return
    for part, command in inner.items():
        if not command.hidden:
            yield from commands(command, f"{name} {part}")


OPTIONS = dict(sorted(commands(typer.main.get_command(huzhu()), "huzhu")))
