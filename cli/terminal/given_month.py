"""Months that a command is given."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from cli.terminal.output import fail
from schemas.bilingual import SaidError
from schemas.months import parse_month

MonthArgument = Annotated[str, typer.Argument(metavar="MONTH", help="The month, such as 2024-03.")]


def given_month(text: str) -> date:
    """The first day of a month that is written like ``2024-03``; ends the command for anything else."""
    try:
        return parse_month(text)
    except SaidError as error:
        fail(f"{text}: {error.saying.zh}\n{text}: {error.saying.en}")
