"""The proxy does to connections what it is told, and nothing otherwise."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from infra.servers.local.ports import LOOPBACK
from tests.faults.proxy import Network, Proxy
from tests.faults.waiting import await_true


class Echo(socketserver.BaseRequestHandler):
    """Sends back what it gets."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(65_536):
                self.request.sendall(data)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy in front of an echo."""
    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Echo) as server, Network() as network:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield network.proxy(server.server_address[1])
        server.shutdown()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    """A connection through the proxy that has carried something."""
    with socket.create_connection((LOOPBACK, proxy.port), timeout=10.0) as connection:
        assert echoed(connection, b"hello") == b"hello"
        yield connection


def echoed(client: socket.socket, data: bytes) -> bytes:
    """What comes back of it."""
    client.sendall(data)
    return received(client, len(data))


def received(client: socket.socket, length: int) -> bytes:
    """So many bytes, or fewer when the other side hangs up."""
    answer = b""
    while len(answer) < length:
        part = client.recv(65_536)
        if not part:
            break
        answer += part
    return answer


def test_a_healthy_proxy_changes_nothing(client: socket.socket) -> None:
    """A megabyte comes back as it was sent."""
    data = bytes(range(256)) * 4096
    sender = threading.Thread(target=client.sendall, args=(data,))
    sender.start()
    answer = received(client, len(data))
    sender.join()
    assert data == answer


def test_a_slow_one_delays(proxy: Proxy, client: socket.socket) -> None:
    """Latency is added in both directions, and taken away by healing."""
    proxy.slow(0.2)
    began = time.monotonic()
    assert b"x" == echoed(client, b"x")
    assert time.monotonic() - began >= 0.4
    proxy.heal()
    assert b"y" == echoed(client, b"y")


def test_a_reset_reaches_the_client(proxy: Proxy, client: socket.socket) -> None:
    """Both sides learn at once, by RST, that the connection is gone; a new one works."""
    assert proxy.reset() == 1
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with socket.create_connection((LOOPBACK, proxy.port), timeout=10.0) as again:
        assert b"z" == echoed(again, b"z")


def test_a_cut_lets_part_of_a_message_through(proxy: Proxy, client: socket.socket) -> None:
    """So many bytes of the next message arrive, the rest does not, and the connection is reset."""
    proxy.cut_after(3)
    client.sendall(b"abcdefgh")
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert proxy.cuts == 1


def test_a_half_open_connection_is_silent_until_it_is_healed(proxy: Proxy, client: socket.socket) -> None:
    """What is sent is swallowed without a word; healing resets what lost bytes."""
    proxy.swallow()
    client.sendall(b"lost")
    assert await_true(lambda: proxy.swallowed_bytes == 4, 10.0)
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(10.0)
    proxy.heal()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
