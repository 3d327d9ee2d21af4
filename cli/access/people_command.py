"""`huzhu people`: the console's encrypted directory of who the persons are, and its keys."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from cli.servers.console_command import keyring
from cli.servers.operate import ledger, settings
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.keys.personal_data import KeyringUnusable, NotReadable, add_key
from infra.ledger import people_directory
from infra.ledger.people_directory import FIELDS, PersonDetails
from schemas.access.console_rights import ConsoleAct
from schemas.outbound import AuditKind

AT_ONCE = 1000
app = typer.Typer(no_args_is_help=True, help="Load and re-encrypt the directory of persons, and make its keys.")

Operator = Annotated[str, typer.Option(help="Who does it; stands in the audit log.")]


@app.command("newkey", epilog="Example: huzhu people newkey /etc/huzhu/console.keys")
def newkey(file: Annotated[Path, typer.Argument(help="The key file; made if it is not there.")]) -> None:
    """Append a new key to a key file. From now on it encrypts; keep the older lines until `huzhu people rotate`."""
    try:
        key_id = add_key(file)
    except KeyringUnusable as error:
        fail(str(error))
    out.print(f"key {key_id} is in {file}; without this file nobody can read the directory again: keep a copy")


@app.command("load", epilog="Example: huzhu people load registry.csv --operator li.na")
def load(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8 with person_id, name, phone, id_number; - for stdin.")],
    operator: Operator,
) -> None:
    """Load who the persons are, encrypted field by field. A person who is there already is replaced."""
    from acts.record_operator_acts import record_operator_acts

    known = settings()
    keys, engine = keyring(known), ledger(known)
    rows, count = _rows(file), 0
    with engine.begin() as connection:
        while part := list(islice(rows, AT_ONCE)):
            count += people_directory.load(connection, keys, part, utc_now())
        told = {"people": str(count), "key_id": keys.newest}
        record_operator_acts(connection, utc_now, [ConsoleAct(AuditKind.PEOPLE_LOADED.value, operator, told)])
    out.print(f"{count} persons are in the directory, encrypted with key {keys.newest}")


@app.command("rotate", epilog="Example: huzhu people newkey console.keys && huzhu people rotate --operator li.na")
def rotate(operator: Operator) -> None:
    """Encrypt every person anew with the newest key; after that the older keys may go from the file."""
    from acts.record_operator_acts import record_operator_acts

    known = settings()
    keys, engine = keyring(known), ledger(known)
    total = 0
    try:
        while True:
            with engine.begin() as connection:
                count = people_directory.rotate(connection, keys, utc_now(), AT_ONCE)
                if count:
                    told = {"people": str(count), "key_id": keys.newest, "change": "key rotated"}
                    record_operator_acts(
                        connection, utc_now, [ConsoleAct(AuditKind.PEOPLE_LOADED.value, operator, told)]
                    )
            total += count
            if not count:
                break
    except NotReadable as error:
        fail(f"{error}; put the missing key back into the file. {total} persons were done before")
    out.print(f"{total} persons are encrypted anew, with key {keys.newest}")


def _rows(file: Path) -> Iterator[PersonDetails]:
    """The persons of a file; ends the command at a line that cannot be used, naming the line and nothing of it."""
    try:
        opened = sys.stdin if str(file) == "-" else file.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    with opened:
        reader = csv.DictReader(opened)
        missing = set(FIELDS) - set(reader.fieldnames or ())
        if missing:
            fail(f"{file}: the first line lacks {', '.join(sorted(missing))}")
        for number, row in enumerate(reader, start=2):
            values = [(row[name] or "").strip() for name in FIELDS]
            if not values[0] or any(len(value) > 200 for value in values) or None in row:
                fail(f"{file}, line {number}: person_id is missing, or a field is longer than 200; nothing was loaded")
            yield PersonDetails(*values)
