"""What is well in the ledger: its sessions, the messages that wait in it, and the processes that work on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from handlers.health.status_line import Concern, StatusLine, bad, since_when, well
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.health import PROGRAM, SNAPSHOT, LedgerReading, LedgerSession, Tables

STARTS_MIN = 3
"""So many starts of a kind are no trouble yet, however few of its processes run."""

DAYS_BEHIND = timedelta(days=2)
"""So far may the last closed day lie behind today: until the timer has run tonight, it is the day before yesterday."""

STARTS_FOR_EACH = 2
"""How often each process that runs may have been started of late: an upgrade starts each of them once."""


def sessions_in_trouble(ledger: LedgerReading, limit: timedelta) -> Iterator[StatusLine]:
    """Sessions that have done nothing in a transaction, or waited for a lock, for longer than ``limit``."""
    by_pid = {each.pid: each for each in ledger.sessions}
    found = False
    for each in ledger.sessions:
        if each.program == SNAPSHOT:
            continue
        if each.idle_since is not None and ledger.now - each.idle_since >= limit:
            since, found = since_when(each.idle_since, ledger.now), True
            zh, en = f"{_named(each)} 停在事务中,{since.zh}", f"{_named(each)} is idle in a transaction, {since.en}"
            yield bad(Concern.SESSIONS, zh, en, each.idle_since, pid=each.pid, program=each.program)
        elif each.waits_since is not None and ledger.now - each.waits_since >= limit:
            found = True
            yield _waits(each, by_pid, ledger.now)
    if found:
        return
    zh, en = f"{len(ledger.sessions)} 个,均无停滞", f"{len(ledger.sessions)}, none is stuck"
    if ledger.hidden:
        zh += f"(另有 {ledger.hidden} 个属于其他用户,状态不可见)"
        en += f" ({ledger.hidden} are other users' and do not show what they do)"
    yield well(Concern.SESSIONS, zh, en, sessions=len(ledger.sessions), hidden=ledger.hidden)


def _waits(session: LedgerSession, by_pid: dict[int, LedgerSession], now: datetime) -> StatusLine:
    since = since_when(session.waits_since, now)
    zh = f"{_named(session)} 等待 {session.waits_for} 的锁,{since.zh}"
    en = f"{_named(session)} waits for a lock on {session.waits_for}, {since.en}"
    for pid in session.blocked_by:
        holder = by_pid.get(pid, LedgerSession(pid, "?"))
        began = since_when(holder.transaction_since, now)
        zh += f";持有者 {_named(holder)},其事务{began.zh}"
        en += f"; held by {_named(holder)}, whose transaction runs {began.en}"
    details = {"pid": session.pid, "program": session.program, "lock": session.waits_for}
    return bad(Concern.SESSIONS, zh, en, session.waits_since, **details, blocked_by=list(session.blocked_by))


def _named(session: LedgerSession) -> str:
    return f"{session.program} (pid {session.pid})"


def shards_unsent(now: datetime, tables: Tables, patience: timedelta) -> Iterator[StatusLine]:
    """Shards whose oldest unsent message has waited for too long; an unknown time counts as too long."""
    late = [
        each for each in tables.outboxes if each.messages and (each.oldest is None or now - each.oldest >= patience)
    ]
    for each in late:
        since = since_when(each.oldest, now)
        zh, en = (
            f"分片 {each.shard}:{each.messages:,} 条消息未发送,{since.zh}",
            (f"shard {each.shard}: {each.messages:,} messages are not sent, {since.en}"),
        )
        yield bad(Concern.OUTBOUND, zh, en, each.oldest, shard=each.shard, messages=each.messages)
    if not late:
        count = sum(each.messages for each in tables.outboxes)
        zh, en = f"没有长时间等待的消息(现有 {count:,} 条)", f"none waits for long ({count:,} now)"
        yield well(Concern.OUTBOUND, zh, en, messages=count)


def persons_waiting(now: datetime, tables: Tables, patience: timedelta) -> StatusLine:
    """Whether claims have waited too long to be decided with those of their household: nobody pays them meanwhile."""
    oldest, count = tables.households_oldest, tables.households
    if oldest is None or now - oldest < patience:
        zh, en = f"没有长时间等待的人员(现有 {count:,} 人)", f"nobody waits for long ({count:,} now)"
        return well(Concern.HOUSEHOLDS, zh, en, persons=count)
    since = since_when(oldest, now)
    zh = f"{count:,} 人的理赔尚未与同户人员合并核定,{since.zh}"
    en = f"the claims of {count:,} persons are not decided with their household's yet, {since.en}"
    return bad(Concern.HOUSEHOLDS, zh, en, oldest, persons=count)


def pools_waiting(now: datetime, tables: Tables, patience: timedelta) -> StatusLine:
    """Whether pools have waited too long for their step: nobody gets their money meanwhile."""
    oldest, count = tables.pools_oldest, tables.pools
    if oldest is None or now - oldest < patience:
        zh, en = f"没有长时间等待的资金池(现有 {count:,} 个)", f"none waits for long ({count:,} now)"
        return well(Concern.POOLS, zh, en, pools=count)
    since = since_when(oldest, now)
    zh, en = f"{count:,} 个资金池有变动尚未处理,{since.zh}", f"{count:,} pools have not paid what they can, {since.en}"
    return bad(Concern.POOLS, zh, en, oldest, pools=count)


def days_closed(now: datetime, tables: Tables) -> StatusLine:
    """Whether the timer still closes days, on every shard; nobody has to begin with it."""
    if not tables.closed_days:
        return well(Concern.DAYS, "尚未做过日终", "none was closed yet", shards={})
    last = {str(shard): tables.closed_days.get(shard) for shard in range(tables.shards)}
    told = {shard: None if day is None else str(day) for shard, day in last.items()}
    behind = [day for day in last.values() if day is None or day < shanghai_date(now) - DAYS_BEHIND]
    if not behind:
        until = min(tables.closed_days.values())
        return well(Concern.DAYS, f"已做到 {until}", f"closed up to {until}", shards=told)
    oldest = min(day or date.min for day in behind)
    zh = f"{len(behind)} 个分片" + ("尚未做过" if oldest == date.min else f"停在 {oldest}")
    en = f"{len(behind)} shards " + ("have none" if oldest == date.min else f"stand at {oldest}")
    return bad(Concern.DAYS, zh, en, shards=told)


def alerts_to_look_at(now: datetime, tables: Tables) -> StatusLine:
    """How many alerts wait for somebody: that is the office's work, and no trouble of the program."""
    oldest, count = tables.alerts_oldest, tables.alerts
    if oldest is None:
        return well(Concern.ALERTS, "没有待查看的提醒", "none to look at", alerts=0)
    since = since_when(oldest, now)
    zh, en = f"{count:,} 条待查看,最早的{since.zh}", f"{count:,} to look at, the oldest {since.en}"
    return well(Concern.ALERTS, zh, en, alerts=count)


