"""What all tables of proposals have in common: who is to decide, and that somebody has decided."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, Table, and_, func, literal, select, update

from infra.ledger.console_tables import oidc_identities


def awaiting(connection: Connection, table: Table, user: str) -> int:
    """How many proposals wait for somebody else than who made them, if that somebody is ``user``."""
    return connection.scalar(select(func.count()).select_from(table).where(waits_for(table, user))) or 0


def waits_for(table: FromClause, user: str) -> ColumnElement[bool]:
    """Whether a proposal is open, and ``user`` may decide about it (`acts.four_eyes.to_decide`).

    Not one's own; nor, where one of the two signs in with an identity provider, that of somebody who does not.
    """
    provided = select(oidc_identities.c.user_name)
    alike = table.c.proposed_by.in_(provided) == literal(user).in_(provided)
    return and_(table.c.decision.is_(None), ~_made_by(table, user), alike)


def is_own(table: FromClause, user: str) -> ColumnElement[bool]:
    """Whether a proposal is open, and ``user`` made it."""
    return and_(table.c.decision.is_(None), _made_by(table, user))


def _made_by(table: FromClause, user: str) -> ColumnElement[bool]:
    return func.lower(table.c.proposed_by) == user.lower()


def decide(
    connection: Connection, table: Table, proposal_no: int, operator: str, decision: str, moment: datetime
) -> None:
    """Closes a proposal; the database refuses the proposer's own name."""
    connection.execute(
        update(table)
        .where(table.c.proposal_no == proposal_no)
        .values(decided_by=operator, decided_at=moment, decision=decision)
    )
