"""`huzhu keys`: who may use the hospital API."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

import typer
from sqlalchemy import Connection

from acts import api_keys
from cli.terminal.connect import ledger, read_settings
from cli.terminal.listing import JsonOption, moment, plain, print_json, print_table
from cli.terminal.operators import Operator, signed_in
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.ledger import api_key_rows, treaty_rows
from schemas.access.callers import ApiKey, ApiRole
from schemas.access.console_rights import Right

app = typer.Typer(no_args_is_help=True, help="Create, list, rotate and revoke keys for the hospital API.")


@app.command("create", epilog="Example: huzhu keys create --role hospital --facility H1 --operator li.na > h1.key")
def create(
    role: Annotated[ApiRole, typer.Option(help="Who will use the key.")],
    operator: Operator,
    facility: Annotated[list[str] | None, typer.Option(help="A hospital's facility_id; can be repeated.")] = None,
    scheme: Annotated[list[str] | None, typer.Option(help="An insurer's scheme_id; can be repeated.")] = None,
    insurer: Annotated[list[str] | None, typer.Option(help="A lead's id in its treaties; can be repeated.")] = None,
    note: Annotated[str, typer.Option(help="Whom to contact about the key.")] = "",
) -> None:
    """Create a key and write it to standard output. It cannot be shown again: the key itself is not stored."""
    operator = signed_in(operator, Right.USERS)
    given = {ApiRole.HOSPITAL: facility, ApiRole.INSURER: scheme, ApiRole.LEAD: insurer}
    if any(ids and role is not of for of, ids in given.items()):
        fail("--facility needs --role hospital, --scheme needs --role insurer, --insurer needs --role lead")
    try:
        with ledger(read_settings()).begin() as connection:
            _require_leads(connection, insurer or ())
            key, token = api_keys.create(connection, role, given.get(role) or [], note, operator, utc_now)
    except api_keys.KeyRefused as error:
        fail(str(error))
    _show(key, token)


@app.command("rotate", epilog="Example: huzhu keys rotate k7m2p9qrst --operator li.na --grace-hours 48 > h1.key")
def rotate(
    key_id: Annotated[str, typer.Argument(help="The key's id: the part between the underscores.")],
    operator: Operator,
    grace_hours: Annotated[float, typer.Option(min=0, max=24 * 90, help="How long the old key keeps working.")] = 24.0,
) -> None:
    """Replace a key by a new one with the same rights, written to standard output. The old one ends after the grace."""
    operator = signed_in(operator, Right.USERS)
    try:
        with ledger(read_settings()).begin() as connection:
            key, token = api_keys.rotate(connection, key_id, timedelta(hours=grace_hours), operator, utc_now)
    except api_keys.KeyRefused as error:
        fail(str(error))
    _show(key, token)


@app.command("revoke", epilog='Example: huzhu keys revoke k7m2p9qrst --operator li.na --reason "laptop stolen"')
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id: the part between the underscores.")],
    operator: Operator,
    reason: Annotated[str, typer.Option(help="Why; recorded in the audit log.")],
) -> None:
    """Revoke a key immediately."""
    operator = signed_in(operator, Right.USERS)
    if not reason.strip():
        fail("--reason must not be empty")
    try:
        with ledger(read_settings()).begin() as connection:
            api_keys.revoke(connection, key_id, reason, operator, utc_now)
    except api_keys.KeyRefused as error:
        fail(str(error))
    out.print(f"revoked key {key_id}")


@app.command("list", epilog="Example: huzhu keys list")
def list_keys(as_json: JsonOption = False) -> None:
    """List all keys, including expired and revoked ones. Secrets are never shown, as they are not stored."""
    with ledger(read_settings()).connect() as connection:
        keys = api_key_rows.all_keys(connection)
    if as_json:
        print_json({"keys": [plain(key._asdict(), "secret_sha256", "lineage") for key in keys]})
        return
    print_table(
        ("id", "role", "scope", "note", "created", "by", "state"),
        [
            (key.key_id, key.role, " ".join(key.scope), key.note, moment(key.created_at), key.created_by, _state(key))
            for key in keys
        ],
    )


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {moment(key.revoked_at)}"
    if key.expires_at is not None:
        verb = "expires" if api_keys.is_live(key, utc_now()) else "expired"
        return f"{verb} {moment(key.expires_at)}"
    return "active"


def _show(key: ApiKey, token: str) -> None:
    scope = " ".join(key.scope) or "registry"
    sys.stderr.write(f"key {key.key_id} for {key.role} {scope}. Keep it secret: it cannot be shown again\n")
    sys.stdout.write(token + "\n")


def _require_leads(connection: Connection, insurers: Iterable[str]) -> None:
    """Ends the command where somebody leads no published treaty: the key would reach nothing, for a slip of the pen."""
    unknown = sorted(set(insurers) - set(treaty_rows.leads(connection)))
    if unknown:
        fail(
            f"没有由 {unknown[0]} 主承保的已公布协议;`huzhu treaty show` 列出已公布的协议\n"
            f"no published treaty is led by {unknown[0]}; `huzhu treaty show` lists them"
        )
