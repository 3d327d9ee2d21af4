"""Users as an administrator sees them: who there is, ending access, ending a lock-out. Passwords are set by command."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection
from starlette.responses import Response

from acts import console_users
from infra.clock import Clock
from infra.ledger import console_user_rows
from schemas.access.console_rights import Right
from web.console.visit import Refused, Visit


def index(visit: Visit) -> Response:
    visit.require(Right.USERS)
    with visit.engine.connect() as connection:
        found = console_user_rows.all_users(connection)
        live = console_user_rows.count_live(connection)
    moment = visit.now()
    return visit.page(
        "users.html",
        users=[
            (user, _state(user.disabled_at is not None, user.locked_until is not None and moment < user.locked_until))
            for user in found
        ],
        live=live,
    )


def disable(visit: Visit) -> Response:
    visit.require(Right.USERS)
    if visit.place["name"] == visit.user:
        raise Refused(422, "不能停用自己。", "You cannot disable yourself.")
    _act(console_users.disable, visit)
    return visit.to("/users")


def unlock(visit: Visit) -> Response:
    visit.require(Right.USERS)
    _act(console_users.unlock, visit)
    return visit.to("/users")


def _state(disabled: bool, locked: bool) -> str:
    return "disabled" if disabled else "locked" if locked else "live"


def _act(act: Callable[[Connection, str, str, Clock], None], visit: Visit) -> None:
    try:
        with visit.engine.begin() as connection:
            act(connection, visit.place["name"], visit.user, visit.now)
    except console_users.UserRefused:
        raise Refused(
            409, "这个用户不存在,或者已经是这个状态。", "There is no such user, or it is so already."
        ) from None
