"""A whole site for the tests of the API: gateway, worker and relay as processes, keys, and clients that hold them."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from infra.servers.local.ports import free_ports
from schemas.access.callers import ApiRole
from tests.support.acts import create_key
from tests.support.builders import Json
from tests.support.servers import await_true
from tests.support.spine import Spine

START_S_MAX = 60.0
REQUEST_S_MAX = 60.0


class Site(Spine):
    """A spine with a gateway, and tokens of a hospital H1, another H2, an insurer and the registry."""

    def __init__(self, bootstrap: str, postgres_url: str, prefix: str = "") -> None:
        super().__init__(bootstrap, postgres_url, prefix)
        self.port = free_ports(1)[0]
        self.scheme = "http"
        self._trusted: ssl.SSLContext | bool = True
        self.h1 = self.key(ApiRole.HOSPITAL, "H1")
        self.h2 = self.key(ApiRole.HOSPITAL, "H2")
        self.insurer = self.key(ApiRole.INSURER, "village_mutual_aid")
        self.registry = self.key(ApiRole.REGISTRY)

    @property
    def address(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def key(self, role: ApiRole, *scope: str) -> str:
        """A new key's token."""
        return create_key(self.engine, role, scope, "test", "test", lambda: datetime.now(UTC))[1]

    def start_gateway(self, name: str = "gateway", **settings: object) -> None:
        """Starts the gateway and waits until it serves."""
        self.start("gateway", name, **{"gateway_port": self.port, **settings})
        assert await_true(self.serves, START_S_MAX), self.logs()

    def start_gateway_tls(self, authority: Path, **settings: object) -> None:
        """Like `start_gateway`, with a certificate signed by an authority from a file."""
        self.scheme, self._trusted = "https", ssl.create_default_context(cafile=str(authority))
        self.start_gateway("gateway", **settings)

    def serves(self) -> bool:
        try:
            return httpx.get(f"{self.address}/healthz", timeout=5, verify=self._trusted).status_code == 200
        except httpx.TransportError:
            return False

    def client(self, token: str, **headers: str) -> httpx.Client:
        """A client that holds a key."""
        return client(self.address, token, **headers)

    def waiting(self) -> int:
        """How many acknowledged events Kafka does not have."""
        return int(self.rows("SELECT count(*) FROM inbox WHERE sent_at IS NULL")[0][0])


def client(address: str, token: str, **headers: str) -> httpx.Client:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=address, headers={**authorization, **headers}, timeout=REQUEST_S_MAX)


def code(response: httpx.Response) -> str:
    """The code of a problem, which must be one, with both languages."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    document: Json = response.json()
    assert document["status"] == response.status_code
    assert document["zh"]
    assert document["en"]
    assert "Traceback" not in response.text
    return str(document["code"])


def ndjson(events: list[Any]) -> bytes:
    return b"\n".join(json.dumps(event).encode() for event in events)
