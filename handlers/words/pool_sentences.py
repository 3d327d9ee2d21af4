"""What is said about pools of money (资金池): to a villager who waits, and to the office."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying
from schemas.facts import ContributionKind, OnShortage
from schemas.outbound import AlertCode
from schemas.pool_records import PoolRow, WaitingNow

SHORTAGE_RULES = {
    OnShortage.OWE: Saying("先付后补", "pays and owes"),
    OnShortage.QUEUE: Saying("按序排队", "queues"),
    OnShortage.PRO_RATA: Saying("年终按比例发放", "pays a part at the end of the year"),
}
CONTRIBUTION_KINDS = {
    ContributionKind.VILLAGER: Saying("村民缴纳", "villagers"),
    ContributionKind.COLLECTIVE: Saying("村集体出资", "village collective"),
    ContributionKind.GOVERNMENT: Saying("财政补助", "government"),
    ContributionKind.DONATION: Saying("社会捐赠", "donations"),
    ContributionKind.LOTTERY: Saying("福彩公益金", "welfare lottery"),
    ContributionKind.TRANSFER: Saying("其他资金池调入", "transfers"),
}
RULES = {
    OnShortage.OWE: Saying(
        "应付的补助全部照付;资金不足时先付后补,余额可以是负数。",
        "Pays whatever is due, also when it has no money left: it owes then, and the balance is below zero.",
    ),
    OnShortage.QUEUE: Saying(
        "资金不足时按出院日期先后排队,资金到账后从第一位起依次全额发放,不插队。",
        "When money is short, benefits queue by the day of discharge. As money arrives they are paid whole, the first "
        "one first; nobody is overtaken.",
    ),
    OnShortage.PRO_RATA: Saying(
        "平时不发放。每年结束后,把资金按应补助金额的同一比例发给大家。",
        "Pays nothing during the year. After its end, everybody gets the same part of what is due, as far as the money "
        "goes.",
    ),
}
"""A pool's rule for a shortage in plain words."""

NOT_RECORDED = Saying("未登记", "not recorded")
FREE_MONEY = Saying("不限用途", "for any scheme")
WAITING = Saying("等待发放", "waiting")
NO_POOL = Saying(
    "这项补助应由资金池支付,但参保登记没有写明哪个资金池。补助已照常支付。请登记机关补正。",
    "A pool should pay this benefit, but the coverage names none. It was paid all the same. The registry should "
    "correct the coverage.",
)
NO_POOL_SETTLED = Saying(
    "参保登记已写明资金池,或不再应付。不用再核对。",
    "The coverage names a pool now, or nothing is due any more: nothing is left to check.",
)


def title_words(row: PoolRow | None) -> Saying:
    """A pool's title, or that nobody recorded it."""
    return NOT_RECORDED if row is None else Saying(row.title, row.title)


def rule_words(row: PoolRow | None) -> Saying:
    """A pool's rule for a shortage in a word or two."""
    return NOT_RECORDED if row is None else SHORTAGE_RULES[OnShortage(row.on_shortage)]


def restriction_words(schemes: Iterable[str]) -> Saying:
    """What money may pay for: the schemes, or whatever there is."""
    names = sorted(schemes)
    return Saying("、".join(names), ", ".join(names)) if names else FREE_MONEY


def cover_words(cover: Fraction | None) -> Saying:
    """How many months a pool's balance lasts, rounded down to a tenth."""
    if cover is None:
        return Saying("近 12 个月没有发放", "nothing was paid in the last 12 months")
    tenths = int(cover * 10)
    number = f"{tenths // 10}.{tenths % 10}"
    return Saying(f"约 {number} 个月", f"{number} months")


def position_words(waiting: WaitingNow) -> Saying:
    """The place of a benefit that waits, or why it has none, in a few words."""
    if waiting.position is not None:
        return Saying(f"第 {waiting.position} 位", f"number {waiting.position}")
    if waiting.left >= waiting.amount:
        return Saying("年终结算后未付", "left unpaid by a close")
    return Saying("等年终结算", "until the close") if waiting.on_shortage else NOT_RECORDED


def waits(on_shortage: OnShortage | None, position: int | None) -> Saying:
    """What a villager reads whose benefit waits for the pool's money; ``on_shortage`` is None if nobody recorded it."""
    if position is not None:
        return Saying(
            f"本村互助金暂时不足,这笔补助已排队,第 {position} 位,资金到账后自动发放,您不用再申请。",
            f"The village's fund is short of money at the moment. This benefit is number {position} in the queue and "
            "will be paid automatically when money arrives; you need not apply again.",
        )
    if on_shortage is OnShortage.PRO_RATA:
        return Saying(
            "本村互助金在年终按比例发放,这笔补助到时自动发放,您不用再申请。",
            "The village's fund pays at the end of the year, to everybody the same part of what is due. This benefit "
            "will be paid automatically then; you need not apply again.",
        )
    return Saying(
        "本村互助金尚在办理登记,登记完成后这笔补助自动发放,您不用再申请。",
        "The village's fund is still being registered. This benefit will be paid automatically afterwards; you need "
        "not apply again.",
    )


def left_by_close(amount: int) -> Saying:
    """What a villager reads of what the close of a year left unpaid, in fen."""
    return Saying(
        f"年终按比例发放后,还有 {yuan(amount)} 元因互助金不足没有发放。",
        f"After the payment at the end of the year, {yuan(amount)} yuan were not paid, as the fund had no more money.",
    )


def waits_now(on_shortage: OnShortage | None, position: int | None, amount: int, left: int) -> Saying:
    """What a villager reads of ``amount`` fen that wait, of which the close of a year left ``left`` unpaid."""
    return left_by_close(amount) if left >= amount else waits(on_shortage, position)


def waiting_words(waiting: WaitingNow) -> Saying:
    """What a villager reads of a benefit that waits, as things are now."""
    rule = None if waiting.on_shortage is None else OnShortage(waiting.on_shortage)
    return waits_now(rule, waiting.position, waiting.amount, waiting.left)


ALERTS = {
    AlertCode.POOL_OVERDRAWN: Saying("已透支", "overdrawn"),
    AlertCode.NO_POOL: Saying("未登记,有补助在等待", "not recorded, and benefits wait for it"),
}
"""Alerts about a pool, in a few words."""


def _overdrawn(amount: int) -> Saying:
    return Saying(
        f"资金池已透支 {yuan(amount)} 元。请补足资金。",
        f"The pool is overdrawn by {yuan(amount)} yuan. It needs money.",
    )


def _not_recorded(amount: int) -> Saying:
    return Saying(
        f"参保登记写明的资金池没有登记,有 {yuan(amount)} 元补助在等待。请登记资金池,或更正参保登记。",
        f"Coverages name a pool that nobody has recorded, and {yuan(amount)} yuan of benefits wait for it. Record the "
        "pool, or correct the coverages.",
    )


RAISED = {AlertCode.POOL_OVERDRAWN: _overdrawn, AlertCode.NO_POOL: _not_recorded}
WITHDRAWN = {
    AlertCode.POOL_OVERDRAWN: Saying("资金池不再透支。", "The pool is no longer overdrawn."),
    AlertCode.NO_POOL: Saying("不再有补助等待没有登记的资金池。", "No benefit waits for an unrecorded pool any more."),
}
