"""What happened to a payout, in the words of the command, the console and the sheet for the family."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying
from schemas.facts import PayoutStatus
from schemas.outbound import AlertCode, InstructionKind, PayoutInstructed
from schemas.records import Manner, PayoutRecord, PayoutState

STATES = {
    PayoutState.INSTRUCTED: Saying("已发指令", "instructed"),
    PayoutState.PAID: Saying("已到账", "paid"),
    PayoutState.FAILED: Saying("失败", "failed"),
    PayoutState.RETURNED: Saying("被退回", "returned"),
    PayoutState.BOOK: Saying("账面冲销", "book entry"),
}
KINDS = {
    InstructionKind.PAYMENT: Saying("发放", "payment"),
    InstructionKind.RECOVERY: Saying("收回", "recovery"),
}
VERDICTS = {
    "applied": Saying("采用", "applied"),
    "repeated": Saying("重复", "repeated"),
    "contradicts": Saying("矛盾", "contradicts"),
}
"""By what a report did to the state of its payout (handlers/claims/payout_reports.py)."""
BOOK = Saying(
    "账面冲销未到账的一笔,没有资金往来", "book entry that reverses a payout that did not arrive; no money moves"
)
ADVANCE_ALERTS: dict[AlertCode, Callable[[str], Saying]] = {
    AlertCode.ADVANCE_EXCEEDS_DUE: lambda amount: Saying(
        f"医院垫付的钱比这一保障层应付的多 {amount} 元,多出部分不支付给医院。请与医院核对结算单上的垫付金额。",
        f"The hospital advanced {amount} yuan more than this scheme owes; the rest is not paid to it. Check the "
        "advances of the bill with the hospital.",
    ),
    AlertCode.ADVANCE_UNKNOWN_SCHEME: lambda amount: Saying(
        f"医院以一个方案中没有的保障层垫付了 {amount} 元,不支付给医院。请与医院核对 scheme_id。",
        f"The hospital advanced {amount} yuan for a scheme that the claim's policy does not have; nothing is paid for "
        "it. Check the scheme_id with the hospital.",
    ),
}
"""By code; the amount is in yuan."""
ADVANCE_SETTLED = Saying(
    "提醒已撤回:按最新的结算单和决定,这笔垫付不再需要核对。",
    "Withdrawn: by the newest bills and decision there is nothing left to check about this advance.",
)
_KEPT_BACK = Saying("抵扣", "kept back")
_NO_REPORT = Saying(",尚无结果", ", no report yet")
_WAITS = Saying(",待经办人员处理", ", waiting for an operator")
_REISSUED = Saying(",已重新发放", ", reissued")
_DOUBTFUL = Saying(";报告互相矛盾,正在核实", "; the reports contradict each other and are being checked")


class Clearing(NamedTuple):
    """How a payout is cleared without money: a recovery by its ``manner`` with what is ``left``, or a payment that is
    kept back for a recovery of the claim ``kept_for``."""

    manner: str | None = None
    left: int | None = None
    kept_for: str | None = None


UNCLEARED = Clearing()


def state_words(payout: PayoutRecord) -> Saying:
    """The state of a payout in one or two words."""
    if payout.set_off_of is not None:
        return _KEPT_BACK
    return STATES[payout.state] if payout.manner is None else settled_words(payout.manner, payout.left)


def settled_words(manner: str, left: int | None) -> Saying:
    """How a recovery was settled, and whether anything is left of it to be set off."""
    if manner == Manner.WAIVED:
        return Saying("已核销", "waived")
    return Saying("待抵扣", "waits to be set off") if left else Saying("已抵扣", "set off")


def result(
    order: PayoutInstructed,
    status: PayoutStatus | None,
    reissued: bool,
    doubtful: bool,
    clearing: Clearing = UNCLEARED,
) -> Saying:
    """What happened to a payout, by the insurer's report that decides its state (None: no report yet).

    ``reissued``: another payout was ordered in its place. ``doubtful``: its reports contradict each other.
    """
    if order.set_off_of is not None:
        claim = clearing.kept_for or order.set_off_of
        return Saying(
            f"这笔钱没有另付:理赔 {claim} 以前多发的补助应退还而未退还,从这里扣下抵扣",
            f"not paid out: it is kept back for what was paid too much for claim {claim} and was not given back",
        )
    if clearing.manner is not None:
        return _settled(clearing.manner, clearing.left or 0)
    if order.reversal_of is not None:
        return BOOK
    parts = [STATES[PayoutState.INSTRUCTED], _NO_REPORT] if status is None else [STATES[PayoutState(status)]]
    if status in (PayoutStatus.FAILED, PayoutStatus.RETURNED):
        parts.append(_REISSUED if reissued else _WAITS)
    if doubtful:
        parts.append(_DOUBTFUL)
    return Saying("".join(part.zh for part in parts), "".join(part.en for part in parts))


def _settled(manner: str, left: int) -> Saying:
    if manner == Manner.WAIVED:
        return Saying("已核销,不用退还", "waived: nothing has to be given back")
    if left:
        rest = yuan(left)
        return Saying(
            f"待抵扣:还有 {rest} 元,以后发补助时扣下",
            f"waits to be set off: {rest} yuan are kept back from later payments",
        )
    return Saying("已抵扣,不用再退还", "set off against other payments: nothing more has to be given back")
