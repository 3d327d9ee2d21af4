"""What is well and what is not: each concern is one good line, or a bad line for each thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from handlers.health.ledger_judgement import (
    alerts_to_look_at,
    days_closed,
    persons_waiting,
    pools_waiting,
    sessions_in_trouble,
    shards_unsent,
    too_many_starts,
    who_sends,
)
from handlers.health.status_line import Concern, StatusLine, bad, since_when, unknown, well
from schemas.bilingual import Saying
from schemas.health import Behind, HealthReading, KafkaReading, LedgerReading, Tables, Unanswered

SETTLED = "STABLE"
NOBODY = ("EMPTY", "DEAD")
_OF_TABLES = (
    Concern.OUTBOUND,
    Concern.RELAYS,
    Concern.INBOX,
    Concern.HOUSEHOLDS,
    Concern.POOLS,
    Concern.DAYS,
    Concern.ALERTS,
    Concern.RESTARTS,
)


class Limits(NamedTuple):
    """For how long something may wait and be well. ``lease``: after which PostgreSQL ends a session of ours.

    ``of_late``: the time in which starts of processes are counted.
    """

    patience: timedelta
    lease: timedelta
    of_late: timedelta


def judged(reading: HealthReading, limits: Limits) -> list[StatusLine]:
    """All lines, concern by concern."""
    return [*_ledger(reading), *_kafka(reading), *_both(reading, limits), *_of_ledger(reading, limits)]


def exit_status(lines: Sequence[StatusLine], gone: int) -> int:
    """0: all is well; 1: something is not, or cannot be told; ``gone``: nothing could be asked."""
    answers = {line.concern: line.well for line in lines if line.concern in (Concern.LEDGER, Concern.KAFKA)}
    told = {line.concern for line in lines if line.well is not None} - answers.keys()
    if not told and not any(answers.values()):
        return gone
    return 0 if all(line.well for line in lines) else 1


def _ledger(reading: HealthReading) -> Iterator[StatusLine]:
    ledger = reading.ledger
    if isinstance(ledger, Unanswered):
        yield bad(Concern.LEDGER, f"数据库没有应答:{ledger.why}", f"does not answer: {ledger.why}")
    elif not isinstance(ledger.tables, Tables):
        yield bad(Concern.LEDGER, *ledger.tables)
    else:
        yield well(Concern.LEDGER, "有应答,表结构为最新", "answers, and its tables are up to date")


def _kafka(reading: HealthReading) -> Iterator[StatusLine]:
    kafka = reading.kafka
    if isinstance(kafka, Unanswered):
        yield bad(Concern.KAFKA, f"没有应答:{kafka.why}", f"does not answer: {kafka.why}")
        return
    for topic, partition in kafka.unanswered:
        place = f"{topic}-{partition}"
        zh, en = f"分区 {place} 没有应答", f"partition {place} does not answer"
        yield bad(Concern.KAFKA, zh, en, topic=topic, partition=partition)
    if not kafka.unanswered:
        count = len(kafka.partitions)
        yield well(Concern.KAFKA, f"有应答,共 {count} 个分区", f"answers, with {count} partitions", partitions=count)


def _both(reading: HealthReading, limits: Limits) -> Iterator[StatusLine]:
    kafka, ledger = reading.kafka, reading.ledger
    if isinstance(kafka, Unanswered):
        away = Saying("Kafka 没有应答", "Kafka does not answer")
        yield from (unknown(Concern.OWNER, away), unknown(Concern.WORKERS, away))
        yield from (unknown(Concern.INBOUND, away), unknown(Concern.TRANSACTIONS, away))
        return
    without = _why_without(ledger)
    yield unknown(Concern.OWNER, without) if without else _owner(reading.refused)
    yield from _workers(kafka)
    yield from [unknown(Concern.INBOUND, without)] if without else _inbound(reading, limits.patience)
    yield from _waiting(
        Concern.TRANSACTIONS,
        reading.open,
        reading,
        limits.patience,
        Saying("有未决事务,其后 {n} 条消息无人可读", "a transaction is open, {n} messages cannot be read"),
        Saying("没有长时间未决的事务", "none is open for long"),
    )


def _why_without(ledger: LedgerReading | Unanswered) -> Saying | None:
    if isinstance(ledger, Unanswered):
        return Saying("账本没有应答", "the ledger does not answer")
    return None if isinstance(ledger.tables, Tables) else ledger.tables


def _owner(refused: str | Unanswered | None) -> StatusLine:
    if isinstance(refused, Unanswered):
        return unknown(Concern.OWNER, Saying(refused.why, refused.why))
    if refused is not None:
        said = "worker and relay refuse this ledger, and end at their start"
        return bad(Concern.OWNER, f"处理进程和发送进程拒绝本账本,启动即停止:{refused}", f"{said}: {refused}")
    return well(Concern.OWNER, "各主题属于本账本", "the topics are this ledger's")


def _workers(kafka: KafkaReading) -> Iterator[StatusLine]:
    members, shards = kafka.members, len({partition for _, partition in kafka.partitions})
    if isinstance(kafka.group_state, Unanswered):
        why = kafka.group_state.why
        yield unknown(Concern.WORKERS, Saying(why, why))
        return
    if kafka.group_state in NOBODY or not members:
        yield bad(Concern.WORKERS, "没有处理进程在运行", "no worker runs")
        return
    if kafka.group_state != SETTLED:
        zh, en = "Kafka 正在重新分配分区", "Kafka is distributing the partitions anew"
        yield bad(Concern.WORKERS, zh, en, state=kafka.group_state, members=len(members))
        return
    held = sum(each.partitions for each in members)
    idle = [each.name for each in members if not each.partitions]
    if held < shards:
        zh, en = f"{shards - held} 个分片没有处理进程", f"{shards - held} shards have no worker"
        yield bad(Concern.WORKERS, zh, en, shards=shards - held)
    if held < shards or len(members) <= shards:
        for name in idle:
            yield bad(Concern.WORKERS, f"处理进程 {name} 没有分区", f"worker {name} has no partitions", member=name)
        if held < shards or idle:
            return
    zh = f"{len(members)} 个进程处理 {shards} 个分片" + (f",其中 {len(idle)} 个待命" if idle else "")
    en = f"{len(members)} hold {shards} shards" + (f", {len(idle)} of them stand by" if idle else "")
    yield well(Concern.WORKERS, zh, en, members=len(members), standing_by=len(idle))


def _inbound(reading: HealthReading, patience: timedelta) -> Iterator[StatusLine]:
    for topic, partition in reading.lost:
        yield bad(
            Concern.INBOUND,
            f"{topic}-{partition} 中账本尚缺的消息已不存在",
            f"{topic}-{partition} does not hold the messages that the ledger lacks",
            topic=topic,
            partition=partition,
            lost=True,
        )
    lines = _waiting(
        Concern.INBOUND,
        reading.lags,
        reading,
        patience,
        Saying("{n} 个事件等待处理", "{n} events wait"),
        Saying("没有长时间等待的事件", "none waits for long"),
    )
    yield from (line for line in lines if not (line.well and reading.lost))


def _waiting(
    concern: Concern,
    found: list[Behind] | Unanswered | None,
    reading: HealthReading,
    patience: timedelta,
    said: Saying,
    none: Saying,
) -> Iterator[StatusLine]:
    """A bad line for each partition in which something waits for too long; an unknown time counts as too long."""
    if found is None:
        yield unknown(concern, Saying("账本被拒绝", "the ledger is refused"))
        return
    if isinstance(found, Unanswered):
        yield unknown(concern, Saying(found.why, found.why))
        return
    late = [each for each in found if each.since is None or reading.now - each.since >= patience]
    for each in late:
        since, place = since_when(each.since, reading.now), f"{each.topic}-{each.partition}"
        zh, en = (text.format(n=f"{each.messages:,}") for text in said)
        details = {"topic": each.topic, "partition": each.partition, "messages": each.messages}
        yield bad(concern, f"{place}:{zh},{since.zh}", f"{place}: {en}, {since.en}", each.since, **details)
    if not late:
        count = sum(each.messages for each in found)
        yield well(concern, f"{none.zh}(现有 {count:,} 条)", f"{none.en} ({count:,} now)", messages=count)


def _of_ledger(reading: HealthReading, limits: Limits) -> Iterator[StatusLine]:
    ledger = reading.ledger
    if isinstance(ledger, Unanswered):
        why = Saying("账本没有应答", "the ledger does not answer")
        for concern in (Concern.SESSIONS, *_OF_TABLES):
            yield unknown(concern, why)
        return
    yield from sessions_in_trouble(ledger, min(limits.patience, limits.lease))
    tables = ledger.tables
    if not isinstance(tables, Tables):
        for concern in _OF_TABLES:
            yield unknown(concern, tables)
        return
    yield from shards_unsent(ledger.now, tables, limits.patience)
    yield from who_sends(ledger, tables)
    yield _inbox(reading, tables, limits.patience)
    yield persons_waiting(ledger.now, tables, limits.patience)
    yield pools_waiting(ledger.now, tables, limits.patience)
    yield days_closed(ledger.now, tables)
    yield alerts_to_look_at(ledger.now, tables)
    yield from too_many_starts(ledger, tables, limits.of_late)


def _inbox(reading: HealthReading, tables: Tables, patience: timedelta) -> StatusLine:
    oldest, count = tables.inbox_oldest, tables.inbox
    if oldest is None or reading.now - oldest < patience:
        zh, en = f"没有长时间等待的事件(现有 {count:,} 条)", f"none waits for long ({count:,} now)"
        return well(Concern.INBOX, zh, en, events=count)
    since = since_when(oldest, reading.now)
    zh, en = f"{count:,} 个已受理事件等待转交,{since.zh}", f"{count:,} acknowledged events wait, {since.en}"
    return bad(Concern.INBOX, zh, en, oldest, events=count)
