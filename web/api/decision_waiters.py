"""Waiting for decisions: whenever the ledger sends a notice, one thread asks it on behalf of all waiting requests.

A waiting request holds no thread and no connection, so any number of them can wait without blocking the others.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from types import TracebackType

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from infra.ledger import group_rows, inbox
from infra.ledger.inbox import SENT_NOTICE, Fate
from infra.ledger.schema import plain_address
from infra.ledger.write import OUTBOX_NOTICE
from infra.waiting import Wait
from schemas.ids import ClaimId

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
"""How often the ledger is asked without a notice, while requests are waiting."""

PAUSE_SECONDS = 0.01
"""Minimum time between two queries, so that a burst of notices causes only one."""

NOTICE_SECONDS = 0.5
"""How long one wait for a notice lasts; a stop takes effect after it at the latest."""


Awaited = int | ClaimId
"""An event of the inbox, by its number, or a claim whose events the ledger has, but not their decision."""


class Waiters:
    """Requests that wait until events are decided."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._waiting: dict[Awaited, list[tuple[asyncio.AbstractEventLoop, asyncio.Future[Fate]]]] = {}
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, name="waiters"),
            threading.Thread(target=self._listen, name="notices"),
        ]

    def __enter__(self) -> Waiters:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._bell.set()
        for thread in self._threads:
            thread.join()

    async def fates(self, awaited: Sequence[Awaited], seconds: float) -> list[Fate] | None:
        """The fates of events, or None when not all are decided in time. Those of a claim count as accepted."""
        loop = asyncio.get_running_loop()
        futures: dict[Awaited, asyncio.Future[Fate]] = {name: loop.create_future() for name in awaited}
        with self._lock:
            for name, future in futures.items():
                self._waiting.setdefault(name, []).append((loop, future))
        self._bell.set()
        try:
            return await asyncio.wait_for(asyncio.gather(*futures.values()), seconds)
        except TimeoutError:
            return None
        finally:
            with self._lock:
                for name, future in futures.items():
                    left = [waiter for waiter in self._waiting.get(name, ()) if waiter[1] is not future]
                    if left:
                        self._waiting[name] = left
                    else:
                        self._waiting.pop(name, None)

    def _ask(self) -> None:
        waiting = Wait(log, "the ledger")
        while not self._stopping.is_set():
            self._bell.wait(POLL_SECONDS if self._waiting else None)
            self._bell.clear()
            with self._lock:
                awaited = list(self._waiting)
            if not awaited:
                continue
            try:
                with self._engine.connect() as connection:
                    fates = _decided(connection, awaited)
            except (DBAPIError, PoolTimeout) as error:
                waiting.still(f"requests wait for decisions ({type(error).__name__})")
                self._stopping.wait(POLL_SECONDS)
                continue
            waiting.over()
            for name, fate in fates.items():
                self._wake(name, fate)
            self._stopping.wait(PAUSE_SECONDS)

    def _wake(self, name: Awaited, fate: Fate) -> None:
        with self._lock:
            waiting = self._waiting.pop(name, [])
        for loop, future in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, future, fate)

    def _listen(self) -> None:
        address = plain_address(self._engine)
        waiting = Wait(log, "notices from the ledger")
        while not self._stopping.is_set():
            try:
                with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
                    for channel in (OUTBOX_NOTICE, SENT_NOTICE):
                        connection.execute(f"LISTEN {channel}")
                    waiting.over()
                    while not self._stopping.is_set():
                        for _ in connection.notifies(timeout=NOTICE_SECONDS, stop_after=1):
                            self._bell.set()
            except psycopg.OperationalError:
                waiting.still(f"asking every {POLL_SECONDS} s")
                self._stopping.wait(1.0)


def _decided(connection: Connection, awaited: Sequence[Awaited]) -> dict[Awaited, Fate]:
    numbers = [name for name in awaited if isinstance(name, int)]
    found: dict[Awaited, Fate] = {}
    if numbers:
        found |= {fate.inbox_no: fate for fate in inbox.fates(connection, numbers)}
    for name in awaited:
        if not isinstance(name, int) and not group_rows.waiting_about(connection, name):
            found[name] = Fate(0, "accepted", None, None, None, None)
    return found


def _settle(future: asyncio.Future[Fate], fate: Fate) -> None:
    if not future.done():
        future.set_result(fate)
