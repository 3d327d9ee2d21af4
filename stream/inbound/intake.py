"""What a worker does with deliveries: fill gaps, record batches in the ledger, catch up, release lost shards.

Synchronous and free of Faust, so that the real worker and the simulation run the same code. An Intake is used by one
thread at a time.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from acts.reader import Reader
from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import GapInOffsets, take_in
from infra.clock import Clock, utc_now
from infra.ledger import adopted_shards, reads
from infra.ledger.identity import is_at_home
from infra.ledger.reads import Fenced
from infra.settings import Settings
from infra.tracing import SpanKind, traced
from schemas.records import Delivery, Range
from schemas.topics import INBOUND
from stream.deadline import LEASES_MAX
from stream.inbound.former_order import batches, former_order
from stream.outbound.cursors import check_all
from stream.retry import Retry

log = logging.getLogger(__name__)


class Intake:
    """The intake of one worker: the shards it holds, their epochs, and the offsets that the ledger has reached."""

    def __init__(
        self,
        engine: Engine,
        reader: Reader,
        settings: Settings,
        now: Clock = utc_now,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """``sleep`` is for the simulation, which does not wait."""
        self._engine = engine
        self._reader = reader
        self._settings = settings
        self._now = now
        longest = LEASES_MAX * settings.ledger_lease
        self._stopping = threading.Event()
        self._giving_way = threading.Event()
        wait = sleep or self._stopping.wait
        self._retry = Retry(settings.retry_attempts, settings.retry_wait, wait, longest)
        self.epochs: dict[int, int] = {}
        self._assigned: frozenset[int] = frozenset()
        self._next: dict[tuple[str, int], int] = {}
        self._remembered = RememberedPersons()
        self._adopted: set[int] = set()
        """Held shards of an adopted ledger that lack what the ledger before had taken in."""
        self.joined = False
        """Whether Kafka has said which shards are this worker's, and they were taken. Can be read from any thread."""
        self.reads_backlog = False
        """Whether a catch-up is running. Can be read from any thread."""

    def stop(self) -> None:
        """Ends a running catch-up after its current transaction, and retries. Can be called from any thread."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def give_way(self) -> None:
        """Ends a running catch-up after its current transaction, until `assigned` is called. From any thread."""
        self._giving_way.set()

    def assigned(self, shards: Collection[int]) -> None:
        """Takes newly assigned shards, fencing their former holder; releases all others."""
        self._giving_way.clear()
        self._hold(shards)
        self.joined = True

    def _hold(self, shards: Collection[int]) -> None:
        self._assigned = frozenset(shards)
        self.epochs = {shard: epoch for shard, epoch in self.epochs.items() if shard in shards}
        self._adopted &= self.epochs.keys()
        fresh = self._assigned - self.epochs.keys()
        if fresh:
            self.epochs |= self._retry(lambda: self._take(fresh), f"take shards {_listed(fresh)}")
        self._refresh()

    def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """Records delivered messages of held shards in the ledger, with any that are missing before or between them.

        Returns how many messages were passed to the ledger. On return every message whose shard is still held is
        decided, unless the intake has to end or to give way. A shard that another worker has taken meanwhile is
        released, and its messages are left to that worker.
        """
        while True:
            try:
                self._take_in_former_order()
                shards = self.epochs.keys() - self._adopted  # one that had to give way waits for its next turn
                held = [delivery for delivery in deliveries if delivery.partition in shards]
                ranges = [complete for part in _by_partition(held) for complete in self._complete(part)]
                return self._take_in(ranges)
            except GapInOffsets as gap:  # the ledger is not as far as this worker believed
                log.warning("gap at %s-%s from offset %s: reading again", gap.topic, gap.partition, gap.next_offset)
                self._refresh()
            except Fenced as fenced:
                self._release(fenced)

    def catch_up(self) -> int:
        """Compares the ledger with the ends of the assigned partitions and records what is missing.

        Returns how many messages that was. A shard that was released but is still assigned is taken again first. Ends
        early after `stop`, and when it has to give way.
        """
        self._hold(self._assigned)
        places = [(topic.name, shard) for topic in INBOUND for shard in sorted(self.epochs)]
        self.reads_backlog = True
        try:
            taken = self._take_in_former_order()
            for (topic, partition), (first, end) in self._ends(places).items():
                self._check_kept(topic, partition, first, end)
                try:
                    taken += self._read_up_to(topic, partition, end)
                except Fenced as fenced:
                    self._release(fenced)
        finally:
            self.reads_backlog = False
        if self.epochs:
            self._decide_groups(self.epochs)  # what a worker left that ended between its two transactions
        return taken

    def _ends(self, places: list[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        return self._retry(lambda: self._reader.ends(places), "ask how far the topics are")

    def _take_in_former_order(self) -> int:
        """Takes in what an adopted ledger has lost, before anything else; returns how many messages that was."""
        taken = 0
        for shard in sorted(self._adopted):
            places = [(topic.name, shard) for topic in INBOUND]
            for (topic, _), (first, end) in self._ends(places).items():
                self._check_kept(topic, shard, first, end)
            what = f"read the audit log of shard {shard}"
            order = self._retry(partial(former_order, self._reader, shard, self.reached), what)
            log.info("shard %s: taking in %s events again, in the order of the ledger before", shard, len(order))
            for batch in batches(self._read, shard, order, self.reached, self._settings.batch_events):
                if not self._may_take(shard):
                    return taken
                try:
                    taken += self._take_in(batch)
                except Fenced as fenced:
                    self._release(fenced)
            if self._may_take(shard):
                self._retry(partial(self._caught_up, shard), f"note that shard {shard} has caught up")
        return taken

    def _caught_up(self, shard: int) -> None:
        with self._engine.begin() as connection:
            adopted_shards.unmark(connection, shard)
        self._adopted.discard(shard)

    def _read_up_to(self, topic: str, partition: int, end: int) -> int:
        taken = 0
        while (start := self.reached(topic, partition)) < end and self._may_take(partition):
            taken += self._take_in([self._read(topic, partition, start, end)])
            if self.reached(topic, partition) == start:
                break  # the rest belongs to a transaction that is still open
        return taken

    def _may_take(self, partition: int) -> bool:
        return partition in self.epochs and not self._stopping.is_set() and not self._giving_way.is_set()

    def _release(self, fenced: Fenced) -> None:
        log.warning("%s: released", fenced)
        self.epochs.pop(fenced.shard, None)
        self._adopted.discard(fenced.shard)

    def _complete(self, deliveries: list[Delivery]) -> Iterator[Range]:
        """Ranges without holes, from the ledger's offset to the last delivery of one partition."""
        topic, partition = deliveries[0].topic, deliveries[0].partition
        reached = self.reached(topic, partition)
        run: list[Delivery] = []
        for delivery in deliveries:
            if delivery.offset < reached:
                continue
            if delivery.offset > reached:
                if run:
                    yield Range(topic, partition, run[0].offset, reached, tuple(run))
                    run = []
                yield from self._fill(topic, partition, reached, delivery.offset)
            run.append(delivery)
            reached = delivery.offset + 1
        if run:
            yield Range(topic, partition, run[0].offset, reached, tuple(run))

    def _fill(self, topic: str, partition: int, start: int, end: int) -> Iterator[Range]:
        log.info("gap at %s-%s: reading offsets %s to %s directly", topic, partition, start, end)
        while start < end:
            part = self._read(topic, partition, start, end)
            yield part
            start = part.end

    def _read(self, topic: str, partition: int, start: int, end: int) -> Range:
        def read() -> Range:
            return self._reader.read(topic, partition, start, end, self._settings.batch_events)

        return self._retry(read, f"read {topic}-{partition} from offset {start}")

    def _take_in(self, ranges: Sequence[Range]) -> int:
        if not ranges:
            return 0
        what = f"record events of shards {_listed({part.partition for part in ranges})}"
        shards, now = self._settings.shards, self._now
        with traced(
            "worker batch", SpanKind.CONSUMER, [each.traceparent for part in ranges for each in part.deliveries]
        ):
            moved = self._retry(lambda: take_in(self._engine, ranges, self.epochs, shards, now, self._remembered), what)
        self._next.update(moved.offsets)
        if moved.groups_wait:
            self._decide_groups(moved.groups_wait)
        return sum(len(part.deliveries) for part in ranges)

    def _decide_groups(self, shards: Collection[int]) -> None:
        """Decides the claims that wait for those of other persons, unless it has to end; then they still wait."""
        count, now = self._settings.shards, self._now
        what = f"decide claims of several persons, of shards {_listed(shards)}"

        def is_over() -> bool:
            return self._stopping.is_set() or self._giving_way.is_set()

        self._retry(lambda: recompute_groups(self._engine, shards, count, now, self._remembered, is_over), what)

    def _take(self, shards: Collection[int]) -> dict[int, int]:
        """Raises the shards' epochs. A ledger that was exchanged under a running worker is found here."""
        with self._engine.connect() as connection:
            exchanged = not is_at_home(connection)
        if exchanged:
            promoted = self._settings.after_promotion == "continue"
            check_all(self._engine, self._reader, range(self._settings.shards), promoted=promoted)
        try:
            with self._engine.begin() as connection:
                self._adopted |= adopted_shards.marked(connection) & set(shards)
                return reads.take_shards(connection, shards)
        except OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):  # the next try will find the shards free
                with self._engine.begin() as connection:
                    ended = reads.end_frozen(connection)
                log.warning("a shard is still locked after a lease; ended %s sessions frozen in a COPY", ended)
            raise

    def _refresh(self) -> None:
        def look() -> dict[tuple[str, int], int]:
            with self._engine.connect() as connection:
                return reads.next_offsets(connection)

        self._next = self._retry(look, "ask how far the ledger is")

    def reached(self, topic: str, partition: int) -> int:
        """The first offset of a partition that the ledger is not known to have. Can be called from any thread."""
        return self._next.get((topic, partition), 0)

    def _check_kept(self, topic: str, partition: int, first: int, end: int) -> None:
        reached = self.reached(topic, partition)
        if reached < first or reached > end:
            raise OffsetsLost(
                f"{topic}-{partition} holds offsets {first} to {end}, but the ledger is at {reached}: "
                "messages were deleted or the topic was recreated. Restore the topic, or have an operator decide; "
                "nothing was written"
            )


class OffsetsLost(Exception):
    """A topic has lost messages that the ledger lacks, or never had messages that the ledger has."""


def _listed(shards: Collection[int]) -> str:
    return ", ".join(map(str, sorted(shards)))


def _by_partition(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    parts: dict[tuple[str, int], dict[int, Delivery]] = defaultdict(dict)
    for delivery in deliveries:
        parts[delivery.topic, delivery.partition][delivery.offset] = delivery
    return [[part[offset] for offset in sorted(part)] for part in parts.values()]
