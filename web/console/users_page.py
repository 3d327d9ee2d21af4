"""The users page for administrators: list, disable, enable, unlock. Passwords are set by `huzhu users`."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection
from starlette.responses import Response

from acts import console_users
from infra.clock import Clock
from infra.ledger import console_user_rows
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from web.console.visit import PageRefused, Visit

NOTHING_TO_CHANGE = Saying("没有这个用户,或者状态没有变化。", "No such user, or nothing to change.")


def index(visit: Visit) -> Response:
    visit.require(Right.USERS)
    with visit.engine.connect() as connection:
        users = console_user_rows.all_users(connection)
        sessions = console_user_rows.count_live(connection)
    moment = visit.now()
    return visit.page(
        "users.html",
        users=[
            (user, _state(user.disabled_at is not None, user.locked_until is not None and moment < user.locked_until))
            for user in users
        ],
        sessions=sessions,
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
        raise PageRefused(422, "不能停用自己。", "You cannot disable yourself.")
