"""What the family and the hospital are told of a claim that somebody has to look at: why, and whether it is held.

They never name another claim: it may be another person's.
"""

from __future__ import annotations

from schemas.bilingual import Saying
from schemas.decisions import ClaimDecision
from schemas.outbound import AlertCode

_WHY = {
    AlertCode.DUPLICATE_INVOICE: Saying(
        "医院的同一张发票在不止一次看病里用到", "an invoice of the hospital was used for more than one treatment"
    ),
    AlertCode.OVERLAPPING_STAYS: Saying(
        "登记的两次住院有同一晚", "two hospital stays are recorded for one and the same night"
    ),
    AlertCode.MEMBERSHIPS_OVERLAP: Saying(
        "当天登记在不止一户", "on the day that counts more than one household is recorded"
    ),
}
"""Other alerts are told by the status of the claim, or by what is said about advances."""
_MAY_HOLD = (AlertCode.DUPLICATE_INVOICE, AlertCode.OVERLAPPING_STAYS)

NOTHING_TAKEN_OFF = Saying(
    "暂缓支付期间不能一站式结算:请按账单向本人收取,核对属实后补助再发给本人。",
    "While the claim is held nothing may be taken off the bill: collect it from the person, who is paid once the claim "
    "is found to be right.",
)
"""To the hospital that asks for a quote."""


def checked(decision: ClaimDecision) -> list[Saying]:
    """Why a claim is held, and what staff look at while it is paid; nothing where there is nothing to check."""
    found = [code for code in decision.alerts or () if code in _WHY]
    holding = [code for code in found if decision.held and code in _MAY_HOLD]
    said = [_held(_why(holding))] if holding else []
    others = [code for code in found if code not in holding]
    return said + ([_looked_at(_why(others))] if others else [])


def _why(codes: list[AlertCode]) -> Saying:
    return Saying(",".join(_WHY[code].zh for code in codes), ", and ".join(_WHY[code].en for code in codes))


def _held(why: Saying) -> Saying:
    return Saying(
        f"这次看病的补助暂缓支付:{why.zh},要先核对清楚,免得同一笔钱付两次。由两位工作人员核对,核对属实后自动支付,"
        "您不用再申请;以前已经发的不受影响。",
        f"For now nothing is paid for this treatment: {why.en}. That is checked first, so that nothing is paid twice. "
        "Two members of staff check it, and if all is right it is paid automatically: you need not apply again. What "
        "was paid before stays paid.",
    )


def _looked_at(why: Saying) -> Saying:
    return Saying(
        f"{why.zh},工作人员会核对;不影响发放,您不用办手续。",
        f"Staff will check one thing: {why.en}. The payment does not wait for that, and you need not do anything.",
    )
