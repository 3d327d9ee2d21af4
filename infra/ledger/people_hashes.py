"""By what persons are found without their ids: a row of keyed hashes beside each entry of the directory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select
from sqlalchemy.dialects.postgresql import insert

from infra.keys.blind_index import BlindIndex
from infra.ledger.console_tables import people, people_hashes
from schemas.searched_words import PersonalKind


def keep(
    connection: Connection,
    finding: BlindIndex,
    persons: Mapping[bytes, Mapping[str, str]],
    loaded_at: Mapping[bytes, datetime],
) -> None:
    """Inserts or replaces the hashes of persons, by their indexes in the directory; each with its fields in clear."""
    rows = [
        {"person_index": index, "key_id": finding.newest, "loaded_at": loaded_at[index]}
        | {kind.value: finding.digest(kind, fields[kind], finding.newest) for kind in PersonalKind}
        for index, fields in persons.items()
    ]
    if rows:
        statement = insert(people_hashes)
        changed = {name: statement.excluded[name] for name in ("key_id", "loaded_at", *PersonalKind)}
        connection.execute(statement.on_conflict_do_update(index_elements=["person_index"], set_=changed), rows)


def is_of(finding: BlindIndex, kind: PersonalKind, text: str) -> ColumnElement[bool]:
    """Which rows are of persons with this name or number, under whatever key of the file."""
    found = [(key_id, finding.digest(kind, text, key_id)) for key_id in finding.key_ids]
    column, key = people_hashes.c[kind.value], people_hashes.c.key_id
    return or_(*(and_(column == digest, key == key_id) for key_id, digest in found if digest is not None))


def is_late(finding: BlindIndex) -> ColumnElement[bool]:
    """Which entries of the directory, outer-joined with their hashes, have none of the newest key or of their fields.

    Whoever loads people without a finding key, or with a program from before it, leaves hashes as they were.
    """
    kept = people_hashes.c
    return or_(kept.person_index.is_(None), kept.key_id != finding.newest, kept.loaded_at != people.c.loaded_at)


def any_of(connection: Connection, finding: BlindIndex) -> bool:
    """Whether anybody can be found with a key of the file."""
    query = select(people_hashes.c.key_id).where(people_hashes.c.key_id.in_(finding.key_ids)).limit(1)
    return connection.scalar(query) is not None
