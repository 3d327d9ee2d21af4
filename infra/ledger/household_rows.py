"""A household as the console shows it: who is linked to it, and the claims that were decided with its sums."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select

from infra.ledger.group_tables import memberships
from infra.ledger.tables import claims
from schemas.ids import PersonId


class HouseholdClaim(NamedTuple):
    """A claim as last decided; amounts in fen."""

    claim_id: str
    person_id: PersonId
    status: str
    discharged_on: date | None
    personal_burden: int
    total_benefit: int


def members_of(connection: Connection, household_id: str) -> list[PersonId]:
    """Everybody whom the newest version of a membership links to a household, on whatever days; by their ids."""
    rows = connection.scalars(
        select(memberships.c.person_id).where(memberships.c.household_id == household_id).distinct()
    )
    return sorted(rows)


def claims_of_household(connection: Connection, household_id: str) -> list[HouseholdClaim]:
    """The claims of its members that were decided with its sums, newest discharge first."""
    members = select(memberships.c.person_id).where(memberships.c.household_id == household_id)
    rows = connection.execute(
        select(*(claims.c[name] for name in HouseholdClaim._fields))
        .where(claims.c.person_id.in_(members), claims.c.household_id == household_id)
        .order_by(claims.c.discharged_on.desc().nulls_last(), claims.c.claim_id)
    )
    return [HouseholdClaim(*row) for row in rows]
