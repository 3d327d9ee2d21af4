"""Who may do what in Kafka: the least that each role needs, from the topic declarations.

A role is a kind of program; each program has its own Kafka user. Nothing here is about people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from schemas.topics import AUDIT, COPIED, INBOUND, OUTBOUND, PAYOUT_RESULTS, TOPICS, insurer_topic, own_prefix


class KafkaRole(StrEnum):
    """A kind of program. ``gateway`` forwards what came in over HTTP for all senders.

    A ``fund`` office says what the pools are and what they received. A ``timer`` closes days, with `huzhu day close`.

    An ``insurer`` reads every instruction, as whoever pays for the public fund; a ``lead`` those that it pays itself,
    and its statements. An insurer of a treaty that leads none has that role too: then there are no orders for it.
    """

    WORKER = "worker"
    RELAY = "relay"
    GATEWAY = "gateway"
    HOSPITAL = "hospital"
    REGISTRY = "registry"
    FUND = "fund"
    TIMER = "timer"
    INSURER = "insurer"
    LEAD = "lead"
    AUDITOR = "auditor"


Operation = Literal["READ", "WRITE", "DESCRIBE", "DESCRIBE_CONFIGS"]
Resource = Literal["topic", "group", "transactional_id"]

ROLE_OF: dict[str, KafkaRole] = {
    "worker": KafkaRole.WORKER,
    "relay": KafkaRole.RELAY,
    "hospital systems": KafkaRole.HOSPITAL,
    "hospitals": KafkaRole.HOSPITAL,
    "civil registry": KafkaRole.REGISTRY,
    "fund offices": KafkaRole.FUND,
    "timer": KafkaRole.TIMER,
    "insurers": KafkaRole.INSURER,
    "insurers of treaties": KafkaRole.LEAD,
    "finance auditors": KafkaRole.AUDITOR,
    "finance staff": KafkaRole.AUDITOR,
}
"""The role of each writer and reader that the topics name. The console reads the ledger and not Kafka.

An insurer of a treaty reads topics that are made for it.
"""

WORKER_GROUP = "huzhu-worker"
RANGES_GROUP = "huzhu-ranges"
RELAY_TRANSACTIONS = "huzhu-relay-"


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One thing a user may do. ``prefixed``: with every resource whose name starts with ``name``."""

    user: str
    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False

    def __str__(self) -> str:
        return f"User:{self.user} {self.operation} {self.resource} {self.name}{'*' if self.prefixed else ''}"


def rules(role: KafkaRole, user: str, insurers: Sequence[str] = ()) -> list[Rule]:
    """The least that a user of a role needs, in order. A reader's consumer groups start with the user's name.

    ``insurers`` are whose topics a lead reads.
    """
    writes = [topic.name for topic in TOPICS if role in _roles(topic.writer)]
    reads = [topic.name for topic in TOPICS if role in _roles(topic.readers)]
    if role is KafkaRole.WORKER:  # the order in which a ledger that it replaces took events in
        reads.append(AUDIT.name)
    if role is KafkaRole.GATEWAY:
        writes = [topic.name for topic in INBOUND]
    if role is KafkaRole.RELAY:  # it sends refused events and aid, and looks for what Kafka forgot to mark as committed
        writes += [topic.name for topic in INBOUND]
        reads += [topic.name for topic in OUTBOUND]
    if role is KafkaRole.LEAD:
        writes += [PAYOUT_RESULTS.name]
        reads = [insurer_topic(insurer, of).name for insurer in insurers for of in COPIED]
    granted = [Rule(user, "topic", name, "WRITE") for name in writes]
    granted += [Rule(user, "topic", name, "READ") for name in reads]
    if role in (KafkaRole.WORKER, KafkaRole.RELAY):  # both compare the topics with their declaration before they start
        for topic in TOPICS:
            granted.append(Rule(user, "topic", topic.name, "DESCRIBE"))
            granted.append(Rule(user, "topic", topic.name, "DESCRIBE_CONFIGS"))
        for of in COPIED:
            granted.append(Rule(user, "topic", own_prefix(of), "DESCRIBE", prefixed=True))
            granted.append(Rule(user, "topic", own_prefix(of), "DESCRIBE_CONFIGS", prefixed=True))
        granted.append(Rule(user, "group", RANGES_GROUP, "DESCRIBE"))
    if role is KafkaRole.WORKER:
        granted.append(Rule(user, "group", WORKER_GROUP, "READ"))
    elif role is KafkaRole.RELAY:
        granted += [Rule(user, "topic", own_prefix(of), "READ", prefixed=True) for of in COPIED]
        granted += [Rule(user, "topic", own_prefix(of), "WRITE", prefixed=True) for of in COPIED]
        granted.append(Rule(user, "transactional_id", RELAY_TRANSACTIONS, "WRITE", prefixed=True))
    elif reads:
        granted.append(Rule(user, "group", user, "READ", prefixed=True))
    return sorted(granted)


def _roles(words: str) -> Iterable[KafkaRole]:
    """The roles named in a topic's declaration, separated by commas."""
    return [ROLE_OF[word] for word in map(str.strip, words.split(",")) if word in ROLE_OF]
