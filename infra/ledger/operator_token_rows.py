"""Who is signed in on the command line: tokens, of which only the hash is kept."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, exists, select

from infra.ledger.console_tables import console_users, operator_tokens
from schemas.access.console_rights import ConsoleRole


class SignedInOperator(NamedTuple):
    """A user of the console on the command line."""

    name: str
    role: ConsoleRole


def add(connection: Connection, token_sha256: str, user_name: str, moment: datetime, until: datetime) -> None:
    connection.execute(
        operator_tokens.insert().values(
            token_sha256=token_sha256, user_name=user_name, created_at=moment, expires_at=until
        )
    )


def find(connection: Connection, token_sha256: str, moment: datetime) -> SignedInOperator | None:
    """Whose token it is, unless it has expired or the user was disabled."""
    row = connection.execute(
        select(console_users.c.name, console_users.c.role)
        .join(operator_tokens, operator_tokens.c.user_name == console_users.c.name)
        .where(
            operator_tokens.c.token_sha256 == token_sha256,
            operator_tokens.c.expires_at > moment,
            console_users.c.disabled_at.is_(None),
        )
    ).one_or_none()
    return None if row is None else SignedInOperator(row.name, ConsoleRole(row.role))


def remove(connection: Connection, token_sha256: str) -> bool:
    """Whether there was one."""
    return (
        connection.execute(delete(operator_tokens).where(operator_tokens.c.token_sha256 == token_sha256)).rowcount > 0
    )


def forget(connection: Connection, moment: datetime) -> None:
    """Deletes what has expired."""
    connection.execute(delete(operator_tokens).where(operator_tokens.c.expires_at <= moment))


def somebody_can_sign_in(connection: Connection, role: ConsoleRole | None = None) -> bool:
    """Whether there is an enabled user of a role; without a role, whether there ever was any user."""
    query = exists().select_from(console_users)
    if role is not None:
        query = query.where(console_users.c.role == role.value, console_users.c.disabled_at.is_(None))
    return bool(connection.scalar(select(query)))
