"""The API alone, in a thread of the test, on a real ledger: what it acknowledges stays in the inbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, text

from infra.ledger.roles import LedgerRole
from infra.settings import Settings
from schemas.access.callers import ApiRole
from schemas.national.mapping import NationalMappings
from tests.support.acts import create_key
from tests.support.builders import SHARDS
from tests.support.ledger_roles import Roles
from tests.support.servers import await_true
from tests.web.site import client
from web.api.api_app import create_app
from web.api.decision_waiters import Waiters
from web.server import server


class Door:
    """A served API and its ledger: ``engine`` is the owner's, for the test itself, and ``served`` the gateway's."""

    def __init__(self, engine: Engine, served: Engine, app: FastAPI, address: str) -> None:
        self.engine, self.served, self.app, self.address = engine, served, app, address

    def key(self, role: ApiRole, *scope: str) -> str:
        return create_key(self.engine, role, scope, "test", "test", lambda: datetime.now(UTC))[1]

    def client(self, token: str, **headers: str) -> httpx.Client:
        return client(self.address, token, **headers)

    def rows(self, sql: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql)))


@contextmanager
def open_door(engine: Engine, mappings: NationalMappings | None = None, **settings: Any) -> Iterator[Door]:
    """Serves a ledger until the block ends, with the rights of a gateway."""
    known = Settings(**{"shards": SHARDS, "gateway_port": 0, "gateway_rate": 1e6, "gateway_burst": 10**7, **settings})
    with Roles(engine) as roles, Waiters(roles(LedgerRole.GATEWAY)) as waiters:
        app = create_app(roles(LedgerRole.GATEWAY), known, waiters, mappings=mappings)
        serving = server(app, known)
        thread = threading.Thread(target=serving.run)
        thread.start()
        try:
            assert await_true(lambda: serving.started)
            port = serving.servers[0].sockets[0].getsockname()[1]
            scheme = "https" if known.gateway_tls_cert else "http"
            yield Door(engine, roles(LedgerRole.GATEWAY), app, f"{scheme}://127.0.0.1:{port}")
        finally:
            serving.should_exit = True
            thread.join()
