"""Every metric that Huzhu's processes tell a monitor: its name, kind, unit and labels, and which processes tell it.

docs/operations.md lists them for people, infra/monitoring/ uses them; tests hold both to this table. Nothing in a
metric says who somebody is: the values of every label are a closed set.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import NamedTuple

from schemas.outbound import AlertCode
from schemas.refusals import RefusalCode
from schemas.topics import INBOUND

OTHER = "other"
"""The value of a label in place of one that is not in its set."""


class Process(StrEnum):
    """The kinds of processes that tell metrics."""

    WORKER = "worker"
    RELAY = "relay"
    GATEWAY = "gateway"
    CONSOLE = "console"
    SIGNER = "signer"


class MetricKind(StrEnum):
    """What Prometheus calls it: a count that only grows, the state of a moment, or how values are spread."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Label(StrEnum):
    """What a metric is divided by."""

    SHARD = "shard"
    TOPIC = "topic"
    CODE = "code"


TEXTS = {
    Label.TOPIC: frozenset(topic.name for topic in INBOUND),
    Label.CODE: frozenset([*RefusalCode, *AlertCode]),
}
SHARD_MAX = 255


def told(label: Label, value: str | int) -> str:
    """The value as a monitor is told it: a shard, an inbound topic, a code of a refusal or an alert; else `OTHER`."""
    text = str(value)
    if label is Label.SHARD:
        return text if text.isascii() and text.isdecimal() and int(text) <= SHARD_MAX else OTHER
    return text if text in TEXTS[label] else OTHER


class MetricForm(NamedTuple):
    """``name`` is as Prometheus shows it. ``unit`` is as UCUM writes it; what is only counted stands in braces.

    ``bounds`` are those of a histogram's buckets, in its unit.
    """

    name: str
    kind: MetricKind
    unit: str
    labels: tuple[Label, ...]
    told_by: tuple[Process, ...]
    help: str
    bounds: tuple[float, ...] = ()


_COUNTER, _GAUGE, _HISTOGRAM = MetricKind
_SHARD, _TOPIC, _CODE = Label
_WORKER, _RELAY, _GATEWAY, _, _SIGNER = ((each,) for each in Process)
_KAFKA = (Process.WORKER, Process.CONSOLE)
_ALL = tuple(Process)
_EVENTS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


