"""`huzhu users`: the users of the console."""

from __future__ import annotations

import getpass
import sys
from datetime import timedelta
from typing import Annotated

import typer

from cli.terminal.connect import ledger, read_settings
from cli.terminal.listing import JsonOption, moment, plain, print_json, print_table
from cli.terminal.operators import Operator, Reason, signed_in
from cli.terminal.output import fail, out
from handlers.words.masking import mask_text
from infra.clock import utc_now
from infra.ledger import console_user_rows, second_factor_rows
from schemas.access.console_rights import ConsoleRole, Right, User

app = typer.Typer(no_args_is_help=True, help="Create, list, disable and reset the users of the console.")

Name = Annotated[str, typer.Argument(help="The user's name for signing in.")]


@app.command("create", epilog="Example: huzhu users create li.na --role finance --operator wang.wei")
def create(
    name: Name,
    role: Annotated[ConsoleRole, typer.Option(help="The user's role, which decides what they can see and do.")],
    operator: Operator,
) -> None:
    """Create a user. The password is prompted for or read from standard input, never from the command line."""
    operator = signed_in(operator, Right.USERS)
    from acts import console_users

    try:
        with ledger(read_settings()).begin() as connection:
            console_users.create(connection, name, role, _password(), operator, utc_now)
    except console_users.UserRefused as error:
        fail(str(error))
    out.print(f"created user {name} with role {role}")


@app.command("list", epilog="Example: huzhu users list")
def list_users(as_json: JsonOption = False) -> None:
    """List all users, including disabled ones."""
    with ledger(read_settings()).connect() as connection:
        users = console_user_rows.all_users(connection)
        since = second_factor_rows.enrolled(connection)
    if as_json:
        told = [user._asdict() | {"second_factor_since": since.get(user.name)} for user in users]
        print_json({"users": [plain(each, "password_hash") for each in told]})
        return
    print_table(
        ("name", "role", "state", "second factor", "created", "by"),
        [
            (
                user.name,
                user.role,
                _state(user),
                "yes" if user.name in since else "no",
                moment(user.created_at),
                user.created_by,
            )
            for user in users
        ],
    )


@app.command("disable", epilog="Example: huzhu users disable li.na --operator wang.wei")
def disable(name: Name, operator: Operator) -> None:
    """End a user's sessions and disable the user; `huzhu users enable` undoes it."""
    operator = signed_in(operator, Right.USERS)
    from acts import console_users

    try:
        with ledger(read_settings()).begin() as connection:
            console_users.disable(connection, name, operator, utc_now)
    except console_users.UserRefused as error:
        fail(str(error))
    out.print(f"disabled user {name}")


@app.command("enable", epilog="Example: huzhu users enable li.na --operator wang.wei")
def enable(name: Name, operator: Operator) -> None:
    """Let a disabled user sign in again, with the password as it was."""
    operator = signed_in(operator, Right.USERS)
    from acts import console_users

    try:
        with ledger(read_settings()).begin() as connection:
            console_users.enable(connection, name, operator, utc_now)
    except console_users.UserRefused as error:
        fail(str(error))
    out.print(f"enabled user {name}")


@app.command("reset", epilog="Example: huzhu users reset li.na --operator wang.wei < new-password")
def reset(name: Name, operator: Operator) -> None:
    """Set a new password. Also ends the user's sessions, unlocks and enables the user."""
    operator = signed_in(operator, Right.USERS)
    from acts import console_users

    try:
        with ledger(read_settings()).begin() as connection:
            console_users.reset(connection, name, _password(), operator, utc_now)
    except console_users.UserRefused as error:
        fail(str(error))
    out.print(f"set a new password for user {name}")


@app.command(
    "reset-factor",
    epilog='Example: huzhu users reset-factor li.na --operator wang.wei --reason "phone lost, called back"',
)
def reset_factor(name: Name, operator: Operator, reason: Reason) -> None:
    """Take a user's one-time codes away, as for a lost phone: the password is enough until they are set up again."""
    operator = signed_in(operator, Right.USERS, reason=reason)
    from acts import console_users, second_factor

    try:
        with ledger(read_settings()).begin() as connection:
            second_factor.reset(connection, name, mask_text(reason), operator, utc_now)
    except console_users.UserRefused as error:
        fail(str(error))
    out.print(f"user {name} has no second factor any more")


@app.command("token", epilog="Example: huzhu users token nightly --days 90 --operator wang.wei > nightly.token")
def token(
    name: Name,
    operator: Operator,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it works.")] = 90,
) -> None:
    """Make a token for a program that acts in a user's name: its HUZHU_OPERATOR_TOKEN. It is shown only now.

    A new password, or disabling the user, ends it.
    """
    operator = signed_in(operator, Right.USERS)
    from acts import console_users, operator_tokens

    try:
        with ledger(read_settings()).begin() as connection:
            made = operator_tokens.give_token(connection, name, timedelta(days=days), operator, utc_now)
    except console_users.UserRefused as error:
        fail(str(error))
    sys.stdout.write(f"{made}\n")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("password: ")
    if getpass.getpass("repeat password: ") != first:
        fail("the passwords do not match")
    return first


def _state(user: User) -> str:
    if user.disabled_at is not None:
        return f"disabled {moment(user.disabled_at)}"
    if user.locked_until is not None and utc_now() < user.locked_until:
        return f"locked until {moment(user.locked_until)}"
    return "active"
