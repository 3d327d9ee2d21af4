"""A small TCP proxy on loopback, to make a network bad on purpose.

It forwards bytes between clients and one server until it is told to be slow, to reset connections (RST), to cut one in
the middle of a frame, or to swallow everything in silence (half-open: neither side learns that the other is gone).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from infra.servers.local.ports import LOOPBACK

CHUNK_BYTES = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends RST
Result = TypeVar("Result")


class Network:
    """The thread in which all proxies of a test run. Use it as a context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._proxies: list[Proxy] = []

    def __enter__(self) -> Network:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for proxy in self._proxies:
            proxy.heal()
            proxy.reset()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)

    def proxy(self, target_port: int) -> Proxy:
        """A proxy in front of a port of this machine, which need not listen yet."""
        proxy = Proxy(self, target_port)
        self._proxies.append(proxy)
        return proxy

    def call(self, work: Callable[[], Result]) -> Result:
        """Runs work in the network's thread and returns its result."""
        done: list[Result] = []
        finished = threading.Event()

        def run() -> None:
            try:
                done.append(work())
            finally:
                finished.set()

        self._loop.call_soon_threadsafe(run)
        finished.wait(10.0)
        return done[0]

    def serve(self, proxy: Proxy) -> int:
        """Starts to listen; the port."""
        started = asyncio.run_coroutine_threadsafe(asyncio.start_server(proxy.accept, LOOPBACK, 0), self._loop)
        port: int = started.result(10.0).sockets[0].getsockname()[1]
        return port


class Proxy:
    """What stands between clients and one server. All methods may be called from any thread."""

    def __init__(self, network: Network, target_port: int) -> None:
        """Use `Network.proxy`."""
        self._network = network
        self._target_port = target_port
        self._links: set[Link] = set()
        self._latency_s = 0.0
        self._swallowing = False
        self._budget: int | None = None
        self.cuts = 0
        self.swallowed_bytes = 0
        self.carried_bytes = 0
        self.port = network.serve(self)

    def slow(self, latency_s: float) -> None:
        """Delays every chunk in both directions."""
        self._latency_s = latency_s

    def swallow(self) -> None:
        """From now on every connection, old or new, stays open and carries nothing: half-open."""
        self._swallowing = True

    def cut_after(self, count: int) -> None:
        """The next connection that carries anything forwards so many bytes more and is then reset."""
        self._budget = count

    def heal(self) -> None:
        """Connections carry again; those that lost bytes meanwhile are reset, as they can mean nothing now."""
        self._latency_s, self._swallowing, self._budget = 0.0, False, None
        self._network.call(lambda: self._reset(only_torn=True))

    def reset(self) -> int:
        """Resets every connection; how many there were."""
        return self._network.call(lambda: self._reset(only_torn=False))

    def _reset(self, only_torn: bool) -> int:
        links = [link for link in self._links if link.torn or not only_torn]
        for link in links:
            link.reset()
        return len(links)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        link = Link(writer)
        self._links.add(link)
        try:
            there, back = await asyncio.open_connection(LOOPBACK, self._target_port)
            link.writers.append(back)
            await asyncio.gather(self._pump(link, reader, back), self._pump(link, there, writer))
        except OSError:
            pass  # one side is gone: the other learns it below
        finally:
            self._links.discard(link)
            link.reset()

    async def _pump(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if self._latency_s:
                await asyncio.sleep(self._latency_s)
            if self._swallowing or link.torn:
                link.torn = True
                self.swallowed_bytes += len(data)
                continue
            if self._budget is not None:
                count, self._budget = self._budget, None
                writer.write(data[: min(count, len(data) - 1)])
                with contextlib.suppress(OSError):
                    await writer.drain()
                self.cuts += 1
                link.reset()
                return
            writer.write(data)
            self.carried_bytes += len(data)
            await writer.drain()
        if writer.can_write_eof() and not link.torn:
            writer.write_eof()


class Link:
    """One connection through a proxy: the client's side and, once it is there, the server's."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.writers = [client]
        self.torn = False

    def reset(self) -> None:
        """Ends both sides at once with RST."""
        for writer in self.writers:
            connection: socket.socket | None = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                if connection is not None and connection.fileno() >= 0:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort()
