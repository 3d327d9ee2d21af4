"""Every Kafka topic of Huzhu, declared once: who writes, who reads, the key, how long it is kept.

Beside these every insurer of a treaty has topics of its own: with what it pays, if it leads one, and with its
statements (`insurer_topic`).

Partitions of all topics are equal: the partition of a person's key is the person's *shard*
(docs/architecture.md), so one shard's input, output and audit stay together and in order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal

from schemas.treaty.treaty_model import FUND

MESSAGE_BYTES_MAX = 8 * 1024 * 1024
"""A 1 MiB event plus a bigger refused one in base64 (4/3) in its dead letter: the broker must carry both."""

EVENT_BYTES_MAX = 1024 * 1024
"""The largest accepted event: 1 MiB (claims.md, TOO_LARGE)."""

FOR_EVER = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. ``retention_ms`` is -1 for ever; ``event_types`` are the only ones in it."""

    name: str
    direction: Literal["in", "out", "internal"]
    event_types: tuple[str, ...]
    key: str
    writer: str
    readers: str
    retention_ms: int = FOR_EVER
    cleanup: Literal["delete", "compact"] = "delete"

    def config(self, min_insync_replicas: int) -> dict[str, str]:
        """The topic's settings as Kafka spells them."""
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(MESSAGE_BYTES_MAX),
            "min.insync.replicas": str(min_insync_replicas),
            # The broker's clock: a sender whose clock runs ahead must neither be rejected nor outlive its retention.
            "message.timestamp.type": "LogAppendTime",
        }


DISCHARGES = Topic("hospital.discharges", "in", ("encounter.discharged",), "person_id", "hospital systems", "worker")
EXPENSES = Topic(
    "hospital.expenses", "in", ("settlement.posted", "settlement.voided"), "person_id", "hospital systems", "worker"
)
COVERAGES = Topic(
    "registry.coverages",
    "in",
    ("coverage.recorded", "coverage.voided"),
    "person_id",
    "civil registry",
    "worker",
)
HOUSEHOLDS = Topic(
    "registry.households",
    "in",
    ("membership.recorded", "membership.voided"),
    "person_id",
    "civil registry",
    "worker",
)
AIDS = Topic(
    "registry.aids",
    "in",
    ("aid.decided", "aid.voided"),
    "person_id",
    "civil registry",
    "worker",
)
INCIDENTS = Topic(
    "registry.incidents",
    "in",
    ("incident.recorded", "incident.voided"),
    "person_id",
    "civil registry",
    "worker",
)
FUNDS = Topic(
    "funds.movements",
    "in",
    ("pool.recorded", "contribution.received", "contribution.voided"),
    "pool_id",
    "fund offices",
    "worker",
)
PERSONS = Topic("registry.persons", "in", ("person.died",), "person_id", "civil registry", "worker")
PAYOUT_RESULTS = Topic("payouts.results", "in", ("payout.reported",), "person_id", "insurers", "worker")
ANSWERS = Topic("insurance.answers", "in", ("statement.answered",), "insurer_id", "insurers of treaties", "worker")
DAYS = Topic("calendar.days", "in", ("day.closed",), "none; partition = shard", "timer", "worker")

DECISIONS = Topic("claims.decisions", "out", ("claim.decided",), "person_id", "relay", "hospitals, console")
INSTRUCTIONS = Topic("payouts.instructions", "out", ("payout.instructed",), "person_id", "relay", "insurers")
AUDIT = Topic("audit.events", "out", ("audit.recorded",), "none; partition = shard", "relay", "finance auditors")
CHECKPOINTS = Topic(
    "audit.checkpoints", "out", ("audit.checkpointed",), "none; partition = shard", "relay", "finance auditors"
)
DEADLETTER = Topic("claims.deadletter", "out", ("event.refused",), "the original key", "relay", "finance staff")
STATEMENTS = Topic(
    "insurance.statements",
    "out",
    ("statement.lines", "statement.issued"),
    "insurer",
    "relay",
    "finance staff",
)
ALERTS = Topic("alerts", "out", ("alert.raised", "alert.withdrawn"), "person_id", "relay", "finance staff")

RELAY_CURSORS = Topic(
    "relay.cursors", "internal", (), "shard; partition = shard", "relay", "relay, worker", cleanup="compact"
)

# Inbound in the order in which a backlog is read: who is covered first, so that fewer claims are decided twice;
# days last, so that what came before a day's end is there when it ends.
TOPICS: tuple[Topic, ...] = (
    COVERAGES,
    HOUSEHOLDS,
    PERSONS,
    FUNDS,
    AIDS,
    INCIDENTS,
    DISCHARGES,
    EXPENSES,
    PAYOUT_RESULTS,
    ANSWERS,
    DAYS,
    DECISIONS,
    INSTRUCTIONS,
    AUDIT,
    CHECKPOINTS,
    DEADLETTER,
    ALERTS,
    STATEMENTS,
    RELAY_CURSORS,
)
COPIED: tuple[Topic, ...] = (INSTRUCTIONS, STATEMENTS)
"""The topics of which each insurer has its own part as a topic of its own, made when a treaty is published."""

INBOUND: tuple[Topic, ...] = tuple(topic for topic in TOPICS if topic.direction == "in")
OUTBOUND: tuple[Topic, ...] = tuple(topic for topic in TOPICS if topic.direction == "out")
TOPIC_OF_EVENT: dict[str, Topic] = {name: topic for topic in INBOUND for name in topic.event_types}
"""The inbound topic to which an event type belongs."""


def insurer_topic(insurer: str, of: Topic = INSTRUCTIONS) -> Topic:
    """The topic with an insurer's own part of a copied topic, each message as it stands there too."""
    return replace(of, name=f"{own_prefix(of)}{insurer}", readers="the insurer")


def own_prefix(of: Topic) -> str:
    """What the topics of insurers start with that hold parts of a copied topic."""
    return f"{of.name}."


def copied_from(topic: str) -> Topic | None:
    """The topic of which an insurer's topic holds a part, from its name; None for what is no insurer's topic."""
    return next((of for of in COPIED if topic.startswith(own_prefix(of))), None)


_PAYER = b'"payer":"'


def insurer_topic_of(topic: str, key: bytes | None, value: bytes) -> str | None:
    """The name of the topic that gets a copy of a message: of an instruction that an insurer pays, or of a statement.

    A quotation mark within a text of canonical JSON is escaped, so what is found can only be the member itself.
    """
    if topic == STATEMENTS.name:
        return f"{own_prefix(STATEMENTS)}{(key or b'').decode()}"
    if topic != INSTRUCTIONS.name:
        return None
    start = value.find(_PAYER) + len(_PAYER)
    if start < len(_PAYER):
        return None  # a release before 1.1 wrote it
    payer = value[start : value.index(b'"', start)].decode()
    return None if payer == FUND else f"{own_prefix(INSTRUCTIONS)}{payer}"


def address(value: bytes) -> tuple[str, bytes | None]:
    """The topic and key of an event. One that names neither goes to the expenses topic without a key, to be refused."""
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return EXPENSES.name, None
    event_type = document.get("event_type")
    topic = TOPIC_OF_EVENT.get(event_type, EXPENSES) if isinstance(event_type, str) else EXPENSES
    owner = document.get(topic.key)
    try:
        key = owner.encode("utf-8") if isinstance(owner, str) else None
    except UnicodeEncodeError:
        key = None
    return topic.name, key