class Metric(Enum):
    """The metrics. Money is in yuan, with two decimals: a monitor's numbers are for looking, the ledger's are exact."""

    EVENTS = MetricForm(
        "huzhu_events_total", _COUNTER, "{event}", (_TOPIC,), _WORKER, "Events taken into the ledger, refused ones too."
    )
    REFUSED = MetricForm(
        "huzhu_events_refused_total", _COUNTER, "{event}", (_CODE,), _WORKER, "Events refused, by the refusal's code."
    )
    BATCH_EVENTS = MetricForm(
        "huzhu_batch_events", _HISTOGRAM, "{event}", (), _WORKER, "Events in one ledger transaction.", _EVENTS
    )
    BATCH_SECONDS = MetricForm(
        "huzhu_batch_seconds",
        _HISTOGRAM,
        "s",
        (),
        _WORKER,
        "Time of one batch, from its first lock to its commit.",
        _SECONDS,
    )
    COMMIT_SECONDS = MetricForm(
        "huzhu_commit_seconds", _HISTOGRAM, "s", (), _WORKER, "Time of a batch's COMMIT alone.", _SECONDS
    )

    POSTED = MetricForm(
        "huzhu_posts_total", _COUNTER, "{event}", (), _GATEWAY, "Events posted over HTTP and judged, refused ones too."
    )
    POSTS_REFUSED = MetricForm(
        "huzhu_posts_refused_total", _COUNTER, "{event}", (_CODE,), _GATEWAY, "Events refused over HTTP, by code."
    )
    SENT = MetricForm(
        "huzhu_messages_sent_total", _COUNTER, "{message}", (_SHARD,), _RELAY, "Messages of the outbox that Kafka has."
    )
    SEND_SECONDS = MetricForm(
        "huzhu_send_seconds",
        _HISTOGRAM,
        "s",
        (),
        _RELAY,
        "Time of one Kafka transaction with its note in the ledger.",
        _SECONDS,
    )
    CHECKPOINTS = MetricForm(
        "huzhu_checkpoints_total", _COUNTER, "{checkpoint}", (_SHARD,), _SIGNER, "Checkpoints signed."
    )
    NOT_SIGNED = MetricForm(
        "huzhu_checkpoints_refused_total",
        _COUNTER,
        "{checkpoint}",
        (_SHARD,),
        _SIGNER,
        "Checkpoints refused, as the audit log does not hold together.",
    )

    KAFKA_UP = MetricForm("huzhu_kafka_up", _GAUGE, "", (), _KAFKA, "1 if Kafka said how far the topics are, else 0.")
    LAG_EVENTS = MetricForm(
        "huzhu_lag_events", _GAUGE, "{event}", (_TOPIC, _SHARD), _KAFKA, "Committed messages that the ledger lacks."
    )
    LAG_SECONDS = MetricForm(
        "huzhu_lag_seconds",
        _GAUGE,
        "s",
        (_TOPIC, _SHARD),
        _KAFKA,
        "Age of the oldest event that the ledger lacks; 0: none.",
    )

    LEDGER_UP = MetricForm(
        "huzhu_ledger_up", _GAUGE, "", (), _ALL, "1 if the ledger answered with tables of this version, else 0."
    )
    OUTBOX = MetricForm(
        "huzhu_outbox_messages", _GAUGE, "{message}", (_SHARD,), _ALL, "Messages that Kafka is not known to have."
    )
    OUTBOX_SECONDS = MetricForm(
        "huzhu_outbox_oldest_seconds", _GAUGE, "s", (_SHARD,), _ALL, "Age of the oldest unsent message; 0: none."
    )
    INBOX = MetricForm(
        "huzhu_inbox_events", _GAUGE, "{event}", (), _ALL, "Events acknowledged over HTTP that Kafka does not have."
    )
    INBOX_SECONDS = MetricForm(
        "huzhu_inbox_oldest_seconds", _GAUGE, "s", (), _ALL, "Age of the oldest of them; 0: none."
    )
    PERSONS = MetricForm(
        "huzhu_group_persons", _GAUGE, "{person}", (), _ALL, "Persons who wait to be decided with their household."
    )
    PERSONS_SECONDS = MetricForm(
        "huzhu_group_oldest_seconds", _GAUGE, "s", (), _ALL, "For how long the first of them has waited; 0: nobody."
    )
    POOLS = MetricForm("huzhu_pool_steps", _GAUGE, "{pool}", (), _ALL, "Pools whose next step is not taken yet.")
    POOLS_SECONDS = MetricForm(
        "huzhu_pool_oldest_seconds", _GAUGE, "s", (), _ALL, "For how long the first of them has waited; 0: none."
    )
    HELD_CLAIMS = MetricForm(
        "huzhu_held_claims", _GAUGE, "{claim}", (), _ALL, "Claims that are held, as they may be there twice."
    )
    HELD_MONEY = MetricForm(
        "huzhu_held_yuan", _GAUGE, "{yuan}", (), _ALL, "What is not paid while these claims are held, in yuan."
    )
    WAITING_MONEY = MetricForm(
        "huzhu_waiting_yuan", _GAUGE, "{yuan}", (), _ALL, "What is due and waits for the money of a pool, in yuan."
    )
    ALERTS = MetricForm("huzhu_alerts_open", _GAUGE, "{alert}", (_CODE,), _ALL, "Alerts to look at, by their code.")
    ALERTS_SECONDS = MetricForm(
        "huzhu_alerts_oldest_seconds", _GAUGE, "s", (), _ALL, "Age of the oldest alert to look at; 0: none."
    )
    UNSIGNED = MetricForm(
        "huzhu_audit_unsigned_entries", _GAUGE, "{entry}", (_SHARD,), _ALL, "Audit entries after the newest checkpoint."
    )
    CHECKPOINT_SECONDS = MetricForm(
        "huzhu_audit_checkpoint_age_seconds", _GAUGE, "s", (_SHARD,), _ALL, "Age of the shard's newest checkpoint."
    )

    @property
    def form(self) -> MetricForm:
        return self.value


FROM_ZERO: dict[Metric, list[tuple[str, ...]]] = {
    Metric.EVENTS: [(topic.name,) for topic in INBOUND],
    Metric.REFUSED: [(code,) for code in RefusalCode],
    Metric.POSTED: [()],
    Metric.POSTS_REFUSED: [(code,) for code in RefusalCode],
}
"""Counters that are told, with these labels, before there is anything to count: else the first one were no rise."""


class Measured(NamedTuple):
    """What a gauge shows now; ``labels`` are in the order of the metric's."""

    metric: Metric
    value: float
    labels: tuple[str | int, ...] = ()
