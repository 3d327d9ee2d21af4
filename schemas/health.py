"""What `huzhu status` is told by the ledger and by Kafka, before anybody judges it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from schemas.bilingual import Saying

PROGRAM = "huzhu"
"""What the names of our sessions begin with; the kind of process follows, and which one it is."""

SNAPSHOT = f"{PROGRAM} snapshot"
"""The name of a session that does nothing on purpose, while others read as of its moment; nobody waits for it."""

OF_LATE = timedelta(minutes=10)
"""The time in which starts of workers and relays are counted."""

PartitionName = tuple[str, int]
"""A topic and a partition of it."""


class Unanswered(NamedTuple):
    """A question without an answer, and why."""

    why: str


class LedgerSession(NamedTuple):
    """A session of the ledger's database. Times are None where this user may not see them, or nothing goes on.

    ``idle_since``: it has a transaction and does nothing in it. ``waits_since``: it waits for a lock on ``waits_for``
    that the sessions ``blocked_by`` hold.
    """

    pid: int
    program: str
    transaction_since: datetime | None = None
    idle_since: datetime | None = None
    waits_since: datetime | None = None
    waits_for: str = ""
    blocked_by: tuple[int, ...] = ()


class ShardOutbox(NamedTuple):
    """A shard's messages that Kafka is not known to have, since when the oldest waits, and which relay sent last."""

    shard: int
    messages: int
    oldest: datetime | None
    sent_by: str | None
    sent_at: datetime | None


class Starts(NamedTuple):
    """How often processes of a kind were started of late, and when last."""

    kind: str
    starts: int
    latest: datetime


class Tables(NamedTuple):
    """What the ledger's tables hold. ``offsets`` are the first that each partition's intake lacks.

    ``households`` counts the persons whose claims wait to be decided with their household's, the first of them since
    ``households_oldest``. ``pools`` counts the pools whose next step was not taken yet, since ``pools_oldest``.
    ``closed_days`` is the last day that is closed on each shard that has any.
    ``alerts`` counts those that somebody has to look at, raised since ``alerts_oldest``.
    """

    shards: int
    cluster_id: str
    offsets: dict[PartitionName, int]
    outboxes: list[ShardOutbox]
    inbox: int
    inbox_oldest: datetime | None
    starts: list[Starts]
    households: int
    households_oldest: datetime | None
    pools: int = 0
    pools_oldest: datetime | None = None
    closed_days: Mapping[int, date] = MappingProxyType({})
    alerts: int = 0
    alerts_oldest: datetime | None = None


class LedgerReading(NamedTuple):
    """What the database says. ``hidden``: so many sessions are other users', and show no more than their program.

    ``tables`` is a sentence where they cannot be read.
    """

    now: datetime
    sessions: list[LedgerSession]
    hidden: int
    tables: Tables | Saying


class Partition(NamedTuple):
    """How far a partition goes: the first offset kept, the end for ``read_committed``, and the end of all."""

    first: int
    readable: int
    written: int


class Member(NamedTuple):
    """A member of the workers' group, and how many partitions Kafka has given it."""

    name: str
    partitions: int


class KafkaReading(NamedTuple):
    """What Kafka says: partitions that have no leader, or that this user may not see, are ``unanswered``."""

    cluster_id: str
    partitions: dict[PartitionName, Partition]
    unanswered: list[PartitionName]
    group_state: str | Unanswered
    members: list[Member]


class Behind(NamedTuple):
    """Messages of a partition that wait, and since when; None where that is not known."""

    topic: str
    partition: int
    messages: int
    since: datetime | None


class HealthReading(NamedTuple):
    """All answers. ``refused``: why worker and relay refuse the ledger; None if they do not.

    ``lags`` are events that the ledger lacks, ``open`` are transactions that are not settled, ``lost`` are partitions
    that do not hold what the ledger lacks. None where nobody was asked.
    """

    now: datetime
    ledger: LedgerReading | Unanswered
    kafka: KafkaReading | Unanswered
    refused: str | Unanswered | None = None
    lags: list[Behind] | Unanswered | None = None
    open: list[Behind] | Unanswered | None = None
    lost: tuple[PartitionName, ...] = ()


class ShardAudit(NamedTuple):
    """How many audit entries of a shard no checkpoint covers yet, and when the newest one was made; None if none."""

    shard: int
    unsigned: int
    made_at: datetime | None


class MonitoredLedger(NamedTuple):
    """What monitors are told of the ledger. Money in fen: ``held`` is kept back, ``waiting`` waits for pools."""

    now: datetime
    tables: Tables
    held_claims: int
    held: int
    waiting: int
    alerts: dict[str, int]
    audits: list[ShardAudit]
