"""Users and sessions of the console in the ledger. Passwords and cookies are stored only as hashes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, exists, func, select, update

from infra.ledger.console_tables import console_sessions, console_users, operator_tokens, second_factors
from schemas.access.console_rights import ConsoleRole, Session, User

_columns = [console_users.c[name] for name in User._fields]


def find(connection: Connection, name: str, *, to_change: bool = False) -> User | None:
    """The user with a name; with ``to_change`` others wait until this transaction ends."""
    query = select(*_columns).where(console_users.c.name == name)
    row = connection.execute(query.with_for_update() if to_change else query).one_or_none()
    return None if row is None else User(*row)._replace(role=ConsoleRole(row.role))


def all_users(connection: Connection) -> list[User]:
    """Every user ever made, by name."""
    rows = connection.execute(select(*_columns).order_by(console_users.c.name))
    return [User(*row)._replace(role=ConsoleRole(row.role)) for row in rows]


def add(connection: Connection, user: User) -> None:
    connection.execute(console_users.insert().values(user._asdict() | {"role": user.role.value}))


def change(connection: Connection, user: User) -> None:
    """Updates a user."""
    values = user._asdict() | {"role": user.role.value}
    connection.execute(update(console_users).where(console_users.c.name == user.name).values(values))


def count_person_search(connection: Connection, name: str, moment: datetime, within: timedelta) -> int:
    """Counts a search for persons; returns how many that user has made since the first of this ``within``."""
    user = console_users.c
    going_on = user.person_searches_since > moment - within
    counted = {
        "person_searches": case((going_on, user.person_searches + 1), else_=1),
        "person_searches_since": case((going_on, user.person_searches_since), else_=moment),
    }
    query = update(console_users).where(user.name == name).values(counted).returning(user.person_searches)
    return int(connection.scalar(query) or 0)


def open_session(
    connection: Connection,
    token_sha256: str,
    user_name: str,
    csrf: str,
    moment: datetime,
    *,
    awaits_code: bool = False,
    until: datetime | None = None,
) -> None:
    connection.execute(
        console_sessions.insert().values(
            token_sha256=token_sha256,
            user_name=user_name,
            csrf=csrf,
            created_at=moment,
            seen_at=moment,
            awaits_code=awaits_code,
            until=until,
        )
    )


def session_of(connection: Connection, token_sha256: str) -> Session | None:
    """The session of a cookie, unless its user was disabled."""
    row = connection.execute(
        select(
            console_sessions.c.user_name,
            console_users.c.role,
            console_sessions.c.csrf,
            console_sessions.c.created_at,
            console_sessions.c.seen_at,
            console_sessions.c.awaits_code,
            exists().where(second_factors.c.user_name == console_users.c.name),
            console_sessions.c.until,
        )
        .join(console_users, console_users.c.name == console_sessions.c.user_name)
        .where(console_sessions.c.token_sha256 == token_sha256, console_users.c.disabled_at.is_(None))
    ).one_or_none()
    return None if row is None else Session(*row)._replace(role=ConsoleRole(row.role))


def seen(connection: Connection, token_sha256: str, moment: datetime) -> None:
    """Notes that a session was used."""
    connection.execute(
        update(console_sessions).where(console_sessions.c.token_sha256 == token_sha256).values(seen_at=moment)
    )


def close_session(connection: Connection, token_sha256: str) -> None:
    connection.execute(delete(console_sessions).where(console_sessions.c.token_sha256 == token_sha256))


def close_sessions_of(connection: Connection, user_name: str) -> None:
    """Ends a user's sessions in the console and on the command line."""
    connection.execute(delete(operator_tokens).where(operator_tokens.c.user_name == user_name))
    connection.execute(delete(console_sessions).where(console_sessions.c.user_name == user_name))


def forget_sessions(connection: Connection, made_before: datetime, seen_before: datetime) -> None:
    """Deletes sessions that have ended by age."""
    old = (console_sessions.c.created_at < made_before) | (console_sessions.c.seen_at < seen_before)
    connection.execute(delete(console_sessions).where(old))


def count_live(connection: Connection) -> dict[str, int]:
    """Sessions by user."""
    query = select(console_sessions.c.user_name, func.count()).group_by(console_sessions.c.user_name)
    return {row[0]: row[1] for row in connection.execute(query)}
