"""Serves an application over HTTP: TLS except on loopback, client timeouts, and an orderly stop."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from uvicorn.protocols.http.h11_impl import H11Protocol

from infra.settings import Settings
from web.every_answer import EveryAnswer

HEAD_SECONDS_MAX = 10.0
KEEP_ALIVE_SECONDS = 20
STOP_SECONDS_MAX = 35
CONNECTIONS_MAX = 4000
HEAD_BYTES_MAX = 64 * 1024


UNTOLD: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI tells an OpenTelemetry SDK nothing by itself: its spans hold addresses, and so ids of claims."""


class NotServed(Exception):
    """The server cannot, or for safety must not, be started with these settings; the message says what to change."""


class HeadTimeoutProtocol(H11Protocol):
    """HTTP/1.1 that closes the connection when a client takes more than ten seconds to send its request head."""

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
    """Where a server listens, from the settings that begin with its name: `gateway` or `console`."""

    name: str
    host: str
    port: int
    cert: str | None
    key: str | None

    @classmethod
    def of(cls, settings: Settings, name: str) -> Address:
        return cls(
            name=name,
            host=getattr(settings, f"{name}_host"),
            port=getattr(settings, f"{name}_port"),
            cert=getattr(settings, f"{name}_tls_cert"),
            key=getattr(settings, f"{name}_tls_key"),
        )


def check_address(settings: Settings, allow_plain: bool, name: str = "gateway") -> None:
    """Raises NotServed when other machines could reach the server without TLS, unless ``allow_plain``."""
    address = Address.of(settings, name)
    cert, key, prefix = address.cert, address.key, f"HUZHU_{name.upper()}"
    if (cert is None) != (key is None):
        raise NotServed(f"{prefix}_TLS_CERT and {prefix}_TLS_KEY go together: set both or neither")
    if cert is None and not _is_loopback(address.host) and not allow_plain:
        raise NotServed(
            f"{prefix}_HOST {address.host} can be reached from other machines, and keys and personal data would cross "
            f"the network unencrypted: set {prefix}_TLS_CERT and {prefix}_TLS_KEY or, behind a proxy that terminates "
            "TLS, pass --insecure-allow-plain"
        )
    for variable, file in ((f"{prefix}_TLS_CERT", cert), (f"{prefix}_TLS_KEY", key)):
        if file is not None and not Path(file).is_file():
            raise NotServed(f"{variable}: no such file: {file}")
    if cert is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        except (ssl.SSLError, OSError) as error:
            raise NotServed(f"{prefix}_TLS_CERT and {prefix}_TLS_KEY cannot be used together: {error}") from None


class AnnouncedServer(uvicorn.Server):
    """A server that says its address as soon as it listens there, and not before."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[str], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]  # another than the setting's where that is 0
            scheme = "https" if self.config.is_ssl else "http"
            self._listening(f"{scheme}://{self.config.host}:{port}")


def server(
    app: FastAPI, settings: Settings, name: str = "gateway", listening: Callable[[str], None] = lambda _: None
) -> uvicorn.Server:
    """A server for the application, to be run. Stops on SIGINT and SIGTERM, or when ``should_exit`` is set.

    ``listening`` is told the address once clients can connect. Where it is taken, `run` raises SystemExit.
    """
    address = Address.of(settings, name)
    config = uvicorn.Config(
        EveryAnswer(app),
        host=address.host,
        port=address.port,
        ssl_certfile=address.cert,
        ssl_keyfile=address.key,
        http=HeadTimeoutProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # URLs contain claim ids
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
        limit_concurrency=CONNECTIONS_MAX,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
    )
    return AnnouncedServer(config, listening)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
