"""The load: posts events while faults happen, in a thread of its own, and journals what was acknowledged."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from tests.faults.events import Posting
from tests.faults.journal import Journal

GROUP = 20
"""So many events are journalled with one fsync, then posted."""

DELIVERY_MS_MAX = 600_000
TRANSACTION_S_MAX = 60.0


class Load:
    """Posts what it is given, in order, at a pace. Use it as a context manager; `finish` waits for the end."""

    def __init__(self, bootstrap: str, journal: Path, per_second: float) -> None:
        self._bootstrap = bootstrap
        self._journal = Journal(journal)
        self._per_second = per_second
        self._waiting: queue.SimpleQueue[Posting | None] = queue.SimpleQueue()
        self._unacknowledged = 0
        self._again: list[Posting] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, name="load", daemon=True)
        self._producer = self._new_producer()
        self.posted = 0
        self.acknowledged = 0

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.put(None)
        self._thread.join(TRANSACTION_S_MAX)

    def release(self, postings: Sequence[Posting]) -> None:
        """Gives it more to post."""
        for posting in postings:
            self._waiting.put(posting)

    def hurry(self) -> None:
        """No pace any more."""
        self._per_second = float("inf")

    def finish(self, within_s: float) -> None:
        """Returns when everything was posted and acknowledged. Raises TimeoutError, or what the load died of."""
        self._waiting.put(None)
        self._thread.join(within_s)
        if self._failure is not None:
            raise self._failure
        if self._thread.is_alive():
            raise TimeoutError(f"{self._unacknowledged} events were not acknowledged within {within_s:.0f} s")

    def _guarded(self) -> None:
        try:
            with self._journal:
                self._run()
        except BaseException as error:  # noqa: BLE001 - kept for finish(), which raises it
            self._failure = error

    def _run(self) -> None:
        ended = False
        while not ended or self._unacknowledged or self._again:
            group, self._again = self._again[:GROUP], self._again[GROUP:]
            while not ended and len(group) < GROUP:
                try:
                    posting = self._waiting.get(timeout=0 if group else 0.05)
                except queue.Empty:
                    break
                ended = posting is None
                if posting is not None:
                    group.append(posting)
            if group:
                self._post(group)
                time.sleep(len(group) / self._per_second)
            self._producer.poll(0 if group else 0.05)
            self._journal.sync()

    def _post(self, group: list[Posting]) -> None:
        numbers = [self._journal.posting(each.topic, each.key, each.value) for each in group]
        self._journal.sync()
        for number, each in zip(numbers, group, strict=True):
            self._send(number, each)

    def _send(self, number: int, posting: Posting) -> None:
        def answered(error: KafkaError | None, message: Message) -> None:
            self._unacknowledged -= 1
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            if error is not None or topic is None or partition is None or offset is None:
                self._journal.given_up(number, str(error))
                self._again.append(posting)  # as a sender does that does not know: it sends the event again
                return
            self.acknowledged += 1
            self._journal.acknowledged(number, (topic, partition, offset))

        while True:
            try:
                self._producer.produce(
                    posting.topic,
                    value=posting.value,
                    key=posting.key,
                    partition=posting.partition,
                    on_delivery=answered,
                )
                break
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException:  # a fatal error: this producer is beyond use
                self._journal.given_up(number, "producer failed")
                self._again.append(posting)
                self._producer.flush(1.0)
                self._producer = self._new_producer()
                return
        self._unacknowledged += 1
        self.posted += 1

    def _new_producer(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self._bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "message.max.bytes": 8 * 1024 * 1024,
                "message.timeout.ms": DELIVERY_MS_MAX,
                "reconnect.backoff.max.ms": 1_000,
                "linger.ms": 5,
                "log_level": 0,
            }
        )


def post_in_transaction(bootstrap: str, journal: Path, postings: Sequence[Posting], *, commit: bool) -> bool:
    """Posts as a sender that uses Kafka transactions, and commits, or takes everything back; whether that succeeded.

    What was taken back, or whose outcome is not known, is journalled as not acknowledged.
    """
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": "a-hospital-with-transactions",
            "partitioner": "murmur2_random",
            "log_level": 0,
        }
    )
    numbers: list[int] = []
    with Journal(journal) as notes:
        try:
            producer.init_transactions(TRANSACTION_S_MAX)
            producer.begin_transaction()
            for each in postings:
                numbers.append(notes.posting(each.topic, each.key, each.value))
                notes.sync()
                noted = partial(_note, notes, numbers[-1])
                producer.produce(each.topic, value=each.value, key=each.key, on_delivery=noted)
            producer.flush(TRANSACTION_S_MAX)
            if commit:
                producer.commit_transaction(TRANSACTION_S_MAX)
                return True
            producer.abort_transaction(TRANSACTION_S_MAX)
        except KafkaException:
            commit = False
        finally:
            if not commit:
                for number in numbers:
                    notes.aborted(number)
    return bool(numbers)


def _note(notes: Journal, number: int, error: KafkaError | None, message: Message) -> None:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if error is None and topic is not None and partition is not None and offset is not None:
        notes.acknowledged(number, (topic, partition, offset))
