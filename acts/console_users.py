"""Users of the console: created and changed by a named operator, with an audit entry each; signing in and lock-out."""

from __future__ import annotations

import re
import secrets
import threading
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine

from acts.record_operator_acts import record_operator_acts
from infra.clock import Clock
from infra.ledger import console_user_rows
from schemas.access.console_rights import ConsoleAct, ConsoleRole, Session, User
from schemas.canonical import sha256_hex
from schemas.outbound import AuditKind

FAILURES_MAX = 5
LOCKED = timedelta(minutes=15)
IDLE_MAX = timedelta(minutes=30)
SESSION_MAX = timedelta(hours=12)
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
    record_operator_acts(connection, lambda: moment, [_act(AuditKind.USER_CREATED, operator, name, role=role.value)])
    console_user_rows.add(connection, user)


def disable(connection: Connection, name: str, operator: str, now: Clock) -> None:
    """Disables a user and ends the user's sessions. Raises UserRefused."""
    user = _find(connection, name)
    if user.disabled_at is not None:
        raise UserRefused(f"user {name} is already disabled")
    moment = now()
    record_operator_acts(connection, lambda: moment, [_act(AuditKind.USER_CHANGED, operator, name, change="disabled")])
    console_user_rows.change(connection, user._replace(disabled_at=moment))
    console_user_rows.close_sessions_of(connection, name)


def enable(connection: Connection, name: str, operator: str, now: Clock) -> None:
    """Lets a disabled user sign in again, with the password as it was. Raises UserRefused."""
    user = _find(connection, name)
    if user.disabled_at is None:
        raise UserRefused(f"user {name} is not disabled")
    record_operator_acts(connection, now, [_act(AuditKind.USER_CHANGED, operator, name, change="enabled")])
    console_user_rows.change(connection, user._replace(disabled_at=None))


def reset(connection: Connection, name: str, password: str, operator: str, now: Clock) -> None:
    """Sets a new password, ends the user's sessions, unlocks and enables the user. Raises UserRefused."""
    _check_password(name, password)
    hashed = _hash(password)
    user = _find(connection, name)
    record_operator_acts(connection, now, [_act(AuditKind.USER_CHANGED, operator, name, change="password reset")])
    changed = user._replace(password_hash=hashed, failures=0, locked_until=None, disabled_at=None)
    console_user_rows.change(connection, changed)
    console_user_rows.close_sessions_of(connection, name)


def unlock(connection: Connection, name: str, operator: str, now: Clock) -> None:
    """Unlocks a user. Raises UserRefused."""
    user = _find(connection, name)
    record_operator_acts(connection, now, [_act(AuditKind.USER_CHANGED, operator, name, change="unlocked")])
    console_user_rows.change(connection, user._replace(failures=0, locked_until=None))


def sign_in(engine: Engine, name: str, password: str, now: Clock) -> str | None:
    """The token of a new session, or None when name or password are wrong or the user is disabled or locked.

    An unknown name takes as much time as a wrong password and gives the same answer.
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
            failures = user.failures + 1
            locked = failures >= FAILURES_MAX
            until = moment + LOCKED if locked else None
            if locked:
                record_operator_acts(connection, lambda: moment, [_act(AuditKind.USER_LOCKED, user.name, user.name)])
            console_user_rows.change(connection, user._replace(failures=0 if locked else failures, locked_until=until))
            return None
        token = secrets.token_urlsafe(32)
        record_operator_acts(connection, lambda: moment, [_act(AuditKind.SIGNED_IN, user.name, user.name)])
        hashed = _hash(password) if _hasher.check_needs_rehash(user.password_hash) else user.password_hash
        console_user_rows.change(connection, user._replace(password_hash=hashed, failures=0, locked_until=None))
        console_user_rows.forget_sessions(connection, moment - SESSION_MAX, moment - IDLE_MAX)
        console_user_rows.open_session(connection, _digest(token), user.name, secrets.token_urlsafe(32), moment)
        return token


def session_of(engine: Engine, token: str, now: Clock) -> Session | None:
    """The session of a cookie, or None when it is unknown, too old or unused for too long."""
    moment = now()
    with engine.connect() as connection:
        session = console_user_rows.session_of(connection, _digest(token))
    if session is None or moment - session.created_at > SESSION_MAX or moment - session.seen_at > IDLE_MAX:
        return None
    if moment - session.seen_at > _SEEN_EVERY:
        with engine.begin() as connection:
            console_user_rows.seen(connection, _digest(token), moment)
    return session


def sign_out(engine: Engine, token: str) -> None:
    with engine.begin() as connection:
        console_user_rows.close_session(connection, _digest(token))


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


def _act(kind: AuditKind, operator: str, name: str, **details: str) -> ConsoleAct:
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


def _digest(token: str) -> str:
    return sha256_hex(token.encode("utf-8", "replace"))
