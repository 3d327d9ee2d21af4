"""What was checked of a claim's audit entries, and what came out, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from acts.check_inclusion import Inclusion, ShardChecked
from schemas.bilingual import Saying
from web.console.claim_check import BAD, ClaimChecked
from web.console.rendering import moment


def verdict_words(checked: ClaimChecked) -> Saying:
    """The result in a sentence or two, and what to do."""
    if checked.verdict == "holds":
        return _and_waiting(
            checked.waiting,
            f"核验通过:本笔理赔有 {checked.covered} 条审计条目在已签名的日志里,与入账时一字不差。",
            f"It holds: {_entries(checked.covered)} of this claim in the signed log, letter by letter as recorded.",
        )
    if checked.verdict == "waiting":
        return Saying(
            "还没有签名:条目与其散列相符,但还没有检查点覆盖。下一个检查点签名后(通常在一分钟内)请再核验。",
            "Not signed yet: the entries match their hashes, but no checkpoint covers them. "
            "Verify again when the next one is signed, usually within a minute.",
        )
    if checked.verdict == "unsigned":
        return Saying(
            "签名未能核对:条目与检查点相符,但检查点不是由本控制台已知的公钥签名的。"
            "请管理员核对 HUZHU_CONSOLE_AUDIT_KEYS,或请审计人员用自己保存的公钥核验。",
            "The signature could not be checked: the entries lead to the checkpoint, but no key that this console "
            "knows has signed it. Ask the administrator about HUZHU_CONSOLE_AUDIT_KEYS, or an auditor to verify with "
            "their own copy of the key.",
        )
    return Saying(
        "核验不通过:账本或审计日志被改动过。请不要更动任何内容,立即告诉审计人员,并运行 huzhu audit verify,"
        "它会指出第一条有问题的条目。",
        "It does not hold: the ledger or its audit log was changed. Touch nothing, tell an auditor at once, and run "
        "huzhu audit verify, which names the first bad entry.",
    )


def findings(checked: ClaimChecked) -> list[tuple[bool, Saying]]:
    """Each thing that was checked: whether it is good, and what came out."""
    found = [
        _of_entries(
            checked.edited,
            Saying(
                f"{checked.entries} 条审计条目逐条重新计算,每条都与自身的散列相符。",
                f"{_entries(checked.entries)} hashed again: each matches its own hash.",
            ),
            Saying("与自身散列不符的条目", "Entries that do not match their own hash"),
        ),
        _of_entries(
            checked.changed,
            Saying(
                "条目所记的事件、理赔决定和支付指令,账本里的原文与入账时的散列相符。",
                "The events, decisions and payout instructions behind them are the bytes that were hashed.",
            ),
            Saying("账本中已不是入账时内容的", "No longer what was recorded"),
        ),
        _of_entries(
            checked.missing,
            Saying("每一件事都有审计条目。", "Everything that happened has its entry."),
            Saying("没有审计条目的", "Without an audit entry"),
        ),
    ]
    return found + [(each.inclusion not in BAD, _of_shard(each)) for each in checked.shards]


def _of_entries(names: Sequence[str], good: Saying, bad: Saying) -> tuple[bool, Saying]:
    if not names:
        return True, good
    return False, Saying(f"{bad.zh}:{'、'.join(names)}。", f"{bad.en}: {', '.join(names)}.")


def _of_shard(each: ShardChecked) -> Saying:
    if each.inclusion is Inclusion.WAITING:
        return Saying(
            f"分片 {each.shard}:{each.waiting} 条还没有检查点覆盖。",
            f"Shard {each.shard}: no checkpoint covers {_entries(each.waiting)} yet.",
        )
    if each.inclusion is Inclusion.DAMAGED:
        return Saying(
            f"分片 {each.shard}:最新的检查点本身被改动或损坏。",
            f"Shard {each.shard}: the newest checkpoint itself was altered or damaged.",
        )
    signed = moment(each.made_at)
    if each.inclusion is Inclusion.DIFFERS:
        return Saying(
            f"分片 {each.shard}:由日志重新算出的树根,与 {signed} 签名的最新检查点(共 {each.size} 条)不同。",
            f"Shard {each.shard}: the root computed from the log is not that of the newest checkpoint, "
            f"signed at {signed} over {_entries(each.size)}.",
        )
    known = each.inclusion is Inclusion.HOLDS
    return _and_waiting(
        each.waiting,
        f"分片 {each.shard}:由第 {each.first} 条到第 {each.size} 条重新计算树根,与 {signed} 签名的最新检查点一致,"
        f"覆盖本笔理赔 {each.covered} 条;签名{'由已知的审计公钥核对无误' if known else '不属于已知的公钥'}。",
        f"Shard {each.shard}: the root, computed again from entry {each.first} to {each.size}, is that of the newest "
        f"checkpoint, signed at {signed}, which covers {_entries(each.covered)} of this claim; "
        f"{'a known key' if known else 'no known key'} has signed it.",
    )


def _and_waiting(waiting: int, zh: str, en: str) -> Saying:
    if not waiting:
        return Saying(zh, en)
    return Saying(
        f"{zh}另有 {waiting} 条等待下一个检查点签名。",
        f"{en} Another {waiting} will be covered by the next checkpoint.",
    )


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count:,} entries"
