"""The identity directory: names, telephone and identity numbers, each encrypted and found by keyed hashes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, delete, select
from sqlalchemy.dialects.postgresql import insert

from infra.keys.personal_data import Keyring
from infra.ledger import people_hashes as hashes
from infra.ledger.console_tables import people, people_hashes
from schemas.searched_words import PersonalKind, normalised

FIELDS = ("person_id", "name", "phone", "id_number")
_AT_ONCE = 5000


class PersonDetails(NamedTuple):
    """Who somebody is. Unknown fields are empty."""

    person_id: str
    name: str
    phone: str
    id_number: str


def load(connection: Connection, keys: Keyring, persons: Iterable[PersonDetails], moment: datetime) -> int:
    """Inserts people, or replaces their entries, those under older keys too; returns how many."""
    rows, clear, older = {}, {}, list[bytes]()
    for person in persons:
        indexes = keys.indexes(person.person_id)
        index = indexes[keys.newest]
        older += [each for key_id, each in indexes.items() if key_id != keys.newest]
        sealed = {name: keys.seal(value, _place(name, index)) for name, value in person._asdict().items()}
        rows[index] = {"person_index": index, "key_id": keys.newest, "loaded_at": moment, **sealed}
        clear[index] = person._asdict()
    if rows:
        connection.execute(delete(people).where(people.c.person_index.in_(older)))
        statement = insert(people)
        changed = {name: statement.excluded[name] for name in (*FIELDS, "key_id", "loaded_at")}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["person_index"], set_=changed), list(rows.values())
        )
        if keys.finding is not None:
            hashes.keep(connection, keys.finding, clear, dict.fromkeys(clear, moment))
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


def find_by(connection: Connection, keys: Keyring, kind: PersonalKind, text: str, limit: int) -> list[PersonDetails]:
    """Up to ``limit`` persons with this name or number; none without a finding key. Raises NotReadable.

    What a hash finds is compared with the field itself, so a hash that is late or was moved shows nobody.
    """
    form = normalised(kind, text)
    if keys.finding is None or not form:
        return []
    readable = people.c.key_id.in_(keys.indexes(""))
    query = _entries().join(people_hashes).where(hashes.is_of(keys.finding, kind, text), readable).limit(limit)
    persons = [_opened(keys, row) for row in connection.execute(query)]
    return [each for each in persons if normalised(kind, each._asdict()[kind.value]) == form]


def can_find(connection: Connection, keys: Keyring) -> bool:
    """Whether persons can be found by name and numbers: there is a finding key, and hashes under it."""
    return keys.finding is not None and hashes.any_of(connection, keys.finding)


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
    """Re-encrypts up to ``limit`` people whose key is not the newest; returns how many. Raises NotReadable.

    Who was loaded under the newest key meanwhile keeps that entry.
    """
    old = connection.execute(
        _entries()
        .where(people.c.key_id != keys.newest)
        .order_by(people.c.person_index)
        .limit(limit)
        .with_for_update(of=people)
    ).all()
    opened = {keys.indexes(each.person_id)[keys.newest]: each for each in (_opened(keys, row) for row in old)}
    connection.execute(delete(people).where(people.c.person_index.in_([row.person_index for row in old])))
    newer = set(connection.scalars(select(people.c.person_index).where(people.c.person_index.in_(opened))))
    load(connection, keys, [each for index, each in opened.items() if index not in newer], moment)
    return len(old)


def hash_late(connection: Connection, keys: Keyring, limit: int, after: bytes = b"") -> list[bytes]:
    """Makes the hashes of up to ``limit`` people who have none under the newest finding key, or late ones.

    Returns their indexes, all of them higher than ``after``. Raises NotReadable.
    """
    if keys.finding is None:
        return []
    late = connection.execute(
        _entries()
        .outerjoin(people_hashes)
        .where(people.c.person_index > after, hashes.is_late(keys.finding))
        .order_by(people.c.person_index)
        .limit(limit)
        .with_for_update(of=people)
    ).all()
    persons = {bytes(row.person_index): _opened(keys, row)._asdict() for row in late}
    hashes.keep(connection, keys.finding, persons, {bytes(row.person_index): row.loaded_at for row in late})
    return list(persons)


def _entries() -> Select[Any]:
    return select(people.c.person_index, people.c.key_id, people.c.loaded_at, *(people.c[name] for name in FIELDS))


def _opened(keys: Keyring, row: Any) -> PersonDetails:
    index, fields = bytes(row.person_index), row._mapping
    return PersonDetails(*(keys.open(bytes(fields[name]), row.key_id, _place(name, index)) for name in FIELDS))


def _place(field: str, index: bytes) -> str:
    return f"people/{field}/{index.hex()}"
