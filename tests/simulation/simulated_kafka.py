"""Kafka as far as delivery goes, in memory: partitions of offsets, and transactions with fencing.

Follows Kafka's promises and no more: a transaction's messages stand in the log at once, and a read_committed reader
stops at the first one that is undecided. A new producer of a transactional id fences the one before and settles what
that left behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException

from schemas.records import Delivery, Range
from schemas.topics import INBOUND
from stream.outbound.cloudevents import Headers
from tests.simulation.faults import Faults, Point

Place = tuple[str, int]


class State(Enum):
    """Where a transaction stands. A prepared one is committed for good, but no reader can see it yet."""

    OPEN = 0
    PREPARED = 1
    COMMITTED = 2
    ABORTED = 3


@dataclass(slots=True)
class Transaction:
    """One producer's transaction; its messages point at it."""

    state: State = State.OPEN


class Stored(NamedTuple):
    """One message in a log. ``number`` counts all messages of the cluster in order of arrival."""

    number: int
    key: bytes | None
    value: bytes | None
    transaction: Transaction | None


class SimulatedKafka:
    """The cluster. An offset that holds None is a transaction marker: no message, but an offset all the same."""

    def __init__(self) -> None:
        self.logs: dict[Place, list[Stored | None]] = defaultdict(list)
        self._arrived = 0
        self._epochs: dict[str, int] = defaultdict(int)
        self._transactions: dict[str, tuple[Transaction, list[Place]]] = {}
        self._forgotten: dict[tuple[str, Place], list[Transaction]] = defaultdict(list)

    def append(self, place: Place, key: bytes | None, value: bytes | None, of: Transaction | None = None) -> None:
        """Puts a message at the end of a partition."""
        self._arrived += 1
        self.logs[place].append(Stored(self._arrived, key, value, of))

    def mark(self, place: Place) -> None:
        """Uses up an offset without a message, as the end of a sender's transaction does."""
        self.logs[place].append(None)

    def stable_end(self, place: Place) -> int:
        """The offset up to which everything is decided."""
        undecided = (State.OPEN, State.PREPARED)
        for offset, stored in enumerate(self.logs[place]):
            if stored is not None and stored.transaction is not None and stored.transaction.state in undecided:
                return offset
        return len(self.logs[place])

    def committed(self, place: Place) -> list[tuple[int, Stored]]:
        """What a read_committed reader sees, by offset."""
        seen = enumerate(self.logs[place][: self.stable_end(place)])
        return [
            (offset, stored)
            for offset, stored in seen
            if stored is not None and (stored.transaction is None or stored.transaction.state is State.COMMITTED)
        ]

    def fence(self, transactional_id: str) -> int:
        """Raises the epoch of a transactional id after settling its last transaction; returns the new epoch."""
        self.settle(transactional_id)
        self._epochs[transactional_id] += 1
        return self._epochs[transactional_id]

    def settle(self, transactional_id: str, committed: bool = False) -> None:
        """Ends the transaction under way, if any: one that is prepared is completed, an open one as is said.

        Its marker in a partition also decides what was forgotten there under the same id, and so decides likewise.
        """
        transaction, places = self._transactions.pop(transactional_id, (Transaction(), []))
        done = committed or transaction.state is State.PREPARED
        transaction.state = State.COMMITTED if done else State.ABORTED
        for place in places:
            for forgotten in self._forgotten.pop((transactional_id, place), []):
                forgotten.state = transaction.state
            self.mark(place)

    def forget(self, transactional_id: str, marked: Collection[Place] = (), commit: bool = True) -> None:
        """Ends the transaction under way as a broker does that dies then: only some partitions have their marker."""
        transaction, places = self._transactions.pop(transactional_id)
        for place in places:
            here = Transaction()
            self.logs[place] = [
                each._replace(transaction=here) if each and each.transaction is transaction else each
                for each in self.logs[place]
            ]
            if place in marked:
                here.state = State.COMMITTED if commit else State.ABORTED
                self.mark(place)
            else:
                self._forgotten[transactional_id, place].append(here)

    def end_forgotten(
        self, _bootstrap: str, transactional_id: str, shard: int, commit: bool, own: Sequence[str]
    ) -> None:
        """`stream.outbound.forgotten.end`: an empty transaction, which fences whoever uses the id."""
        self.fence(transactional_id)
        for topic in (*own, *(topic.name for topic in INBOUND)):
            self.join(transactional_id, (topic, shard))
        self.settle(transactional_id, committed=commit)

    def is_current(self, transactional_id: str, epoch: int) -> bool:
        """Whether no newer producer has taken the transactional id."""
        return self._epochs[transactional_id] == epoch

    def join(self, transactional_id: str, place: Place) -> Transaction:
        """The transaction under way, which from now on also spans a partition."""
        transaction, places = self._transactions.setdefault(transactional_id, (Transaction(), []))
        if place not in places:
            places.append(place)
        return transaction

    def prepare(self, transactional_id: str) -> None:
        """Decides the transaction under way for good, without telling its readers yet."""
        self._transactions[transactional_id][0].state = State.PREPARED


