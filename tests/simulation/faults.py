"""Every point at which the simulation can do harm, how likely it does, and how often it did."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from random import Random


class Point(StrEnum):
    """A named fault point. A run in which one of them fires too seldom proves nothing."""

    BEFORE_COMMIT = "crash before the database commit"
    AFTER_COMMIT = "crash after the database commit, before the ack"
    COMMIT_UNKNOWN_DONE = "connection dies in the database commit: committed"
    COMMIT_UNKNOWN_LOST = "connection dies in the database commit: rolled back"
    MID_BATCH = "crash in the middle of a batch"
    CONNECTION_KILLED = "connection dies in the middle of a batch"
    INTERLEAVED = "another process acts between two statements of a transaction"
    BEFORE_BINDING = "another process acts just before new ids are bound"
    DURING_WAIT = "another process acts while one waits to try again"
    GROUP_LEFT = "crash between a batch and its group step"
    GROUP_PAUSED = "others act, or take over, between a batch and its group step"
    GROUP_OVERTAKEN = "others act between finding a group and locking it"
    GROUP_INTERLEAVED = "others act in the middle of a group step"
    GROUP_MID = "crash in the middle of a group step"
    GROUP_BEFORE_COMMIT = "crash before the commit of a group step"
    GROUP_AFTER_COMMIT = "crash after the commit of a group step"
    GROUP_UNKNOWN_DONE = "connection dies in the commit of a group step: committed"
    GROUP_UNKNOWN_LOST = "connection dies in the commit of a group step: rolled back"
    REDELIVERED = "messages delivered again"
    REORDERED = "partitions delivered out of order"
    SKIPPED = "messages never delivered"
    COMMITTED_PAST = "group commits past messages in flight"
    REBALANCED = "rebalance"
    ZOMBIE_WORKER = "worker paused past its lease writes"
    WORKER_CRASHED = "worker crashes between two batches"
    BROKER_AWAY = "broker does not answer a range reader"
    RELAY_MID_SEND = "relay crashes in the middle of sending"
    RELAY_BEFORE_COMMIT = "relay crashes between sending and Kafka commit"
    RELAY_UNKNOWN_DONE = "relay's Kafka commit unknown: committed"
    RELAY_UNKNOWN_PENDING = "relay's Kafka commit unknown: committed when the next one starts"
    RELAY_UNKNOWN_LOST = "relay's Kafka commit unknown: aborted"
    RELAY_FENCED = "relay fenced by a newer one between sending and Kafka commit"
    RELAY_EXPIRED = "relay's transaction expires before its Kafka commit"
    RELAY_BEFORE_CLEAR = "relay crashes after its Kafka commit, before the ledger is told"
    RELAY_ZOMBIE = "relay paused past its successor's start tells the ledger"


CHANCES: dict[Point, float] = {
    Point.BEFORE_COMMIT: 0.05,
    Point.AFTER_COMMIT: 0.05,
    Point.COMMIT_UNKNOWN_DONE: 0.05,
    Point.COMMIT_UNKNOWN_LOST: 0.05,
    Point.MID_BATCH: 0.005,
    Point.CONNECTION_KILLED: 0.006,
    Point.INTERLEAVED: 0.012,
    Point.BEFORE_BINDING: 0.35,
    Point.DURING_WAIT: 0.5,
    Point.GROUP_LEFT: 0.2,
    Point.GROUP_PAUSED: 0.35,
    Point.GROUP_OVERTAKEN: 0.5,
    Point.GROUP_INTERLEAVED: 0.5,
    Point.GROUP_MID: 0.03,
    Point.GROUP_BEFORE_COMMIT: 0.25,
    Point.GROUP_AFTER_COMMIT: 0.6,
    Point.GROUP_UNKNOWN_DONE: 0.4,
    Point.GROUP_UNKNOWN_LOST: 0.3,
    Point.REDELIVERED: 0.15,
    Point.REORDERED: 0.3,
    Point.SKIPPED: 0.12,
    Point.COMMITTED_PAST: 0.12,
    Point.REBALANCED: 1.0,
    Point.ZOMBIE_WORKER: 1.0,
    Point.WORKER_CRASHED: 1.0,
    Point.BROKER_AWAY: 0.025,
    Point.RELAY_MID_SEND: 0.02,
    Point.RELAY_BEFORE_COMMIT: 0.12,
    Point.RELAY_UNKNOWN_DONE: 0.3,
    Point.RELAY_UNKNOWN_PENDING: 0.2,
    Point.RELAY_UNKNOWN_LOST: 0.15,
    Point.RELAY_FENCED: 0.12,
    Point.RELAY_EXPIRED: 0.15,
    Point.RELAY_BEFORE_CLEAR: 0.18,
    Point.RELAY_ZOMBIE: 0.4,
}
"""The chance each time a point is passed: a statement, a commit, a fetch, a message. 1 where the scheduler decides."""


class Crashed(BaseException):
    """A process was killed here. Nothing catches it but the scheduler, as nothing survives a kill."""


class WouldBlock(BaseException):
    """A process would have to wait for one that stands still below it on the stack: it goes on another time."""


class Faults:
    """Decides from the seed what goes wrong, until it is healed."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.on = True
        self.fired: Counter[Point] = Counter()

    def fires(self, point: Point) -> bool:
        """Whether the fault happens now; counts it if so."""
        if not self.on or self._rng.random() >= CHANCES[point]:
            return False
        self.fired[point] += 1
        return True

    def crash_at(self, point: Point) -> None:
        """Kills the process that passes, or not."""
        if self.fires(point):
            raise Crashed(point)
