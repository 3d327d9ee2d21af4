"""`huzhu people`: the console's encrypted directory of persons, and its keys."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from cli.terminal.connect import keyring, ledger, read_settings
from cli.terminal.operators import Operator, signed_in
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.files.text_files import decoded
from infra.keys.personal_data import Keyring, KeyringUnusable, NotReadable, add_key
from infra.ledger import people_directory, second_factor_rows
from infra.ledger.people_directory import FIELDS, PersonDetails
from schemas.access.console_rights import ConsoleAct, Right
from schemas.outbound import AuditKind
from schemas.person_numbers import is_identity_number, is_phone_number

AT_ONCE = 1000
FAULTS_SHOWN = 20
app = typer.Typer(no_args_is_help=True, help="Load or re-encrypt the directory of persons, and make its keys.")


@app.command("newkey", epilog="Example: huzhu people newkey /etc/huzhu/console.keys")
def newkey(
    file: Annotated[Path, typer.Argument(help="The key file; created if it does not exist.")],
    finding: Annotated[
        bool, typer.Option("--finding", help="A key by which the console finds persons by name and numbers.")
    ] = False,
) -> None:
    """Append a new key to a key file. It encrypts from now on; keep the older keys until `huzhu people rotate`."""
    try:
        key_id = add_key(file, finding=finding)
    except KeyringUnusable as error:
        fail(str(error))
    if finding:
        out.print(
            f"added finding key {key_id} to {file}. Now run `huzhu people rotate`, so that people are found by it"
        )
        return
    out.print(f"added key {key_id} to {file}. Keep a copy of this file: without it nobody can read the directory")


@app.command("load", epilog="Example: huzhu people load registry.csv --operator li.na")
def load(
    file: Annotated[
        Path, typer.Argument(help="CSV (UTF-8 or GB 18030) with person_id, name, phone, id_number; - for stdin.")
    ],
    operator: Operator,
) -> None:
    """Load names, phone and id numbers, encrypted field by field. Existing persons are replaced.

    Identity numbers are checked (GB 11643), and so are telephone numbers; what is not known stays empty. If a line is
    wrong, nothing is loaded.
    """
    from acts.record_operator_acts import record_operator_acts

    settings = read_settings()
    keys, text = keyring(settings), _text(file)
    _check(file, text)
    operator = signed_in(operator, Right.USERS)
    engine, rows, count = ledger(settings), _persons(text), 0
    with engine.begin() as connection:
        while part := list(islice(rows, AT_ONCE)):
            count += people_directory.load(connection, keys, part, utc_now())
        subject = {"people": str(count), "key_id": keys.newest}
        record_operator_acts(connection, utc_now, [ConsoleAct(AuditKind.PEOPLE_LOADED.value, operator, subject)])
    out.print(f"loaded {count} persons, encrypted with key {keys.newest}")


@app.command("rotate", epilog="Example: huzhu people newkey console.keys && huzhu people rotate --operator li.na")
def rotate(operator: Operator) -> None:
    """Re-encrypt every person, and the secrets of one-time codes, with the newest key.

    Makes the hashes by which persons are found anew, too, if the newest finding key did not make them. Afterwards the
    older keys can be removed from the file.
    """
    operator = signed_in(operator, Right.USERS)
    from acts.record_operator_acts import record_operator_acts

    settings = read_settings()
    keys, engine = keyring(settings), ledger(settings)
    total = 0
    try:
        with engine.begin() as connection:
            factors = second_factor_rows.rotate(connection, keys)
            if factors:
                subject = {"second_factors": str(factors), "key_id": keys.newest, "change": "key rotated"}
                record_operator_acts(
                    connection, utc_now, [ConsoleAct(AuditKind.PEOPLE_LOADED.value, operator, subject)]
                )
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
        hashed = _hash_late(engine, keys, operator)
    except NotReadable as error:
        fail(f"{error}; put the missing key back into the file. {total} persons were re-encrypted before that")
    out.print(f"re-encrypted {total} persons and {factors} second factors with key {keys.newest}")
    if keys.finding is None:
        out.print("the file has no finding key, so nobody is found by name: huzhu people newkey --finding makes one")
    else:
        out.print(f"made the hashes of {hashed} more persons with finding key {keys.finding.newest}")


def _hash_late(engine: Engine, keys: Keyring, operator: str) -> int:
    """Makes the hashes of whoever has none under the newest finding key; returns of how many. Raises NotReadable."""
    from acts.record_operator_acts import record_operator_acts

    total, after = 0, b""
    while True:
        with engine.begin() as connection:
            made = people_directory.hash_late(connection, keys, AT_ONCE, after)
            if not made or keys.finding is None:
                return total
            subject = {"people": str(len(made)), "key_id": keys.finding.newest, "change": "hashes made"}
            record_operator_acts(connection, utc_now, [ConsoleAct(AuditKind.PEOPLE_LOADED.value, operator, subject)])
        total, after = total + len(made), made[-1]


def _text(file: Path) -> str:
    """The content of a file or of standard input; ends the command if it cannot be read."""
    try:
        return decoded(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file}: is neither UTF-8 nor GB 18030 text: save it as CSV UTF-8")


def _check(file: Path, text: str) -> None:
    """Ends the command unless every line can be loaded; the message names lines and fields but quotes nothing."""
    reader = _reader(text)
    faults = []
    try:
        missing = set(FIELDS) - set(reader.fieldnames or ())
        if missing:
            fail(f"{file}: missing in the first line: {', '.join(sorted(missing))}")
        faults = [f"{file}, line {reader.line_num}: {fault}" for row in reader if (fault := _fault(row))]
    except csv.Error as error:
        fail(f"{file}, line {reader.line_num}: is not CSV: {error}; nothing was loaded")
    if faults:
        more = [f"and {len(faults) - FAULTS_SHOWN} more lines"] if len(faults) > FAULTS_SHOWN else []
        fail(
            "\n".join(
                [*faults[:FAULTS_SHOWN], *more, "nothing was loaded: correct these lines and load the file again"]
            )
        )


def _fault(row: dict[str, str]) -> str | None:
    """What is wrong with a line, if anything; unknown fields are left empty."""
    if None in row or None in row.values():
        return "has more or fewer cells than the first line"
    person = _details(row)
    if not person.person_id:
        return "has no person_id"
    if any(len(value) > 200 for value in person):
        return "has a field of more than 200 characters"
    if person.id_number and not is_identity_number(person.id_number):
        return "id_number is no identity number (18 characters with a right check character, or the old 15 digits)"
    if person.phone and not is_phone_number(person.phone):
        return "phone is no telephone number"
    return None


def _persons(text: str) -> Iterator[PersonDetails]:
    return map(_details, _reader(text))


def _reader(text: str) -> csv.DictReader[str]:
    return csv.DictReader(io.StringIO(text, newline=""), strict=True)


def _details(row: dict[str, str]) -> PersonDetails:
    return PersonDetails(*(row[name].strip() for name in FIELDS))
