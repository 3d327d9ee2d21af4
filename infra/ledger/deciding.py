"""What all tables of proposals have in common: who is to decide, and that somebody has decided."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Table, func, select, update


def awaiting(connection: Connection, table: Table, user: str) -> int:
    """How many proposals wait for somebody else than who made them, if that somebody is ``user``."""
    theirs = func.lower(table.c.proposed_by) != user.lower()
    return connection.scalar(select(func.count()).select_from(table).where(table.c.decision.is_(None), theirs)) or 0


def decide(
    connection: Connection, table: Table, proposal_no: int, operator: str, decision: str, moment: datetime
) -> None:
    """Closes a proposal; the database refuses the proposer's own name."""
    connection.execute(
        update(table)
        .where(table.c.proposal_no == proposal_no)
        .values(decided_by=operator, decided_at=moment, decision=decision)
    )
