"""`huzhu demo --keep`: the console on the demo's data, with a user for each role."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from rich.table import Table
from sqlalchemy import Engine

from cli.terminal.output import fail, out
from infra.clock import utc_now
from infra.keys.audit_signing import make_key, public_file
from infra.keys.personal_data import add_key
from infra.servers.local.ports import free_ports
from schemas.access.console_rights import ConsoleRole
from schemas.dates import format_instant

LOG_NAME = "demo.example/huzhu"
START_SECONDS_MAX = 60.0
FAILED_EVERY = 25
"""The demo's insurer reports every 25th payout as failed, so that there is something to look into."""


def reports(payouts: Path) -> Iterator[bytes]:
    """The reports of the demo's insurer on the instructions in a file."""
    at = format_instant(utc_now())
    for number, line in enumerate(payouts.read_text("utf-8").splitlines(), start=1):
        order = json.loads(line)
        failed = number % FAILED_EVERY == 0
        report = {
            "event_type": "payout.reported",
            "event_id": f"demo-report-{number}",
            "occurred_at": at,
            "source": "demo-insurer",
            "payout_id": order["payout_id"],
            "person_id": order["person_id"],
            "status": "failed" if failed else "paid",
            "reported_at": at,
            "reference": f"demo-{number}",
        }
        yield json.dumps(report | ({"reason": "account closed"} if failed else {})).encode("utf-8")


def open_console(engine: Engine, folder: Path, start: Callable[..., None]) -> None:
    """Makes keys and users, starts the console and `huzhu audit sign`, and prints how to sign in.

    ``folder`` is for the keys and should be removed with the demo. Passwords are new each time.
    """
    from acts import console_users

    keys, signing = folder / "console.keys", folder / "audit.key"
    add_key(keys)
    make_key(LOG_NAME, signing)
    port = _free_port(os.environ.get("HUZHU_CONSOLE_PORT"))
    table = Table("user 用户名", "password 密码", "role 角色", title="Sign in 登录")
    accounts = [*((f"demo-{role}", role) for role in ConsoleRole), ("demo-operator2", ConsoleRole.OPERATOR)]
    for name, role in accounts:
        password = secrets.token_urlsafe(12)
        try:
            with engine.begin() as connection:
                console_users.create(connection, name, role, password, "demo", utc_now)
        except console_users.UserRefused:  # a ledger in which there was a demo before
            with engine.begin() as connection:
                console_users.reset(connection, name, password, "demo", utc_now)
        table.add_row(name, password, role)
    start("audit sign", HUZHU_AUDIT_KEY_FILE=str(signing), HUZHU_AUDIT_INTERVAL="5")
    start(
        "console",
        HUZHU_CONSOLE_KEY_FILE=str(keys),
        HUZHU_CONSOLE_AUDIT_KEYS=str(public_file(signing)),
        HUZHU_CONSOLE_HOST="127.0.0.1",
        HUZHU_CONSOLE_PORT=port,
    )
    _await_console(int(port))
    out.print(table)
    out.print(f"the console is at http://127.0.0.1:{port} 控制台;Ctrl-C stops everything 按 Ctrl-C 结束")


def _free_port(wanted: str | None) -> str:
    """The port for the console, if nobody listens there; ends the command otherwise."""
    if not wanted or wanted == "0":
        return str(free_ports(1)[0])
    with socket.socket() as probe, suppress(ValueError, OverflowError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(wanted)))
        except OSError:
            fail(f"another program listens at 127.0.0.1:{wanted}: change HUZHU_CONSOLE_PORT, or leave it out")
    return wanted


def _await_console(port: int) -> None:
    """Waits until the console listens, so that its address can be opened as soon as it is printed."""
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    fail("the console does not answer; see console.log in the demo's folder")
