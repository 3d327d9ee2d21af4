"""The relay as a process: one thread per shard, woken by the ledger's notices, ended by the first lasting failure."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

import psycopg
from confluent_kafka import KafkaException
from sqlalchemy import Engine

from infra.ledger.schema import plain_address
from infra.ledger.write import OUTBOX_NOTICE
from infra.settings import Settings
from infra.waiting import Wait
from stream.deadline import LEASES_MAX, deadline
from stream.inbound.partition_reader import RangeReader
from stream.outbound.cursors import check_all
from stream.outbound.relay import ShardRelay
from stream.retry import TROUBLE, Retry, in_one_line, is_fenced, may_pass

log = logging.getLogger(__name__)

PATIENCES_MAX = 8
"""By how much a relay's patience with another one can grow."""


class Patience:
    """How long a relay watches another one send nothing before it takes over; doubles as long as that does not help."""

    def __init__(self, seconds: float) -> None:
        self._least = self._next = seconds

    def next(self) -> float:
        """The seconds to wait this time. Two relays do not wait equally long, so that one of them gets its turn."""
        seconds, self._next = self._next * random.uniform(1.0, 1.5), min(self._next * 2, PATIENCES_MAX * self._least)
        return seconds

    def restored(self) -> None:
        """Says that messages were sent."""
        self._next = self._least


class RelayProcess:
    """Relays shards until it is stopped or fails."""

    def __init__(self, engine: Engine, bootstrap: str, shards: range, settings: Settings) -> None:
        self._engine = engine
        self._bootstrap = bootstrap
        self._settings = settings
        self._bells = {shard: threading.Event() for shard in shards}
        self._relays = {shard: ShardRelay(engine, bootstrap, shard, settings) for shard in shards}
        self._settled: set[int] = set()
        self._stopping = threading.Event()
        self._trouble: list[BaseException] = []

    @property
    def settled(self) -> bool:
        """Whether every shard was taken over once, or is left to another relay."""
        return self._settled >= self._bells.keys()

    def stop(self) -> None:
        """Ends every thread after its current transaction."""
        self._stopping.set()
        for bell in self._bells.values():
            bell.set()

    def run(self) -> None:
        """Returns after `stop`; otherwise raises the error that ended a thread.

        Whose the topics are is asked of all shards before any relay is fenced or anything is sent.
        """
        try:
            self._new_retry()(self._check, "see whose the topics are")
        except TROUBLE:
            if self._stopping.is_set():
                return
            raise
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

    def _check(self) -> None:
        promoted = self._settings.after_promotion == "continue"
        with RangeReader(self._bootstrap) as reader:
            check_all(self._engine, reader, self._bells, promoted=promoted)

    def _new_retry(self) -> Retry:
        longest = LEASES_MAX * self._settings.ledger_lease
        return Retry(self._settings.retry_attempts, self._settings.retry_wait, self._stopping.wait, longest)

    def _relay(self, shard: int) -> None:
        patience = Patience(self._settings.ledger_lease)
        while not self._stopping.is_set():
            try:
                self._send(shard, patience)
            except KafkaException as error:
                if not is_fenced(error):
                    raise
                log.warning("shard %s: another relay sends: standing by", shard)
                self._stand_by(shard, patience)

    def _send(self, shard: int, patience: Patience) -> None:
        """Sends the shard's messages until the process stops. Raises KafkaException when another relay takes over."""
        relay, bell = self._relays[shard], self._bells[shard]
        longest = LEASES_MAX * self._settings.ledger_lease
        retry = self._new_retry()

        def start_over() -> None:
            relay.start()
            if relay.step():
                patience.restored()

        retry(start_over, f"take over shard {shard}")
        self._settled.add(shard)
        while not self._stopping.is_set():
            bell.clear()
            try:
                sent = True
                while sent and not self._stopping.is_set():
                    with deadline(longest, f"send messages of shard {shard}"):
                        sent = relay.step() > 0
                    if sent:
                        patience.restored()
            except TROUBLE as error:
                if not may_pass(error):
                    raise
                log.warning("shard %s: %s; asking Kafka how far it got", shard, in_one_line(error))
                retry(start_over, f"go on with shard {shard}")
                continue
            bell.wait(self._settings.relay_poll)

    def _stand_by(self, shard: int, patience: Patience) -> None:
        """Returns when messages wait and nobody has sent any for too long, or when the process stops.

        Two relays that both ended, and were both started again, would fence each other for ever. So the one that was
        fenced watches the other's progress in the ledger.
        """
        self._settled.add(shard)
        known, since, longest = -1, time.monotonic(), patience.next()
        waiting = Wait(log, "the ledger")
        while not self._stopping.wait(self._settings.relay_poll):
            now = time.monotonic()
            try:
                sent, written = self._relays[shard].progress()
            except TROUBLE as error:
                waiting.still(f"shard {shard}, standing by: {in_one_line(error)}")
                since = now
                continue
            waiting.over()
            if sent != known or sent >= written:
                known, since = sent, now
            elif now - since > longest:
                log.warning(
                    "shard %s: %s messages wait, none sent for %.0f s: taking over", shard, written - sent, longest
                )
                return

    def _listen(self) -> None:
        """Wakes a shard's relay when the ledger commits messages for it. Without notices the relays poll."""
        address = plain_address(self._engine)
        waiting = Wait(log, "notices from the ledger")
        while not self._stopping.is_set():
            try:
                with psycopg.connect(address, autocommit=True) as connection:
                    connection.execute(f"LISTEN {OUTBOX_NOTICE}")
                    waiting.over()
                    while not self._stopping.is_set():
                        for notice in connection.notifies(timeout=self._settings.relay_poll):
                            for shard in map(int, notice.payload.split(",")):
                                if shard in self._bells:
                                    self._bells[shard].set()
            except psycopg.OperationalError:
                waiting.still(f"polling every {self._settings.relay_poll} s")
                self._stopping.wait(self._settings.relay_poll)
