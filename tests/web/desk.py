"""The console in a thread of the test, on a real ledger, and people who sit before it."""

from __future__ import annotations

import html
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, text

from acts.make_checkpoints import make_due
from acts.personal_data_views import chain_views
from infra.keys.audit_signing import SigningKey
from infra.keys.personal_data import add_key, read_keyring
from infra.ledger import digest
from infra.ledger.roles import LedgerRole
from infra.settings import Settings
from schemas.access.console_rights import ConsoleRole
from tests.support.acts import create_user
from tests.support.builders import SHARDS
from tests.support.ledger_roles import Roles
from tests.support.servers import await_true
from web.console.console_app import Outside, create_console
from web.console.log_watch import Watch
from web.server import Address, server

PASSWORD = "seven red bicycles"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
SIGNER = SigningKey("test.example/huzhu", b"\x07" * 32)


class Desk:
    """A served console, its ledger and its clock, which only moves when it is set forward.

    ``engine`` is the owner's, for what the test does itself; the console has the rights of its role.
    """

    def __init__(self, engine: Engine, roles: Roles, key_file: Path) -> None:
        self.engine, self.roles, self.key_file, self.keys = engine, roles, key_file, read_keyring(key_file)
        self.address = ""
        self.app = FastAPI()
        self.ahead = timedelta()
        self.lag: int | None = 0
        self.watch = Watch([SIGNER.verifier], self.now)
        self.clients: list[httpx.Client] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def user(self, name: str, role: ConsoleRole) -> None:
        create_user(self.engine, name, role, PASSWORD, "test", self.now)

    def guest(self) -> Visitor:
        return Visitor(self)

    def visitor(self, name: str, language: str = "zh") -> Visitor:
        """Somebody who has signed in."""
        visitor = Visitor(self)
        answer = visitor.sign_in(name, PASSWORD)
        assert answer.status_code == 303, answer.text
        if language != "zh":
            visitor.get(f"/language/{language}?back=/")
        return visitor

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql), values))

    def value(self, sql: str, **values: Any) -> Any:
        return self.rows(sql, **values)[0][0]

    def catch_up(self) -> None:
        """What the console's threads do all the time, once, to the end."""
        console = self.roles(LedgerRole.CONSOLE)
        while chain_views(console, self.now):
            pass
        digest.bring_forward(console, self.now(), chunk=700)
        while self.watch.look(console):
            pass

    def sign_checkpoints(self) -> None:
        make_due(self.roles(LedgerRole.AUDITOR), SIGNER, self.now, 1, timedelta())

    def audited(self, kind: str) -> list[dict[str, Any]]:
        """The audit entries of a kind, oldest first."""
        rows = self.rows("SELECT value FROM audit_entries WHERE kind = :kind ORDER BY shard, seq", kind=kind)
        return [json.loads(bytes(row.value)) for row in rows]


class Visitor:
    """A browser without JavaScript."""

    def __init__(self, desk: Desk, authority: str | None = None) -> None:
        trusted = ssl.create_default_context(cafile=authority) if authority else True
        self.client = httpx.Client(base_url=desk.address, timeout=60, verify=trusted)
        desk.clients.append(self.client)

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.client.get(path, **given)

    def post(self, path: str, *, seen: str = "/", csrf: str | None = None, **fields: str) -> httpx.Response:
        """Sends a form, with the secret of the page ``seen`` unless another is given."""
        found = CSRF.search(self.get(seen).text) if csrf is None else None
        secret = csrf if csrf is not None else found[1] if found else ""
        return self.client.post(path, data={"csrf": html.unescape(secret), **fields})

    def sign_in(self, name: str, password: str) -> httpx.Response:
        return self.post("/sign-in", seen="/sign-in", name=name, password=password)

    def search(self, wanted: str) -> httpx.Response:
        answer = self.post("/search", seen="/search", wanted=wanted)
        assert answer.status_code == 303
        return self.get(answer.headers["location"])


@contextmanager
def open_desk(engine: Engine, folder: Path, replica: Engine | None = None, **settings: Any) -> Iterator[Desk]:
    """Serves a ledger's console until the block ends.

    There is a user of each role (`auditor`, ...), `operator2` and `finance2`.
    """
    file = folder / "console.keys"
    add_key(file)
    add_key(file, finding=True)
    with Roles(engine) as roles, _served(Desk(engine, roles, file), replica, settings) as desk:
        yield desk


@contextmanager
def _served(desk: Desk, replica: Engine | None, settings: dict[str, Any]) -> Iterator[Desk]:
    known = Settings(**{"shards": SHARDS, "console_port": 0, **settings})
    engine = desk.roles(LedgerRole.CONSOLE)
    outside = Outside(SHARDS, lambda: desk.lag, desk.watch, replica or engine)
    desk.app = create_console(engine, known, desk.keys, outside, desk.now)
    serving = server(desk.app, known, "console")
    for role in ConsoleRole:
        desk.user(role.value, role)
    desk.user("operator2", ConsoleRole.OPERATOR)
    desk.user("finance2", ConsoleRole.FINANCE)
    thread = threading.Thread(target=serving.run)
    thread.start()
    try:
        assert await_true(lambda: serving.started)
        port = serving.servers[0].sockets[0].getsockname()[1]
        scheme = "https" if Address.of(known, "console").cert else "http"
        desk.address = f"{scheme}://127.0.0.1:{port}"
        yield desk
    finally:
        for client in desk.clients:  # an open TLS connection would keep the server for half a minute
            client.close()
        serving.should_exit = True
        thread.join()