def _running(ledger: LedgerReading, kind: str) -> set[str]:
    """The names of processes of a kind that have a session."""
    return {each.program for each in ledger.sessions if each.program.startswith(f"{PROGRAM} {kind} ")}


def who_sends(ledger: LedgerReading, tables: Tables) -> Iterator[StatusLine]:
    """Whether a relay runs, and which one sent last for each shard."""
    running = _running(ledger, "relay")
    shards = defaultdict(list)
    for each in tables.outboxes:
        if each.sent_by is not None:
            shards[each.sent_by].append(each.shard)
    last = {name: ", ".join(map(str, numbers)) for name, numbers in sorted(shards.items())}
    details = {"running": sorted(running), "sent_last": {str(each.shard): each.sent_by for each in tables.outboxes}}
    gone = {True: Saying("", ""), False: Saying("(已不在运行)", " (gone)")}
    zh = "".join(f";分片 {numbers} 最近由 {name} 发送{gone[name in running].zh}" for name, numbers in last.items())
    en = "".join(f"; shards {numbers} last sent by {name}{gone[name in running].en}" for name, numbers in last.items())
    if running:
        yield well(Concern.RELAYS, f"{len(running)} 个在运行{zh}", f"{len(running)} run{en}", **details)
    else:
        sent = max((each.sent_at for each in tables.outboxes if each.sent_at is not None), default=None)
        yield bad(Concern.RELAYS, f"没有发送进程在运行{zh}", f"no relay runs, nobody sends{en}", sent, **details)


def too_many_starts(ledger: LedgerReading, tables: Tables, of_late: timedelta) -> Iterator[StatusLine]:
    """Kinds of processes that were started much more often of late than there are of them."""
    minutes, found = int(of_late.total_seconds() // 60), False
    for each in tables.starts:
        running = len(_running(ledger, each.kind))
        if each.starts < STARTS_MIN or each.starts <= STARTS_FOR_EACH * running:
            continue
        found = True
        last = since_when(each.latest, ledger.now)
        yield bad(
            Concern.RESTARTS,
            f"{each.kind} 在 {minutes} 分钟内启动 {each.starts} 次,现有 {running} 个在运行;最近一次{last.zh}",
            f"{each.kind} was started {each.starts} times within {minutes} min, {running} run; the last runs {last.en}",
            each.latest,
            **{"kind": each.kind, "starts": each.starts, "running": running},
        )
    if not found:
        counts = ", ".join(f"{each.kind} {each.starts}" for each in tables.starts) or "0"
        zh, en = f"{minutes} 分钟内的启动次数:{counts}", f"starts within {minutes} min: {counts}"
        yield well(Concern.RESTARTS, zh, en, starts={each.kind: each.starts for each in tables.starts})
