"""Users of the console: created and changed by a named operator, with an audit entry each; signing in and lock-out."""

from __future__ import annotations

import re
import secrets
import threading
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine

from acts.record_operator_acts import record_operator_acts
from infra.clock import Clock
from infra.ledger import console_user_rows, identity_provider_rows, second_factor_rows
from schemas.access.console_rights import ConsoleAct, ConsoleRole, Session, User
from schemas.canonical import sha256_hex
from schemas.outbound import AuditKind

FAILURES_MAX = 5
LOCKED = timedelta(minutes=15)
IDLE_MAX = timedelta(minutes=30)
SESSION_MAX = timedelta(hours=12)
CODE_WAIT = timedelta(minutes=10)
"""How long after the password a code is waited for."""
PASSWORD_LENGTH_MIN = 12
PASSWORD_BYTES_MAX = 1024
_SEEN_EVERY = timedelta(minutes=1)
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")
_hasher = PasswordHasher()
_turn = threading.BoundedSemaphore(2)
"""A hash deliberately takes 64 MiB and some tenths of a second: two run at once, the others wait."""


class UserRefused(Exception):
    """The user cannot be created or changed; the message says why."""


def create(connection: Connection, name: str, role: ConsoleRole, password: str, operator: str, now: Clock) -> None:
    """Creates a user. Raises UserRefused."""
    if not _NAME.fullmatch(name):
        raise UserRefused(
            "a user name must start with a letter and have 2 to 40 characters: a-z, 0-9, dot, dash and underscore"
        )
    _check_password(name, password)
    moment = now()
    user = User(
        name=name,
        role=role,
        password_hash=_hash(password),
        created_at=moment,
        created_by=operator,
        disabled_at=None,
        failures=0,
        locked_until=None,
    )
    if console_user_rows.find(connection, name) is not None:
        raise UserRefused(f"user {name} already exists: `huzhu users list` lists them all")
    record_operator_acts(connection, lambda: moment, [on_user(AuditKind.USER_CREATED, operator, name, role=role.value)])
    console_user_rows.add(connection, user)


def disable(connection: Connection, name: str, operator: str, now: Clock) -> None:
    """Disables a user and ends the user's sessions. Raises UserRefused."""
    user = _find(connection, name)
    if user.disabled_at is not None:
        raise UserRefused(f"user {name} is already disabled")
    moment = now()
    record_operator_acts(
        connection, lambda: moment, [on_user(AuditKind.USER_CHANGED, operator, name, change="disabled")]
    )
    console_user_rows.change(connection, user._replace(disabled_at=moment))
    console_user_rows.close_sessions_of(connection, name)


def enable(connection: Connection, name: str, operator: str, now: Clock) -> None:
    """Lets a disabled user sign in again, with the password as it was. Raises UserRefused."""
    user = _find(connection, name)
    if user.disabled_at is None:
        raise UserRefused(f"user {name} is not disabled")
    record_operator_acts(connection, now, [on_user(AuditKind.USER_CHANGED, operator, name, change="enabled")])
    console_user_rows.change(connection, user._replace(disabled_at=None))


def reset(connection: Connection, name: str, password: str, operator: str, now: Clock) -> None:
    """Sets a new password, ends the user's sessions, unlocks and enables the user. Raises UserRefused."""
    _check_password(name, password)
    hashed = _hash(password)
    user = _find(connection, name)
    if identity_provider_rows.of_provider(connection, [name]):
        raise UserRefused(f"{name} signs in with the identity provider, and has no password here")
    record_operator_acts(connection, now, [on_user(AuditKind.USER_CHANGED, operator, name, change="password reset")])
    changed = user._replace(password_hash=hashed, failures=0, locked_until=None, disabled_at=None)
    console_user_rows.change(connection, changed)
    console_user_rows.close_sessions_of(connection, name)


def unlock(connection: Connection, name: str, operator: str, now: Clock) -> None:
    """Unlocks a user. Raises UserRefused."""
    user = _find(connection, name)
    record_operator_acts(connection, now, [on_user(AuditKind.USER_CHANGED, operator, name, change="unlocked")])
    console_user_rows.change(connection, user._replace(failures=0, locked_until=None))


