"""The claims that are held, as they may be there twice."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select

from infra.ledger.tables import benefits, claims
from schemas.ids import ClaimId, PersonId


class HeldClaim(NamedTuple):
    """A claim that is held; ``twice`` says why (`handlers.claims.twice.as_written`). ``due`` and ``paid`` are fen."""

    claim_id: ClaimId
    person_id: PersonId
    discharged_on: date | None
    twice: str
    hold_released: str
    due: int
    paid: int

    @property
    def kept(self) -> int:
        """What is not paid while the claim is held, in fen."""
        return self.due - self.paid


def all_held(connection: Connection) -> list[HeldClaim]:
    """All claims that are held, by day of discharge and id."""
    rows = connection.execute(_query().where(claims.c.held).order_by(claims.c.discharged_on, claims.c.claim_id))
    return [_claim(row) for row in rows]


def held_claim(connection: Connection, claim_id: str) -> HeldClaim | None:
    """A claim, whether it is held now or was before; None if nobody has decided about it."""
    row = connection.execute(_query().where(claims.c.claim_id == claim_id)).one_or_none()
    return None if row is None else _claim(row)


def _query() -> Select[Any]:
    sums = (func.coalesce(func.sum(column), 0) for column in (benefits.c.benefit, benefits.c.released))
    columns = [claims.c[name] for name in HeldClaim._fields[:5]]
    both = claims.outerjoin(benefits, benefits.c.claim_id == claims.c.claim_id)
    return select(*columns, *sums).select_from(both).group_by(*columns)


def _claim(row: Row[Any]) -> HeldClaim:
    values: tuple[Any, ...] = tuple(row)
    return HeldClaim(*values[:-2], *map(int, values[-2:]))
