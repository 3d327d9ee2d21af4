"""The state of the audit log in plain words: what is signed, how much is not yet, and whether the last check held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from schemas.bilingual import Saying
from web.console.log_watch import Watched
from web.console.rendering import moment

LONG = timedelta(minutes=10)
"""A signer makes a checkpoint a minute after an entry. So many minutes without one, and something is asked."""

STATES = {
    "verified": Saying("核对无误", "verified"),
    "unsigned": Saying("链无误,签名未核对", "chain intact, signature not checked"),
    "checking": Saying("正在核对", "checking"),
    "broken": Saying("有问题", "broken"),
    "none": Saying("还没有检查点", "no checkpoint yet"),
}


def log_sentences(watched: Sequence[Watched], now: datetime) -> list[tuple[bool, Saying]]:
    """Some sentences about the whole log, each with whether it is good news. ``watched`` are its shards."""
    if not watched:
        return [
            (True, Saying("控制台刚启动,还没有核对。", "The console has just started and has checked nothing yet."))
        ]
    return [_outcome(watched), *_newest(watched, now)]


def _outcome(watched: Sequence[Watched]) -> tuple[bool, Saying]:
    """Whether the last check held."""
    broken = [each for each in watched if each.state == "broken"]
    if broken:
        shards = ", ".join(str(each.shard) for each in broken)
        return False, Saying(
            f"最近一次核对没有通过:分片 {shards} 的审计日志有问题。请不要更动任何内容,立即告诉审计人员,"
            "并运行 huzhu audit verify。",
            f"The last check did not hold: the log of shard {shards} is broken. Touch nothing, tell an auditor "
            "at once, and run huzhu audit verify.",
        )
    if any(each.state == "checking" for each in watched):
        checked, due = (sum(getattr(each, name) for each in watched) for name in ("checked", "size"))
        return True, Saying(
            f"正在核对:已签名的 {due:,} 条中核对了 {checked:,} 条,至今没有发现问题。",
            f"Checking: {checked:,} of {due:,} signed entries so far, and nothing wrong with them.",
        )
    last = max((each.checked_at for each in watched if each.checked_at is not None), default=None)
    if last is None:
        return True, Saying("还没有检查点,没有可核对的。", "There is no checkpoint yet, so nothing to check against.")
    if any(each.state == "unsigned" for each in watched):
        return False, Saying(
            f"最近一次核对({moment(last)}):条目与检查点相符,但有的检查点不是由已知的公钥签名的。"
            "请管理员核对 HUZHU_CONSOLE_AUDIT_KEYS。",
            f"The last check ({moment(last)}): the entries lead to the checkpoints, but no known key has signed some "
            "of them. Ask the administrator about HUZHU_CONSOLE_AUDIT_KEYS.",
        )
    return True, Saying(
        f"最近一次核对({moment(last)})无误:控制台启动以来,已签名的审计条目每条都核对过,与签名时一字不差。",
        f"The last check ({moment(last)}) held: every signed entry was read once since the console started, and was "
        "letter by letter as when it was signed.",
    )


def _newest(watched: Sequence[Watched], now: datetime) -> list[tuple[bool, Saying]]:
    """The newest checkpoint and its age, and how many entries checkpoints cover and do not cover yet."""
    covered, uncovered = sum(each.size for each in watched), sum(open_entries(each) for each in watched)
    said = []
    signed = [each for each in watched if each.made_at is not None]
    newest = max((each.made_at for each in signed if each.made_at is not None), default=None)
    if newest is not None:
        ago = age(now - newest)
        said.append(
            (
                True,
                Saying(
                    f"最新的已签名检查点:{moment(newest)}({ago.zh}前)。",
                    f"The newest signed checkpoint: {moment(newest)}, {ago.en} ago.",
                ),
            )
        )
    zh = f"检查点共覆盖 {covered:,} 条审计条目,还有 {uncovered:,} 条没有覆盖。"
    en = f"Checkpoints cover {covered:,} entries; {uncovered:,} are not covered yet."
    late = uncovered > 0 and (newest is None or now - newest > LONG)
    if late:
        zh += "如果几分钟后仍是这样,请确认 huzhu audit sign 在运行。"
        en += " If that is still so in some minutes, see whether huzhu audit sign is running."
    return [*said, (not late, Saying(zh, en))]


def open_entries(each: Watched) -> int:
    """How many entries of a shard no checkpoint covers yet."""
    return max(0, each.entries - each.size)


def age(passed: timedelta) -> Saying:
    """A span of time as people say it, in whole minutes, hours or days."""
    minutes = max(0, int(passed.total_seconds()) // 60)
    if minutes < 1:
        return Saying("不到一分钟", "less than a minute")
    if minutes < 120:
        return Saying(f"{minutes} 分钟", f"{minutes} minute{'' if minutes == 1 else 's'}")
    if minutes < 48 * 60:
        return Saying(f"{minutes // 60} 小时", f"{minutes // 60} hours")
    return Saying(f"{minutes // 1440} 天", f"{minutes // 1440} days")
