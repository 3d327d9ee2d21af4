"""`huzhu settings`: what is in force, and where it stands."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import SecretStr
from rich.markup import escape

from cli.terminal.connect import read_settings
from cli.terminal.listing import JsonOption, print_json, print_table
from cli.terminal.output import fail, out
from infra.settings import SECRETS, SettingsError
from infra.settings_in_force import SettingsInForce, Source, settings_in_force, variable

EXAMPLE = "Example: huzhu settings --json"
COVERED = "***"
LEDGER = re.compile(
    r"(?P<scheme>[a-z+]+://)(?:(?P<user>[\w.-]*)(?P<password>:[^@/?#\s]*)?@)?"
    r"(?P<server>[\w.:,\[\]-]*(?:/[\w.-]*)?)(?:\?[^@\s]*)?"
)
"""The address of a ledger in which it is beyond doubt what is secret; what follows a question mark is left out."""


ADDRESSES = ("database_url", "database_read_url")


def settings(as_json: JsonOption = False) -> None:
    """Show every setting that is in force and where it stands: environment, secret file, file or default.

    Passwords are never shown. Changes nothing and asks no server. Exit status 2: a setting cannot be used, is none, or
    does not fit the others; the message says which.
    """
    try:
        found = settings_in_force()
    except SettingsError as error:
        fail(str(error))
    _show(found, as_json=as_json)
    read_settings()  # ends the command if they do not fit together


def _show(found: SettingsInForce, *, as_json: bool) -> None:
    names = list(type(found.settings).model_fields)
    if as_json:
        listed = [
            {
                "setting": variable(name),
                "value": shown(name, getattr(found.settings, name)),
                "source": found.place(name).source.value,
                "where": found.place(name).where or None,
            }
            for name in names
        ]
        print_json({"file": str(found.file) if found.file else None, "settings": listed})
        return
    rows = []
    for name in names:
        value, (source, where) = shown(name, getattr(found.settings, name)), found.place(name)
        place = f"{source} {where}" if source in (Source.FILE, Source.SECRET_FILE) else source
        rows.append((variable(name), "unset" if value is None else escape(str(value)), escape(place)))
    print_table(("setting", "value", "from"), rows)
    out.print(f"file: {found.file or 'none'}", soft_wrap=True, markup=False)


def shown(name: str, value: object) -> str | int | float | None:
    """A setting as anybody may see it: of a secret no more than that it is set, and of a ledger where it is."""
    if isinstance(value, str) and name in ADDRESSES and (parts := LEDGER.fullmatch(value)):
        user, password = parts["user"], COVERED if parts["password"] else ""
        account = f"{user}{':' if password else ''}{password}@" if user is not None else ""
        return f"{parts['scheme']}{account}{parts['server']}"
    if name in SECRETS or isinstance(value, SecretStr):
        return None if value is None else COVERED
    if isinstance(value, Path):
        return str(value)
    return value if isinstance(value, str | int | float) else None
