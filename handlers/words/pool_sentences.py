"""What is said about pools of money (资金池): to a villager who waits, and to the office."""

from __future__ import annotations

from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying
from schemas.facts import ContributionKind, OnShortage
from schemas.outbound import AlertCode

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
NO_POOL = Saying(
    "这项补助应由资金池支付,但参保登记没有写明哪个资金池。补助已照常支付。请登记机关补正。",
    "A pool should pay this benefit, but the coverage names none. It was paid all the same. The registry should "
    "correct the coverage.",
)
NO_POOL_SETTLED = Saying(
    "参保登记已写明资金池,或不再应付。不用再核对。",
    "The coverage names a pool now, or nothing is due any more: nothing is left to check.",
)


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
