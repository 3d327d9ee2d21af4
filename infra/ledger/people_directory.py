"""The identity directory: names, telephone and identity numbers, each encrypted separately."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from infra.keys.personal_data import Keyring
from infra.ledger.console_tables import people

FIELDS = ("person_id", "name", "phone", "id_number")
_AT_ONCE = 5000


class PersonDetails(NamedTuple):
    """Who somebody is. Unknown fields are empty."""

    person_id: str
    name: str
    phone: str
    id_number: str


def load(connection: Connection, keys: Keyring, persons: Iterable[PersonDetails], moment: datetime) -> int:
    """Inserts people, or replaces their entries; returns how many."""
    rows = {}
    for person in persons:
        index = keys.indexes(person.person_id)[keys.newest]
        sealed = {name: keys.seal(value, _place(name, index)) for name, value in person._asdict().items()}
        rows[index] = {"person_index": index, "key_id": keys.newest, "loaded_at": moment, **sealed}
    if rows:
        statement = insert(people)
        changed = {name: statement.excluded[name] for name in (*FIELDS, "key_id", "loaded_at")}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["person_index"], set_=changed), list(rows.values())
        )
    return len(rows)


def find(connection: Connection, keys: Keyring, person_id: str) -> PersonDetails | None:
    """What the directory knows of a person. Raises NotReadable when its key is gone."""
    for key_id, index in reversed(keys.indexes(person_id).items()):
        query = select(*(people.c[name] for name in FIELDS)).where(
            people.c.person_index == index, people.c.key_id == key_id
        )
        row = connection.execute(query).one_or_none()
        if row is not None:
            return PersonDetails(
                *(keys.open(bytes(row[at]), key_id, _place(name, index)) for at, name in enumerate(FIELDS))
            )
    return None


def is_empty(connection: Connection) -> bool:
    """Whether nobody was ever loaded into the directory."""
    return connection.scalar(select(people.c.person_index).limit(1)) is None


def with_id_numbers(connection: Connection, keys: Keyring, wanted: Collection[str]) -> dict[str, list[str]]:
    """The persons of some identity numbers, in order of their ids; a number that nobody has is left out.

    Reads the whole directory, as numbers are encrypted. Raises NotReadable.
    """
    found = dict[str, list[str]]()
    query = select(people.c.person_index, people.c.key_id, people.c.id_number, people.c.person_id)
    for row in connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
        index = bytes(row.person_index)
        number = keys.open(bytes(row.id_number), row.key_id, _place("id_number", index)).upper()
        if number in wanted:
            person_id = keys.open(bytes(row.person_id), row.key_id, _place("person_id", index))
            found.setdefault(number, []).append(person_id)
    return {number: sorted(persons) for number, persons in found.items()}


def rotate(connection: Connection, keys: Keyring, moment: datetime, limit: int) -> int:
    """Re-encrypts up to ``limit`` people whose key is not the newest; returns how many. Raises NotReadable."""
    columns = [people.c[name] for name in FIELDS]
    old = connection.execute(
        select(people.c.person_index, people.c.key_id, *columns)
        .where(people.c.key_id != keys.newest)
        .order_by(people.c.person_index)
        .limit(limit)
        .with_for_update()
    ).all()
    opened = []
    for row in old:
        index = bytes(row.person_index)
        opened.append(
            PersonDetails(
                *(keys.open(bytes(row[2 + at]), row.key_id, _place(name, index)) for at, name in enumerate(FIELDS))
            )
        )
        connection.execute(delete(people).where(people.c.person_index == index))
    return load(connection, keys, opened, moment)


def _place(field: str, index: bytes) -> str:
    return f"people/{field}/{index.hex()}"
