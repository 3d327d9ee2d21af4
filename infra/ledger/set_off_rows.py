"""Payments that were kept back for a recovery."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from infra.ledger.tables import instructions


class KeptBack(NamedTuple):
    """A payment, or a part of one, in fen, that is set off against a recovery."""

    payout_id: str
    claim_id: str
    amount: int


def kept_back_for(connection: Connection, recovery: str) -> list[KeptBack]:
    """What was kept back for a recovery so far, oldest first."""
    columns = [instructions.c[name] for name in KeptBack._fields]
    query = select(*columns).where(instructions.c.set_off_of == recovery)
    return [KeptBack(*row) for row in connection.execute(query.order_by(instructions.c.event_no, columns[0]))]
