"""What insurers answered to their statements."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ARRAY, Connection, Text, any_, bindparam, select

from infra.ledger.clearing_tables import statements
from schemas.ids import StatementId


def insurers_of(connection: Connection, statement_ids: Collection[StatementId]) -> dict[StatementId, str]:
    """To which insurer each of some statements was issued; those that were not issued are left out."""
    if not statement_ids:
        return {}
    named = bindparam("named", list(statement_ids), type_=ARRAY(Text))
    query = select(statements.c.statement_id, statements.c.insurer).where(statements.c.statement_id == any_(named))
    return {StatementId(row.statement_id): row.insurer for row in connection.execute(query)}
