"""What is said about a claim that may be there twice (票据衔接)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.bilingual import Saying
from schemas.outbound import AlertCode


def raised(code: AlertCode, about: str, others: Sequence[str]) -> Saying:
    """To staff: what the claim has in common with which others."""
    named = Saying("、".join(others), ", ".join(others))
    if code is AlertCode.DUPLICATE_INVOICE:
        return Saying(
            f"发票 {about} 也用于理赔 {named.zh}。请核对票据,由开错或报错的一方更正或作废。",
            f"Invoice {about} is also used by claim {named.en}. Compare the bills; whoever posted one by mistake "
            "corrects or voids it.",
        )
    return Saying(
        f"此人的住院时间与理赔 {named.zh} 重叠,至少有一晚相同。请与医院核对入院和出院日期。",
        f"The stay shares a night with claim {named.en} of the same person. Check the days of admission and discharge "
        "with the hospitals.",
    )


WITHDRAWN = {
    AlertCode.DUPLICATE_INVOICE: Saying("这张发票不再重复使用。", "The invoice is no longer used twice."),
    AlertCode.OVERLAPPING_STAYS: Saying("住院时间不再重叠。", "The stay shares no night with another one any more."),
}

NAMES = {
    AlertCode.DUPLICATE_INVOICE: Saying("票据重复", "invoice used twice"),
    AlertCode.OVERLAPPING_STAYS: Saying("住院时间重叠", "stays overlap"),
}


def briefly(code: AlertCode, about: str, others: Sequence[str]) -> Saying:
    """The same in a table."""
    name, about = NAMES[code], f" {about}" if about else ""
    return Saying(f"{name.zh}{about}:{'、'.join(others)}", f"{name.en}{about}: {', '.join(others)}")
