"""The lines of `huzhu status`: what each is about, whether that is well, and how a length of time is said."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from schemas.bilingual import Saying
from schemas.dates import SHANGHAI


class Concern(StrEnum):
    """What a line is about; docs/operations.md has a runbook for each."""

    LEDGER = "ledger"
    KAFKA = "kafka"
    OWNER = "owner"
    WORKERS = "workers"
    INBOUND = "inbound"
    TRANSACTIONS = "transactions"
    SESSIONS = "sessions"
    OUTBOUND = "outbound"
    RELAYS = "relays"
    INBOX = "inbox"
    HOUSEHOLDS = "households"
    POOLS = "pools"
    DAYS = "days"
    ALERTS = "alerts"
    RESTARTS = "restarts"


NAMES = {
    Concern.LEDGER: Saying("账本", "ledger"),
    Concern.KAFKA: Saying("Kafka", "Kafka"),
    Concern.OWNER: Saying("主题归属", "owner of the topics"),
    Concern.WORKERS: Saying("处理进程", "workers"),
    Concern.INBOUND: Saying("待处理事件", "events to take in"),
    Concern.TRANSACTIONS: Saying("Kafka 未决事务", "open Kafka transactions"),
    Concern.SESSIONS: Saying("数据库会话", "database sessions"),
    Concern.OUTBOUND: Saying("待发送消息", "messages to send"),
    Concern.RELAYS: Saying("发送进程", "relays"),
    Concern.INBOX: Saying("待转交 Kafka 的事件", "posts that wait for Kafka"),
    Concern.HOUSEHOLDS: Saying("等待同户合并核定", "claims that wait for their household"),
    Concern.POOLS: Saying("等待发放的资金池", "pools that wait for their step"),
    Concern.DAYS: Saying("日终", "closed days"),
    Concern.ALERTS: Saying("提醒", "alerts"),
    Concern.RESTARTS: Saying("重启", "restarts"),
}


class StatusLine(NamedTuple):
    """One line. ``well`` is None where it cannot be told; ``details`` are for programs."""

    concern: Concern
    well: bool | None
    said: Saying
    since: datetime | None
    details: dict[str, Any]


def well(concern: Concern, zh: str, en: str, **details: Any) -> StatusLine:
    return StatusLine(concern, True, Saying(zh, en), None, details)


def bad(concern: Concern, zh: str, en: str, since: datetime | None = None, **details: Any) -> StatusLine:
    return StatusLine(concern, False, Saying(zh, en), since, details)


def unknown(concern: Concern, why: Saying) -> StatusLine:
    return StatusLine(concern, None, Saying(f"无法得知:{why.zh}", f"cannot be told: {why.en}"), None, {})


def since_when(since: datetime | None, now: datetime) -> Saying:
    """A moment and how long ago it was, for the end of a sentence."""
    if since is None:
        return Saying("起始时间不明", "since an unknown time")
    at = since.astimezone(SHANGHAI).isoformat(" ", "seconds").replace("+", " +")
    seconds = max(0, int((now - since).total_seconds()))
    if seconds < 120:
        return Saying(f"自 {at} 起({seconds} 秒)", f"since {at} ({seconds} s)")
    if seconds < 7200:
        return Saying(f"自 {at} 起({seconds // 60} 分钟)", f"since {at} ({seconds // 60} min)")
    return Saying(f"自 {at} 起({seconds // 3600} 小时)", f"since {at} ({seconds // 3600} h)")
