"""The API on a socket: TLS unless it is loopback, patience with clients that has an end, and an orderly stop."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
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


def check_address(settings: Settings, allow_plain: bool) -> None:
    """Raises NotServed for an address beyond this machine without TLS, unless that was asked for by name."""
    cert, key = settings.gateway_tls_cert, settings.gateway_tls_key
    if (cert is None) != (key is None):
        raise NotServed("HUZHU_GATEWAY_TLS_CERT and HUZHU_GATEWAY_TLS_KEY go together: set both or neither")
    if cert is None and not _is_loopback(settings.gateway_host) and not allow_plain:
        raise NotServed(
            f"HUZHU_GATEWAY_HOST {settings.gateway_host} can be reached from other machines, and keys and people's "
            "data would cross the network in clear: set HUZHU_GATEWAY_TLS_CERT and HUZHU_GATEWAY_TLS_KEY, or, behind "
            "a proxy that ends TLS, give --insecure-allow-plain"
        )
    for name, file in (("HUZHU_GATEWAY_TLS_CERT", cert), ("HUZHU_GATEWAY_TLS_KEY", key)):
        if file is not None and not Path(file).is_file():
            raise NotServed(f"{name}: there is no file {file}")
    if cert is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        except (ssl.SSLError, OSError) as error:
            raise NotServed(f"HUZHU_GATEWAY_TLS_CERT and _KEY do not make a certificate: {error}") from None


def server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """A server for the application; `run` it. It stops on SIGINT and SIGTERM, or when ``should_exit`` is set."""
    config = uvicorn.Config(
        app,
        host=settings.gateway_host,
        port=settings.gateway_port,
        ssl_certfile=settings.gateway_tls_cert,
        ssl_keyfile=settings.gateway_tls_key,
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
