"""Operators on the command line: users of the console, known by a token that signing in gives them.

A token is 256 random bits, so plain SHA-256 is the right hash, as for API keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection

from acts.console_users import UserRefused, on_user, token_digest
from acts.record_operator_acts import record_operator_acts
from infra.clock import Clock
from infra.ledger import console_user_rows, operator_token_rows
from infra.ledger.operator_token_rows import SignedInOperator
from schemas.access.console_rights import RIGHTS, ConsoleRole, Right
from schemas.dates import format_instant
from schemas.outbound import AuditKind

SIGNED_IN_FOR = timedelta(hours=12)


class NotSignedIn(Exception):
    """Nobody whose act this could be; the message says what to do."""


def keep_signed_in(connection: Connection, user_name: str, now: Clock) -> str:
    """The token of a user who has just shown password and code; it lasts as long as a session of the console may."""
    moment = now()
    operator_token_rows.forget(connection, moment)
    return _new(connection, user_name, now, SIGNED_IN_FOR)


def give_token(connection: Connection, name: str, lasts: timedelta, operator: str, now: Clock) -> str:
    """A token for a program that acts in a user's name, made by an administrator. Raises UserRefused."""
    user = console_user_rows.find(connection, name, to_change=True)
    if user is None or user.disabled_at is not None:
        raise UserRefused(f"there is no enabled user {name}: `huzhu users list` lists them all")
    until = format_instant(now() + lasts)
    act = on_user(AuditKind.USER_CHANGED, operator, name, change="operator token made", expires_at=until)
    record_operator_acts(connection, now, [act])
    return _new(connection, name, now, lasts)


def sign_out(connection: Connection, token: str) -> bool:
    """Whether the token was still known."""
    return operator_token_rows.remove(connection, token_digest(token))


def acting_operator(
    connection: Connection, token: str | None, named: str, rights: Collection[Right], now: Clock
) -> str:
    """The name of whoever acts. ``rights`` are those of which one is needed. Raises NotSignedIn.

    A name alone is believed while there is nobody who could sign in: in a ledger without users, and for what
    administrators do as long as no administrator is enabled, so that there can be a first one.
    """
    if _nobody_yet(connection, rights):
        if not named:
            raise NotSignedIn(
                "--operator 和 --reason 不能为空\n--operator and --reason must not be empty: they say who and why"
            )
        return named
    if token is None:
        raise NotSignedIn(
            "请先登录:huzhu signin 用户名;账本里已有控制台用户,只写 --operator 不算数\n"
            "sign in first: huzhu signin NAME. The ledger has users of the console, so --operator alone is not believed"
        )
    found = operator_token_rows.find(connection, token_digest(token), now())
    if found is None:
        raise NotSignedIn(
            "登录已过期或已失效,请重新登录:huzhu signin 用户名\n"
            "the sign-in has expired or was ended: sign in again with huzhu signin NAME"
        )
    _check(found, named, rights)
    return found.name


def _check(found: SignedInOperator, named: str, rights: Collection[Right]) -> None:
    if named and named != found.name:
        raise NotSignedIn(
            f"登录的是 {found.name},不是 --operator 所写的 {named}\n"
            f"{found.name} is signed in, not {named} as --operator says: leave the option out, or sign in as {named}"
        )
    if RIGHTS[found.role].isdisjoint(rights):
        who = ", ".join(role.value for role in ConsoleRole if not RIGHTS[role].isdisjoint(rights))
        raise NotSignedIn(
            f"{found.name} 的角色 {found.role} 不能这样做,须由 {who} 办理\n"
            f"{found.name} has the role {found.role}, which may not do this: {who} may"
        )


def _nobody_yet(connection: Connection, rights: Collection[Right]) -> bool:
    if Right.USERS in rights:
        return not operator_token_rows.somebody_can_sign_in(connection, ConsoleRole.ADMIN)
    return not operator_token_rows.somebody_can_sign_in(connection)


def _new(connection: Connection, user_name: str, now: Clock, lasts: timedelta) -> str:
    token, moment = secrets.token_urlsafe(32), now()
    operator_token_rows.add(connection, token_digest(token), user_name, moment, moment + lasts)
    return token
