"""What each scheme counted and paid for each claim, as last decided: of one person, or of one household."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, or_, select

from infra.ledger.group_tables import memberships
from infra.ledger.tables import benefits, claims


class CountedRow(NamedTuple):
    """One scheme's part of a claim, in fen. ``policy_sha256`` is the policy under which the claim was decided.

    ``measured`` is what the scheme looked at, and ``reason`` why it pays nothing, if that is so.
    """

    claim_id: str
    person_id: str
    discharged_on: date
    policy_sha256: str
    scheme_id: str
    measured: int
    benefit: int
    reason: str | None


# A scheme that does not apply any more keeps a row, with the policy under which it had paid; a claim that was not
# decided has none.
_APPLYING = and_(benefits.c.claim_id == claims.c.claim_id, benefits.c.policy_sha256 == claims.c.policy_sha256)
_COUNTED = (
    select(
        claims.c.claim_id,
        claims.c.person_id,
        claims.c.discharged_on,
        claims.c.policy_sha256,
        *(benefits.c[name] for name in ("scheme_id", "measured", "benefit", "reason")),
    )
    .join(benefits, _APPLYING)
    .where(or_(benefits.c.tier.is_not(None), benefits.c.benefit > 0))  # aid is by level, without a tier
    .order_by(claims.c.discharged_on, claims.c.claim_id)
)


def counted_for_person(connection: Connection, person_id: str) -> list[CountedRow]:
    """What every scheme that has a tier for the person, or pays them aid, counted, in canonical order."""
    return _rows(connection, claims.c.person_id == person_id)


def counted_for_household(connection: Connection, household_id: str) -> list[CountedRow]:
    """What every scheme counted of claims that were decided with a household's sums, in canonical order."""
    members = select(memberships.c.person_id).where(memberships.c.household_id == household_id)
    return _rows(connection, claims.c.household_id == household_id, claims.c.person_id.in_(members))


def _rows(connection: Connection, *which: Any) -> list[CountedRow]:
    return [CountedRow(*row) for row in connection.execute(_COUNTED.where(*which))]
