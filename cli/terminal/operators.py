"""Acts that a command performs in the name of an operator, and what it says when they cannot be done."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from acts.four_eyes import NotDone
from cli.terminal.connect import ledger, read_settings
from cli.terminal.output import fail
from infra.clock import utc_now
from infra.ledger.schema import LedgerMismatch, bound_shards
from infra.settings import Settings
from schemas.access.console_rights import Right
from stream.deadline import INFRASTRUCTURE_GONE

Operator = Annotated[
    str,
    typer.Option(
        default_factory=str,
        show_default=False,
        help="Who does it; recorded in the audit log. Whoever has signed in with `huzhu signin`; a name alone is "
        "believed only while the ledger has no users.",
    ),
]
Reason = Annotated[str, typer.Option(help="Why; recorded in the audit log.")]
Proposals = Annotated[list[int], typer.Argument(help="Numbers of proposals.")]


def require_named(operator: str, reason: str | None = None) -> None:
    """Ends the command unless it says who acts and, if that is asked for, why."""
    if not operator.strip() or (reason is not None and not reason.strip()):
        fail("--operator 和 --reason 不能为空\n--operator and --reason must not be empty: they say who and why")


def signed_in(operator: str, *rights: Right, reason: str | None = None) -> str:
    """Who acts: whoever is signed in and has one of the rights. Ends the command if that is nobody.

    ``operator`` is what ``--operator`` says, or empty.
    """
    from acts.operator_tokens import NotSignedIn, acting_operator

    if reason is not None:
        require_named("whoever is signed in", reason)
    settings = read_settings()
    token = token_of(settings)
    engine = ledger(settings)
    try:
        with engine.connect() as connection:
            return acting_operator(connection, token, operator.strip(), rights, utc_now)
    except NotSignedIn as error:
        fail(str(error))
    except DBAPIError as error:
        fail(f"nothing was done: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()


def token_of(settings: Settings) -> str | None:
    """The token of ``HUZHU_OPERATOR_TOKEN``, or else of the file that `huzhu signin` wrote; None without either."""
    if settings.operator_token is not None:
        return settings.operator_token.get_secret_value().strip() or None
    file = token_file(settings)
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            fail(f"{file}: others can read it; run `huzhu signin` again after `chmod 600 {file}`")
        return file.read_text("ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: cannot be read ({type(error).__name__})")


def token_file(settings: Settings) -> Path:
    """Where `huzhu signin` keeps the token."""
    if settings.operator_token_file is not None:
        return settings.operator_token_file
    folder = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(folder) / "huzhu" / "operator.token"


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
