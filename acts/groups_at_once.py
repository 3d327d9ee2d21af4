"""Many persons, some at a time, each with all whose claims are decided together with theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection

from handlers.claims.households import linked
from infra.ledger import group_rows
from schemas.ids import PersonId

PERSONS_AT_ONCE = 200


def groups_at_once(
    connection: Connection, persons: Collection[PersonId], by_household: bool
) -> Iterator[list[list[PersonId]]]:
    """The groups of persons whom invoices link, and households where ``by_household``, in order of their ids."""
    groups = linked(group_rows.linked_to(connection, persons, households=by_household))
    some, count = list[list[PersonId]](), 0
    for group in groups:
        some.append(group)
        count += len(group)
        if count >= PERSONS_AT_ONCE:
            yield some
            some, count = [], 0
    if some:
        yield some
