"""The users page for administrators: list, disable, enable, unlock, take a lost second factor away.

Passwords are set by `huzhu users`.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection
from starlette.responses import Response

from acts import console_users, second_factor
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import console_user_rows, second_factor_rows
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from web.console.visit import PageRefused, Visit

NOTHING_TO_CHANGE = Saying("没有这个用户,或者状态没有变化。", "No such user, or nothing to change.")


def index(visit: Visit) -> Response:
    visit.require(Right.USERS)
    with visit.engine.connect() as connection:
        users = console_user_rows.all_users(connection)
        sessions = console_user_rows.count_live(connection)
        factors = second_factor_rows.enrolled(connection)
    moment = visit.now()
    return visit.page(
        "users.html",
        users=[
            (user, _state(user.disabled_at is not None, user.locked_until is not None and moment < user.locked_until))
            for user in users
        ],
        sessions=sessions,
        factors=factors,
    )


def ask_to_disable(visit: Visit) -> Response:
    """Asks before a user is disabled: at one click too many, nobody loses access."""
    visit.require(Right.USERS)
    name = visit.path_values["name"]
    _not_oneself(visit)
    with visit.engine.connect() as connection:
        user = console_user_rows.find(connection, name)
        sessions = console_user_rows.count_live(connection).get(name, 0)
    if user is None or user.disabled_at is not None:
        raise PageRefused(409, *NOTHING_TO_CHANGE)
    return visit.page("disable_user.html", user=user, sessions=sessions)


def disable(visit: Visit) -> Response:
    visit.require(Right.USERS)
    _not_oneself(visit)
    _act(console_users.disable, visit)
    return visit.redirect("/users")


def enable(visit: Visit) -> Response:
    visit.require(Right.USERS)
    _act(console_users.enable, visit)
    return visit.redirect("/users")


def unlock(visit: Visit) -> Response:
    visit.require(Right.USERS)
    _act(console_users.unlock, visit)
    return visit.redirect("/users")


def ask_to_reset_factor(visit: Visit) -> Response:
    """Asks why, before a user can sign in without the app that is lost."""
    visit.require(Right.USERS)
    _not_oneself(visit)
    name = visit.path_values["name"]
    with visit.engine.connect() as connection:
        since = second_factor_rows.enrolled(connection).get(name)
    if since is None:
        raise PageRefused(409, *NOTHING_TO_CHANGE)
    return visit.page("reset_second_factor.html", name=name, since=since)


def reset_factor(visit: Visit) -> Response:
    visit.require(Right.USERS)
    _not_oneself(visit)
    reason = mask_text(visit.reason())

    def act(connection: Connection, name: str, operator: str, now: Clock) -> None:
        second_factor.reset(connection, name, reason, operator, now)

    _act(act, visit)
    return visit.redirect("/users")


def _state(disabled: bool, locked: bool) -> str:
    return "disabled" if disabled else "locked" if locked else "active"


def _act(act: Callable[[Connection, str, str, Clock], None], visit: Visit) -> None:
    try:
        with visit.engine.begin() as connection:
            act(connection, visit.path_values["name"], visit.user, visit.now)
    except console_users.UserRefused:
        raise PageRefused(409, *NOTHING_TO_CHANGE) from None


def _not_oneself(visit: Visit) -> None:
    if visit.path_values["name"] == visit.user:
        raise PageRefused(
            422, "不能对自己这样做,请另一位管理员来做。", "You cannot do this to yourself; another administrator can."
        )
