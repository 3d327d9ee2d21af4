"""Signing in with an identity provider: who is issuer and subject, and the role that the provider's groups give."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine

from acts.console_users import on_user, open_session
from acts.record_operator_acts import record_operator_acts
from infra.clock import Clock
from infra.ledger import console_user_rows, identity_provider_rows
from infra.oidc.provider import KnownPerson
from schemas.access.console_rights import ConsoleAct, ConsoleRole, User
from schemas.bilingual import Saying
from schemas.outbound import AuditKind

NO_PASSWORD = "!"
"""In place of a password's hash: no password matches it."""

_BY = "identity provider"


class NotLetIn(Exception):
    """The provider knows this person, and the console does not let them in; ``why`` is for them."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.why = Saying(zh, en)


def sign_in(engine: Engine, identity: KnownPerson, roles: Mapping[str, ConsoleRole], now: Clock) -> str:
    """The token of a new session, which ends with the ID token. The first sign-in makes the user. Raises NotLetIn."""
    role = _role(identity, roles)
    with engine.begin() as connection:
        moment = now()
        name = identity_provider_rows.name_of(connection, identity.issuer, identity.subject)
        user = _made(connection, identity, role, moment) if name is None else _found(connection, name, role, moment)
        act = on_user(AuditKind.SIGNED_IN, user.name, user.name, by=_BY)
        record_operator_acts(connection, lambda: moment, [act])
        return open_session(connection, user.name, moment, until=identity.until)


def _role(identity: KnownPerson, roles: Mapping[str, ConsoleRole]) -> ConsoleRole:
    found = {role for group, role in roles.items() if group in identity.groups}
    if not found:
        raise NotLetIn(
            "您已通过统一身份认证,但没有分配本系统的角色。请联系管理员。",
            "You are signed in with the identity provider, but have no role here. Ask an administrator for one.",
        )
    if len(found) > 1:
        raise NotLetIn(
            "统一身份认证给了您不止一个角色;一人只能有一个角色(双人复核)。请联系管理员。",
            "The identity provider gives you more than one role; nobody can have two. Ask an administrator.",
        )
    return found.pop()


def _made(connection: Connection, identity: KnownPerson, role: ConsoleRole, moment: datetime) -> User:
    name = _short_name(identity.name)
    if name is None or console_user_rows.find(connection, name) is not None:
        raise NotLetIn(
            "您的用户名在本系统里已被占用,或者不能使用。请联系管理员。",
            "Your user name is taken here, or cannot be used. Ask an administrator.",
        )
    user = User(name, role, NO_PASSWORD, moment, _BY, None, 0, None)
    record_operator_acts(connection, lambda: moment, [_changed(AuditKind.USER_CREATED, name, role=role.value)])
    console_user_rows.add(connection, user)
    identity_provider_rows.add(connection, name, identity.issuer, identity.subject)
    return user


def _found(connection: Connection, name: str, role: ConsoleRole, moment: datetime) -> User:
    user = console_user_rows.find(connection, name, to_change=True)
    if user is None or user.disabled_at is not None:
        raise NotLetIn("您的用户已停用。请联系管理员。", "Your user is disabled. Ask an administrator.")
    if user.role is not role:
        told = _changed(AuditKind.USER_CHANGED, name, change="role changed", role=role.value)
        record_operator_acts(connection, lambda: moment, [told])
        user = user._replace(role=role)
        console_user_rows.change(connection, user)
    return user


def _changed(kind: AuditKind, name: str, **details: str) -> ConsoleAct:
    return on_user(kind, _BY.replace(" ", "-"), name, **details)


def _short_name(shown: str) -> str | None:
    """The provider's name for somebody as a user name; None if nothing usable is left of it."""
    plain = unicodedata.normalize("NFKC", shown).partition("@")[0].casefold()
    name = re.sub(r"[^a-z0-9._-]+", ".", plain).strip("._-")[:40]
    return name if re.fullmatch(r"[a-z][a-z0-9._-]{1,39}", name) else None
