"""Acts that a command performs in the name of an operator, and what it says when they cannot be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from acts.four_eyes import NotDone
from cli.terminal.connect import ledger, read_settings
from cli.terminal.output import fail
from infra.ledger.schema import LedgerMismatch, bound_shards
from stream.deadline import INFRASTRUCTURE_GONE

Operator = Annotated[str, typer.Option(help="Who does it; recorded in the audit log.")]
Reason = Annotated[str, typer.Option(help="Why; recorded in the audit log.")]
Proposals = Annotated[list[int], typer.Argument(help="Numbers of proposals.")]


def require_named(operator: str, reason: str | None = None) -> None:
    """Ends the command unless it says who acts and, if that is asked for, why."""
    if not operator.strip() or (reason is not None and not reason.strip()):
        fail("--operator 和 --reason 不能为空\n--operator and --reason must not be empty: they say who and why")


@contextmanager
def acting() -> Iterator[tuple[Connection, int]]:
    """A transaction in the ledger and its number of shards; ends the command with the reason if nothing was done."""
    engine = ledger(read_settings())
    try:
        shards = bound_shards(engine)
        with engine.begin() as connection:
            yield connection, shards
    except (NotDone, LedgerMismatch) as error:
        fail(str(error))
    except DBAPIError as error:
        fail(f"nothing was done: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()
