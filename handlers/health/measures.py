"""What a reading of ledger and Kafka comes to as numbers for a monitor: ages in seconds, money in yuan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from schemas.bilingual import Saying
from schemas.health import Behind, MonitoredLedger, Unanswered
from schemas.metrics import Measured, Metric
from schemas.outbound import AlertCode

FEN = 100


def of_ledger(found: MonitoredLedger | Saying | Unanswered) -> Iterator[Measured]:
    """All that the ledger says; of one that says nothing, only that."""
    if not isinstance(found, MonitoredLedger):
        yield Measured(Metric.LEDGER_UP, 0)
        return
    now, tables = found.now, found.tables
    yield Measured(Metric.LEDGER_UP, 1)
    for outbox in tables.outboxes:
        yield Measured(Metric.OUTBOX, outbox.messages, (outbox.shard,))
        if not outbox.messages or outbox.oldest is not None:  # the age of what was written long ago can be unknown
            since = outbox.oldest if outbox.messages else None
            yield Measured(Metric.OUTBOX_SECONDS, _age(since, now), (outbox.shard,))
    yield Measured(Metric.INBOX, tables.inbox)
    yield Measured(Metric.INBOX_SECONDS, _age(tables.inbox_oldest, now))
    yield Measured(Metric.PERSONS, tables.households)
    yield Measured(Metric.PERSONS_SECONDS, _age(tables.households_oldest, now))
    yield Measured(Metric.POOLS, tables.pools)
    yield Measured(Metric.POOLS_SECONDS, _age(tables.pools_oldest, now))
    yield Measured(Metric.HELD_CLAIMS, found.held_claims)
    yield Measured(Metric.HELD_MONEY, found.held / FEN)
    yield Measured(Metric.WAITING_MONEY, found.waiting / FEN)
    for code in AlertCode:
        yield Measured(Metric.ALERTS, found.alerts.get(code, 0), (code,))
    yield Measured(Metric.ALERTS_SECONDS, _age(tables.alerts_oldest, now))
    for audit in found.audits:
        yield Measured(Metric.UNSIGNED, audit.unsigned, (audit.shard,))
        if audit.made_at is not None:
            yield Measured(Metric.CHECKPOINT_SECONDS, _age(audit.made_at, now), (audit.shard,))


def of_kafka(behind: Iterable[Behind] | Unanswered, now: datetime) -> Iterator[Measured]:
    """How far the ledger is behind on each partition that answers; of a Kafka that does not answer, only that.

    The age of events that wait is left out where it is not known.
    """
    if isinstance(behind, Unanswered):
        yield Measured(Metric.KAFKA_UP, 0)
        return
    yield Measured(Metric.KAFKA_UP, 1)
    for each in behind:
        place = each.topic, each.partition
        yield Measured(Metric.LAG_EVENTS, each.messages, place)
        if not each.messages or each.since is not None:
            yield Measured(Metric.LAG_SECONDS, _age(each.since if each.messages else None, now), place)


def _age(since: datetime | None, now: datetime) -> float:
    """Seconds since then; 0 where nothing waits, or where two clocks differ."""
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
