"""Who may do what in the console: roles, their rights, users, sessions, and the acts that are recorded."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class ConsoleRole(StrEnum):
    """What a person does. No role can do everything: an administrator sees no claims."""

    AUDITOR = "auditor"
    FINANCE = "finance"
    OPERATOR = "operator"
    ADMIN = "admin"


class Right(StrEnum):
    """One thing a role may do.

    ``WORK`` has a page of what waits for oneself: whoever may act on something has it.

    ``CLAIMS`` also sees alerts and aid; ``ALERTS`` takes and closes alerts, and ``AID`` proposes temporary aid and
    countersigns what somebody else proposed.

    ``REISSUE`` proposes and approves that a failed payout is ordered again.

    ``BOOKS`` sees the books, what is payable, statements, recoveries and held claims; ``CLEAR`` proposes and approves
    what changes them: a statement is issued, a month closed, a recovery set off or waived, a held claim released.
    """

    OVERVIEW = "overview"
    WORK = "work"
    POLICIES = "policies"
    CLAIMS = "claims"
    ALERTS = "alerts"
    AID = "aid"
    REISSUE = "reissue"
    UNMASK = "unmask"
    EXPORT = "export"
    REFUSED = "refused"
    REPLAY = "replay"
    BOOKS = "books"
    CLEAR = "clear"
    USERS = "users"


_EVERYBODY = frozenset({Right.OVERVIEW, Right.POLICIES})
_OFFICE = _EVERYBODY | {Right.CLAIMS, Right.UNMASK, Right.BOOKS}
_ACTS = frozenset({Right.WORK, Right.ALERTS, Right.AID, Right.REISSUE})
RIGHTS: dict[ConsoleRole, frozenset[Right]] = {
    ConsoleRole.AUDITOR: _OFFICE | {Right.EXPORT, Right.REFUSED},
    ConsoleRole.FINANCE: _OFFICE | _ACTS | {Right.EXPORT, Right.CLEAR},
    ConsoleRole.OPERATOR: _OFFICE | _ACTS | {Right.REFUSED, Right.REPLAY},
    ConsoleRole.ADMIN: _EVERYBODY | {Right.USERS},
}


APPROVES = frozenset({Right.CLEAR, Right.AID, Right.REISSUE, Right.REPLAY})
"""The rights of the second of two people: what they approve is paid."""


def needs_second_factor(role: ConsoleRole, rule: str) -> bool:
    """Whether ``HUZHU_CONSOLE_SECOND_FACTOR`` asks a role for one-time codes."""
    return rule == "everybody" or (rule == "approvers" and not APPROVES.isdisjoint(RIGHTS[role]))


class User(NamedTuple):
    """A user as the ledger keeps it. ``failures`` counts wrong passwords since the last right one."""

    name: str
    role: ConsoleRole
    password_hash: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    failures: int
    locked_until: datetime | None


class Session(NamedTuple):
    """A signed-in user; ``csrf`` is the secret that every form of this session repeats.

    While it ``awaits_code``, only the password was given, and it opens nothing but the page that asks for the code.
    """

    user_name: str
    role: ConsoleRole
    csrf: str
    created_at: datetime
    seen_at: datetime
    awaits_code: bool
    has_second_factor: bool
    until: datetime | None
    """When the identity provider's word ends; None for who signed in with a password."""


class ConsoleAct(NamedTuple):
    """Something done in the console that leaves an audit entry. ``kind`` is an AuditKind.

    ``subject`` holds no personal data: persons appear as keyed tokens.
    """

    kind: str
    operator: str
    subject: dict[str, str]
