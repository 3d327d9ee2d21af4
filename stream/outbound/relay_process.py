"""The relay as a process: one thread per shard, woken by the ledger's notices, ended by the first lasting failure."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg
from sqlalchemy import Engine

from infra.ledger.write import OUTBOX_NOTICE
from infra.settings import Settings
from stream.deadline import LEASES_MAX, deadline
from stream.outbound.relay import ShardRelay
from stream.retry import TROUBLE, Retry, in_one_line, may_pass

log = logging.getLogger(__name__)


class RelayProcess:
    """Relays shards until it is stopped or fails."""

    def __init__(self, engine: Engine, bootstrap: str, shards: range, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._bells = {shard: threading.Event() for shard in shards}
        self._relays = {shard: ShardRelay(engine, bootstrap, shard, settings) for shard in shards}
        self._stopping = threading.Event()
        self._trouble: list[BaseException] = []

    def stop(self) -> None:
        """Ends every thread after its current transaction."""
        self._stopping.set()
        for bell in self._bells.values():
            bell.set()

    def run(self) -> None:
        """Returns after `stop`; otherwise raises the error that ended a thread."""
        threads = [
            threading.Thread(target=self._guarded, args=(lambda s=shard: self._relay(s),)) for shard in self._bells
        ]
        threads.append(threading.Thread(target=self._guarded, args=(self._listen,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._trouble:
            raise self._trouble[0]

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - kept for run(), which raises it in the main thread
            if self._stopping.is_set() and isinstance(error, TROUBLE):
                return  # it was to stop, and has: what it could not finish, the next relay settles
            self._trouble.append(error)
            self.stop()

    def _relay(self, shard: int) -> None:
        relay, bell = self._relays[shard], self._bells[shard]
        longest = LEASES_MAX * self._settings.ledger_lease
        retry = Retry(self._settings.retry_attempts, self._settings.retry_wait, self._stopping.wait, longest)

        def start_over() -> None:
            relay.start()
            relay.step()

        retry(start_over)
        while not self._stopping.is_set():
            bell.clear()
            try:
                sent = True
                while sent and not self._stopping.is_set():
                    with deadline(longest):
                        sent = relay.step() > 0
            except TROUBLE as error:
                if not may_pass(error):
                    raise
                log.warning("shard %s: %s; asking Kafka how far it got", shard, in_one_line(error))
                retry(start_over)
                continue
            bell.wait(self._settings.relay_poll)

    def _listen(self) -> None:
        """Wakes a shard's relay when the ledger commits messages for it. Without notices the relays poll."""
        url = self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        while not self._stopping.is_set():
            try:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(f"LISTEN {OUTBOX_NOTICE}")
                    while not self._stopping.is_set():
                        for notice in connection.notifies(timeout=self._settings.relay_poll):
                            for shard in map(int, notice.payload.split(",")):
                                if shard in self._bells:
                                    self._bells[shard].set()
            except psycopg.OperationalError:
                log.warning("no notices from the ledger: polling every %s s", self._settings.relay_poll)
                self._stopping.wait(self._settings.relay_poll)
