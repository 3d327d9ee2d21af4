"""`/metrics`, `/health/live` and `/health/ready` of one process, on loopback: for an agent on the same machine."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, NamedTuple

LOOPBACK = "127.0.0.1"
REQUEST_SECONDS_MAX = 10
PLAIN = "text/plain; charset=utf-8"
log = logging.getLogger(__name__)


class MonitorAnswer(NamedTuple):
    """An answer to a monitor."""

    status: int
    body: bytes
    content_type: str = PLAIN


class LoopbackServer:
    """Answers some paths at a port of 127.0.0.1 while the block runs. Its threads never keep a process from ending."""

    def __init__(self, port: int, answers: dict[str, Callable[[], MonitorAnswer]]) -> None:
        """Port 0 is a free one. Raises OSError where the port is taken."""
        self._server = _Server((LOOPBACK, port), _handler(answers))
        self._thread = threading.Thread(target=self._server.serve_forever, name="monitors", daemon=True)

    def __enter__(self) -> LoopbackServer:
        self._thread.start()
        return self

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False  # a scrape that waits for a server must not hold up the end of the process
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A monitor that went away, or a bug of ours: neither may end the process."""
        log.warning("a monitor got no answer: %s", type(sys.exception()).__name__)


def _handler(answers: dict[str, Callable[[], MonitorAnswer]]) -> type[BaseHTTPRequestHandler]:
    class MonitorHandler(BaseHTTPRequestHandler):
        timeout = REQUEST_SECONDS_MAX
        server_version, sys_version = "huzhu", ""

        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0], lambda: MonitorAnswer(404, b"not found\n"))()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """A scrape every few seconds is no news."""

    return MonitorHandler
