"""The persons that a search finds: by their number in the ledger, and by name and numbers in the directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from infra.keys.personal_data import Keyring
from infra.ledger import claim_search, people_directory
from infra.ledger.people_directory import PersonDetails
from schemas.searched_words import PersonalKind, personal_kinds

MOST_PERSONS = 20
"""How many persons of one name or number are listed; of more, none is."""


class PersonHit(NamedTuple):
    """A person, what led there, and whether the ledger has facts about them."""

    details: PersonDetails
    by: list[str]
    in_ledger: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonsFound:
    """``kinds``: what of a person the text can be. ``unready``: it can be, but nobody is found by that here yet."""

    hits: list[PersonHit]
    kinds: list[PersonalKind]
    too_many: bool
    unready: bool


def persons_found(connection: Connection, keys: Keyring, typed: str, ids: list[str]) -> PersonsFound:
    """The persons whose id is one of ``ids`` or whose name or number was typed. Raises NotReadable."""
    kinds, found, too_many = personal_kinds(typed), dict[str, tuple[PersonDetails, list[str]]](), False
    for person_id in ids:
        if claim_search.person_exists(connection, person_id):
            details = people_directory.find(connection, keys, person_id) or PersonDetails(person_id, "", "", "")
            found[person_id] = (details, ["person"])
    for kind in kinds:
        named = people_directory.find_by(connection, keys, kind, typed, MOST_PERSONS + 1)
        if len(named) > MOST_PERSONS:
            too_many = True
            continue
        for details in named:
            found.setdefault(details.person_id, (details, []))[1].append(kind.value)
    hits = [PersonHit(*hit, claim_search.person_exists(connection, person_id)) for person_id, hit in found.items()]
    unready = bool(kinds) and not people_directory.can_find(connection, keys)
    return PersonsFound(
        hits=sorted(hits, key=lambda hit: hit.details.person_id),
        kinds=kinds,
        too_many=too_many,
        unready=unready and not people_directory.is_empty(connection),
    )
