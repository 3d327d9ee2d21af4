"""The API on a socket: TLS unless it is loopback, patience with clients that has an end, and an orderly stop."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from infra.settings import Settings

HEAD_SECONDS_MAX = 10.0
KEEP_ALIVE_SECONDS = 20
STOP_SECONDS_MAX = 35
CONNECTIONS_MAX = 4000
HEAD_BYTES_MAX = 64 * 1024


class NotServed(Exception):
    """The settings ask for a server that must not or cannot be started; the message says what to change."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on a client which does not finish the head of its request in ten seconds."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._between_requests() and not self.conn.trailing_data[0]:
            self._disarm()
        elif self._between_requests():
            self._arm()
        else:
            self._disarm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS_MAX, self._give_up)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self._between_requests() and not self.transport.is_closing():
            self.transport.close()


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: the settings that begin with its name, `gateway` or `console`."""

    name: str
    host: str
    port: int
    cert: str | None
    key: str | None

    @classmethod
    def of(cls, settings: Settings, name: str) -> Address:
        given = (getattr(settings, f"{name}_{each}") for each in ("host", "port", "tls_cert", "tls_key"))
        return cls(name, *given)

    @property
    def url(self) -> str:
        return f"{'https' if self.cert else 'http'}://{self.host}:{self.port}"


def check_address(settings: Settings, allow_plain: bool, name: str = "gateway") -> None:
    """Raises NotServed for an address beyond this machine without TLS, unless that was asked for by name."""
    address = Address.of(settings, name)
    cert, key, named = address.cert, address.key, f"HUZHU_{name.upper()}"
    if (cert is None) != (key is None):
        raise NotServed(f"{named}_TLS_CERT and {named}_TLS_KEY go together: set both or neither")
    if cert is None and not _is_loopback(address.host) and not allow_plain:
        raise NotServed(
            f"{named}_HOST {address.host} can be reached from other machines, and keys and people's "
            f"data would cross the network in clear: set {named}_TLS_CERT and {named}_TLS_KEY, or, behind "
            "a proxy that ends TLS, give --insecure-allow-plain"
        )
    for name, file in ((f"{named}_TLS_CERT", cert), (f"{named}_TLS_KEY", key)):
        if file is not None and not Path(file).is_file():
            raise NotServed(f"{name}: there is no file {file}")
    if cert is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        except (ssl.SSLError, OSError) as error:
            raise NotServed(f"{named}_TLS_CERT and _KEY do not make a certificate: {error}") from None


def server(app: FastAPI, settings: Settings, name: str = "gateway") -> uvicorn.Server:
    """A server for the application; `run` it. It stops on SIGINT and SIGTERM, or when ``should_exit`` is set."""
    address = Address.of(settings, name)
    config = uvicorn.Config(
        app,
        host=address.host,
        port=address.port,
        ssl_certfile=address.cert,
        ssl_keyfile=address.key,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # addresses hold ids of claims
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
        limit_concurrency=CONNECTIONS_MAX,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
    )
    return uvicorn.Server(config)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
