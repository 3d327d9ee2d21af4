"""What happened to a payout, in the words of the command, the console and the sheet for the family."""

from __future__ import annotations

from schemas.bilingual import Saying
from schemas.facts import PayoutStatus
from schemas.outbound import InstructionKind, PayoutInstructed
from schemas.records import PayoutState

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
_NO_REPORT = Saying(",尚无结果", ", no report yet")
_WAITS = Saying(",待经办人员处理", ", waiting for an operator")
_REISSUED = Saying(",已重新发放", ", reissued")
_DOUBTFUL = Saying(";报告互相矛盾,正在核实", "; the reports contradict each other and are being checked")


def result(order: PayoutInstructed, status: PayoutStatus | None, reissued: bool, doubtful: bool) -> Saying:
    """What happened to a payout, by the insurer's report that decides its state (None: no report yet).

    ``reissued``: another payout was ordered in its place. ``doubtful``: its reports contradict each other.
    """
    if order.reversal_of is not None:
        return BOOK
    parts = [STATES[PayoutState.INSTRUCTED], _NO_REPORT] if status is None else [STATES[PayoutState(status)]]
    if status in (PayoutStatus.FAILED, PayoutStatus.RETURNED):
        parts.append(_REISSUED if reissued else _WAITS)
    if doubtful:
        parts.append(_DOUBTFUL)
    return Saying("".join(part.zh for part in parts), "".join(part.en for part in parts))