def sign_in(engine: Engine, name: str, password: str, now: Clock) -> str | None:
    """The token of a new session, or None when name or password are wrong or the user is disabled or locked.

    An unknown name takes as much time as a wrong password and gives the same answer. The session of a user with a
    second factor awaits a code (`acts.second_factor.give_code`). Until then wrong passwords stay counted, or whoever
    knows the password could try codes for ever.
    """
    with engine.connect() as connection:
        found = console_user_rows.find(connection, name[:100])
    password_matches = _matches(found.password_hash if found else _hash_of_nobody(), password)
    if found is None:
        return None
    with engine.begin() as connection:
        user = console_user_rows.find(connection, found.name, to_change=True)
        moment = now()
        if user is None or user.disabled_at is not None or user.password_hash != found.password_hash:
            return None
        if user.locked_until is not None and moment < user.locked_until:
            return None
        if not password_matches:
            count_failure(connection, user, moment)
            return None
        if _hasher.check_needs_rehash(user.password_hash):
            user = user._replace(password_hash=_hash(password))
            console_user_rows.change(connection, user)
        console_user_rows.forget_sessions(connection, moment - SESSION_MAX, moment - IDLE_MAX)
        if second_factor_rows.find(connection, user.name) is not None:
            return open_session(connection, user.name, moment, awaits_code=True)
        return let_in(connection, user, moment)


def count_failure(connection: Connection, user: User, moment: datetime) -> None:
    """Counts a wrong password or code of a user whose row is locked, and locks the user out with the fifth."""
    failures = user.failures + 1
    locked = failures >= FAILURES_MAX
    until = moment + LOCKED if locked else None
    if locked:
        record_operator_acts(connection, lambda: moment, [on_user(AuditKind.USER_LOCKED, user.name, user.name)])
    console_user_rows.change(connection, user._replace(failures=0 if locked else failures, locked_until=until))


def let_in(connection: Connection, user: User, moment: datetime, **by: str) -> str:
    """The token of a new session of a user who has shown everything that is asked for."""
    record_operator_acts(connection, lambda: moment, [on_user(AuditKind.SIGNED_IN, user.name, user.name, **by)])
    console_user_rows.change(connection, user._replace(failures=0, locked_until=None))
    return open_session(connection, user.name, moment)


def open_session(
    connection: Connection,
    user_name: str,
    moment: datetime,
    *,
    awaits_code: bool = False,
    until: datetime | None = None,
) -> str:
    """The token of a new session."""
    token = secrets.token_urlsafe(32)
    csrf = secrets.token_urlsafe(32)
    console_user_rows.open_session(
        connection, token_digest(token), user_name, csrf, moment, awaits_code=awaits_code, until=until
    )
    return token


def session_of(engine: Engine, token: str, now: Clock) -> Session | None:
    """The session of a cookie, or None when it is unknown, too old or unused for too long."""
    moment = now()
    with engine.connect() as connection:
        session = console_user_rows.session_of(connection, token_digest(token))
    if session is None or moment - session.created_at > SESSION_MAX or moment - session.seen_at > IDLE_MAX:
        return None
    if session.until is not None and moment >= session.until:
        return None
    if session.awaits_code and moment - session.created_at > CODE_WAIT:
        return None
    if moment - session.seen_at > _SEEN_EVERY:
        with engine.begin() as connection:
            console_user_rows.seen(connection, token_digest(token), moment)
    return session


def sign_out(engine: Engine, token: str) -> None:
    with engine.begin() as connection:
        console_user_rows.close_session(connection, token_digest(token))


def _find(connection: Connection, name: str) -> User:
    user = console_user_rows.find(connection, name, to_change=True)
    if user is None:
        raise UserRefused(f"there is no user {name}: `huzhu users list` lists them all")
    return user


def _check_password(name: str, password: str) -> None:
    if len(password) < PASSWORD_LENGTH_MIN:
        raise UserRefused(f"the password must have at least {PASSWORD_LENGTH_MIN} characters")
    if len(password.encode("utf-8")) > PASSWORD_BYTES_MAX:
        raise UserRefused(f"the password must have at most {PASSWORD_BYTES_MAX} bytes")
    if name in password.lower() or len(set(password)) < 5:
        raise UserRefused("this password is too easy to guess: do not use the name, and use more different characters")


def on_user(kind: AuditKind, operator: str, name: str, **details: str) -> ConsoleAct:
    """What the audit log says about an operator's act on a user."""
    return ConsoleAct(kind.value, operator, {"user": name, **details})


def _hash(password: str) -> str:
    with _turn:
        return _hasher.hash(password)


def _matches(hashed: str, password: str) -> bool:
    if len(password.encode("utf-8", "replace")) > PASSWORD_BYTES_MAX:
        return False
    try:
        with _turn:
            return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hash_of_nobody() -> str:
    """The hash of a random password, so that an unknown name takes as much time as a wrong password."""
    return _hash(secrets.token_urlsafe(32))


def token_digest(token: str) -> str:
    """Under what the ledger keeps a session."""
    return sha256_hex(token.encode("utf-8", "replace"))