class SimulatedReader:
    """A read_committed range reader (`stream.inbound.intake.Reader`), whose broker is away at times."""

    def __init__(self, kafka: SimulatedKafka, faults: Faults) -> None:
        self._kafka = kafka
        self._faults = faults

    def __enter__(self) -> SimulatedReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def ends(self, partitions: Collection[Place]) -> dict[Place, tuple[int, int]]:
        self._answer()
        return {place: (0, self._kafka.stable_end(place)) for place in partitions}

    def unsettled(self, partitions: Collection[Place]) -> list[Place]:
        self._answer()
        return [place for place in partitions if self._kafka.stable_end(place) < len(self._kafka.logs[place])]

    def undecided(self, topic: str, partition: int) -> list[Delivery]:
        self._answer()
        start = self._kafka.stable_end((topic, partition))
        stored = enumerate(self._kafka.logs[topic, partition][start:], start)
        return [Delivery(topic, partition, offset, each.key, each.value) for offset, each in stored if each is not None]

    def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Range:
        self._answer()
        place = (topic, partition)
        deliveries = [
            Delivery(topic, partition, offset, stored.key, stored.value)
            for offset, stored in self._kafka.committed(place)
            if start <= offset < end
        ]
        if len(deliveries) >= limit:
            deliveries = deliveries[:limit]
            return Range(topic, partition, start, deliveries[-1].offset + 1, tuple(deliveries))
        return Range(topic, partition, start, min(end, self._kafka.stable_end(place)), tuple(deliveries))

    def _answer(self) -> None:
        if self._faults.fires(Point.BROKER_AWAY):
            raise KafkaException(KafkaError(KafkaError._TRANSPORT, "simulated: no answer"))


class SimulatedProducer:
    """A transactional producer (`stream.outbound.relay.TransactionalProducer`)."""

    def __init__(
        self, kafka: SimulatedKafka, faults: Faults, transactional_id: str, overtake: Callable[[], None]
    ) -> None:
        """``overtake`` lets another process act in the middle of a commit."""
        self._kafka = kafka
        self._faults = faults
        self._overtake = overtake
        self._id = transactional_id
        self._epoch = 0
        self.disturbed = False

    def init_transactions(self, _timeout: float, /) -> None:
        self._epoch = self._kafka.fence(self._id)

    @property
    def is_current(self) -> bool:
        """Whether no newer producer has fenced this one."""
        return self._kafka.is_current(self._id, self._epoch)

    def begin_transaction(self) -> None:
        pass

    def poll(self, _timeout: float, /) -> int:
        return 0

    def produce(
        self,
        topic: str,
        /,
        *,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        headers: Headers | None = None,
    ) -> None:
        """Sends in the background: that a broker turns a fenced producer away is learnt at the commit."""
        self._faults.crash_at(Point.RELAY_MID_SEND)
        place = (topic, partition)
        if self.is_current:
            self._kafka.append(place, key, value, self._kafka.join(self._id, place))

    def commit_transaction(self, _timeout: float, /) -> None:
        self._faults.crash_at(Point.RELAY_BEFORE_COMMIT)
        if self._faults.fires(Point.RELAY_EXPIRED):
            self._kafka.fence(self._id)
        if self._faults.fires(Point.RELAY_FENCED):
            self._overtake()
        if not self.is_current:
            raise KafkaException(KafkaError(KafkaError._FENCED, "simulated: a newer producer", fatal=True))
        if self._faults.fires(Point.RELAY_UNKNOWN_LOST):
            raise _unknown()
        if self._faults.fires(Point.RELAY_UNKNOWN_PENDING):
            self._kafka.prepare(self._id)
            raise _unknown()
        self._kafka.settle(self._id, committed=True)
        if self._faults.fires(Point.RELAY_UNKNOWN_DONE):
            raise _unknown()
        if self._faults.fires(Point.RELAY_ZOMBIE):
            self._overtake()


def _unknown() -> KafkaException:
    return KafkaException(KafkaError(KafkaError._TIMED_OUT, "simulated: outcome unknown"))
