"""`huzhu signin` and `huzhu signout`: who acts on the command line."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from cli.terminal.connect import keyring, ledger, read_settings
from cli.terminal.operators import token_file, token_of
from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.settings import Settings
from schemas.access.console_rights import Session, needs_second_factor

SIGNIN_EXAMPLE = "Example: huzhu signin li.na"
SIGNOUT_EXAMPLE = "Example: huzhu signout"

WRONG = (
    "用户名、密码或验证码不对,或者用户已停用、已锁定\n"
    "wrong user name, password or code, or the user is disabled or locked"
)


def signin(name: Annotated[str, typer.Argument(help="Your name as a user of the console.")]) -> None:
    """Sign in as a user of the console: commands that change something then act in your name, for twelve hours.

    Password and, where it is set up, the one-time code are prompted for, or are lines of standard input.
    """
    from acts import console_users
    from acts.operator_tokens import SIGNED_IN_FOR, keep_signed_in

    settings = read_settings()
    engine = ledger(settings)
    try:
        token = console_users.sign_in(engine, name.strip().lower(), _asked("password: "), utc_now)
        session = None if token is None else console_users.session_of(engine, token, utc_now)
        if token is None or session is None:
            fail(WRONG)
        if session.awaits_code:
            token = _with_code(settings, engine, token)
        elif _needs_more(settings, session):
            console_users.sign_out(engine, token)
            fail(
                "您的角色须用动态验证码:请先在控制台登录并设置\n"
                "your role needs one-time codes: set them up in the console first"
            )
        console_users.sign_out(engine, token)
        with engine.begin() as connection:
            kept = keep_signed_in(connection, session.user_name, utc_now)
    finally:
        engine.dispose()
    file = token_file(settings)
    _keep(file, kept)
    hours = int(SIGNED_IN_FOR.total_seconds() // 3600)
    out.print(f"已登录: {session.user_name} ({session.role}),{hours} 小时内有效", soft_wrap=True)
    out.print(f"signed in as {session.user_name} ({session.role}) for {hours} hours: {file}", soft_wrap=True)


def signout() -> None:
    """Sign out: the token that `huzhu signin` got ends at once, and its file is deleted."""
    from acts.operator_tokens import sign_out

    settings = read_settings()
    token = token_of(settings)
    if token is not None:
        with ledger(settings).begin() as connection:
            sign_out(connection, token)
    token_file(settings).unlink(missing_ok=True)
    out.print("已退出 / signed out")


def _with_code(settings: Settings, engine: Engine, token: str) -> str:
    from acts.second_factor import give_code
    from infra.keys.personal_data import NotReadable

    keys = keyring(settings)
    try:
        return give_code(engine, keys, token, _asked("one-time code: "), utc_now) or fail(WRONG)
    except NotReadable as error:
        fail(f"{error}; sign in with a recovery code")


def _needs_more(settings: Settings, session: Session) -> bool:
    return not session.has_second_factor and needs_second_factor(session.role, settings.console_second_factor)


def _asked(prompt: str) -> str:
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def _keep(file: Path, token: str) -> None:
    """Replaces the file by one that only its owner can read."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(f"{token}\n")
    except OSError as error:
        fail(f"{file}: cannot be written ({error.strerror})")
