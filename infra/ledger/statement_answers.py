"""What insurers answered to their statements."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ARRAY, Connection, Text, and_, any_, bindparam, select

from infra.ledger.clearing_tables import statements
from infra.ledger.tables import events, facts
from schemas.facts import Kind
from schemas.ids import StatementId


class KeptAnswer(NamedTuple):
    """One accepted version of an answer, as sent. Of an answer to no statement of this insurer, the last two are None.

    ``month`` is the first day of the statement's month.
    """

    statement_id: StatementId
    insurer: str
    version: int
    recorded_at: datetime
    value: bytes
    treaty_id: str | None
    month: date | None


def insurers_of(connection: Connection, statement_ids: Collection[StatementId]) -> dict[StatementId, str]:
    """To which insurer each of some statements was issued; those that were not issued are left out."""
    if not statement_ids:
        return {}
    named = bindparam("named", list(statement_ids), type_=ARRAY(Text))
    query = select(statements.c.statement_id, statements.c.insurer).where(statements.c.statement_id == any_(named))
    return {StatementId(row.statement_id): row.insurer for row in connection.execute(query)}


def answers(connection: Connection, statement_id: str | None = None) -> list[KeptAnswer]:
    """All versions of the answers, to one statement or to any, in the order in which they were taken in."""
    issued = and_(statements.c.statement_id == facts.c.subject_id, statements.c.insurer == facts.c.person_id)
    query = (
        select(
            facts.c.subject_id,
            facts.c.person_id,
            facts.c.version,
            events.c.recorded_at,
            events.c.value,
            statements.c.treaty_id,
            statements.c.month,
        )
        .join(events, events.c.event_no == facts.c.event_no)
        .outerjoin(statements, issued)
        .where(facts.c.kind == Kind.STATEMENT)
        .order_by(facts.c.event_no)
    )
    if statement_id is not None:
        query = query.where(facts.c.subject_id == statement_id)
    return [KeptAnswer(*row)._replace(value=bytes(row.value)) for row in connection.execute(query)]
