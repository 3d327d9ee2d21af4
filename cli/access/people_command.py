"""`huzhu people`: the console's encrypted directory of persons, and its keys."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from cli.terminal.connect import keyring, ledger, read_settings
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.keys.personal_data import KeyringUnusable, NotReadable, add_key
from infra.ledger import people_directory
from infra.ledger.people_directory import FIELDS, PersonDetails
from schemas.access.console_rights import ConsoleAct
from schemas.outbound import AuditKind

AT_ONCE = 1000
app = typer.Typer(no_args_is_help=True, help="Load or re-encrypt the directory of persons, and make its keys.")

Operator = Annotated[str, typer.Option(help="Who does it; recorded in the audit log.")]


@app.command("newkey", epilog="Example: huzhu people newkey /etc/huzhu/console.keys")
def newkey(file: Annotated[Path, typer.Argument(help="The key file; created if it does not exist.")]) -> None:
    """Append a new key to a key file. It encrypts from now on; keep the older keys until `huzhu people rotate`."""
    try:
        key_id = add_key(file)
    except KeyringUnusable as error:
        fail(str(error))
    out.print(f"added key {key_id} to {file}. Keep a copy of this file: without it nobody can read the directory")


@app.command("load", epilog="Example: huzhu people load registry.csv --operator li.na")
def load(
    file: Annotated[
        Path, typer.Argument(help="CSV in UTF-8 with person_id, name, phone, id_number; - for standard input.")
    ],
    operator: Operator,
) -> None:
    """Load names, phone and id numbers, encrypted field by field. Existing persons are replaced."""
    from acts.record_operator_acts import record_operator_acts

    settings = read_settings()
    keys, engine = keyring(settings), ledger(settings)
    rows, count = _rows(file), 0
    with engine.begin() as connection:
        while part := list(islice(rows, AT_ONCE)):
            count += people_directory.load(connection, keys, part, utc_now())
        subject = {"people": str(count), "key_id": keys.newest}
        record_operator_acts(connection, utc_now, [ConsoleAct(AuditKind.PEOPLE_LOADED.value, operator, subject)])
    out.print(f"loaded {count} persons, encrypted with key {keys.newest}")


@app.command("rotate", epilog="Example: huzhu people newkey console.keys && huzhu people rotate --operator li.na")
def rotate(operator: Operator) -> None:
    """Re-encrypt every person with the newest key. Afterwards the older keys can be removed from the file."""
    from acts.record_operator_acts import record_operator_acts

    settings = read_settings()
    keys, engine = keyring(settings), ledger(settings)
    total = 0
    try:
        while True:
            with engine.begin() as connection:
                count = people_directory.rotate(connection, keys, utc_now(), AT_ONCE)
                if count:
                    subject = {"people": str(count), "key_id": keys.newest, "change": "key rotated"}
                    record_operator_acts(
                        connection, utc_now, [ConsoleAct(AuditKind.PEOPLE_LOADED.value, operator, subject)]
                    )
            total += count
            if not count:
                break
    except NotReadable as error:
        fail(f"{error}; put the missing key back into the file. {total} persons were re-encrypted before that")
    out.print(f"re-encrypted {total} persons with key {keys.newest}")


def _rows(file: Path) -> Iterator[PersonDetails]:
    """The persons in a file. Ends the command at an unusable line; the message names the line but does not quote it."""
    try:
        opened = sys.stdin if str(file) == "-" else file.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    with opened:
        reader = csv.DictReader(opened)
        missing = set(FIELDS) - set(reader.fieldnames or ())
        if missing:
            fail(f"{file}: missing in the first line: {', '.join(sorted(missing))}")
        for number, row in enumerate(reader, start=2):
            values = [(row[name] or "").strip() for name in FIELDS]
            if not values[0] or any(len(value) > 200 for value in values) or None in row:
                fail(f"{file}, line {number}: no person_id, or a field of more than 200 characters; nothing was loaded")
            yield PersonDetails(*values)
