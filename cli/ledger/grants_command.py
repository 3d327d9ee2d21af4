"""`huzhu ledger grants`: the GRANTs that each process needs in PostgreSQL."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.terminal.output import fail, out
from infra.ledger.roles import LedgerRole, default_user, grants

EXAMPLE = "Example: huzhu ledger grants --role worker --user huzhu_worker | psql"


def print_grants(
    role: Annotated[LedgerRole | None, typer.Option(help="Only this role. Default: all.")] = None,
    user: Annotated[
        str | None, typer.Option(help="The PostgreSQL role, with --role. Default: huzhu_ and the role's name.")
    ] = None,
) -> None:
    """Print the GRANTs for each kind of process: the least it needs. Runs nothing, and asks no server.

    Create the PostgreSQL roles first, and run the GRANTs as the owner of the tables, after every upgrade again. Nothing
    that was granted before is taken back.
    """
    if user and role is None:
        fail("--user needs --role")
    for one in [role] if role else LedgerRole:
        out.print(f"-- {one.value}", markup=False)
        for statement in grants(one, user or default_user(one)):
            out.print(statement, markup=False, soft_wrap=True)
