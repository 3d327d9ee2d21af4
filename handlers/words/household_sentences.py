"""What is said about memberships of households."""

from __future__ import annotations

from schemas.bilingual import Saying

MEMBERSHIPS_OVERLAP = Saying(
    "出院那天此人同时登记在不止一户。已按起始日期最晚的一条计算。请户籍登记机关核对并更正。",
    "On the day of discharge the person is recorded in more than one household. The record with the latest first day "
    "was used. The registry should check and correct the records.",
)
OVERLAP_SETTLED = Saying(
    "出院那天此人只登记在一户,不用再核对。",
    "On the day of discharge the person is recorded in one household only: nothing is left to check.",
)


def group_too_large(persons: int) -> Saying:
    """More persons are linked by memberships than a household can have."""
    return Saying(
        f"户籍登记把此人与其他人连成 {persons} 人一组,很可能登记有误。理赔照常计算。请户籍登记机关核对。",
        f"Memberships of households link this person and others to a group of {persons}, probably by mistake. The "
        "claims are decided all the same. The registry should check the records.",
    )
