"""What is said about memberships of households."""

from __future__ import annotations

from schemas.bilingual import Saying
from schemas.facts import UnitKind

UNIT_KINDS = {
    UnitKind.HOUSEHOLD: Saying("家庭户", "household"),
    UnitKind.SINGLE: Saying("单人户", "single"),
    UnitKind.COLLECTIVE: Saying("集体户", "collective"),
}
MEMBERSHIPS_OVERLAP = Saying(
    "出院那天此人同时登记在不止一户。已按起始日期最晚的一条计算。请户籍登记机关核对并更正。",
    "On the day of discharge the person is recorded in more than one household. The record with the latest first day "
    "was used. The registry should check and correct the records.",
)
OVERLAP_SETTLED = Saying(
    "出院那天此人只登记在一户,不用再核对。",
    "On the day of discharge the person is recorded in one household only: nothing is left to check.",
)
OVERLAP_THAT_DAY = Saying(
    "当天此人同时登记在不止一户。已按起始日期最晚的一条计算。请户籍登记机关核对并更正。",
    "On that day the person is recorded in more than one household. The record with the latest first day was used. The "
    "registry should check and correct the records.",
)
"""The claim is an incident or an aid."""
SETTLED_THAT_DAY = Saying(
    "当天此人只登记在一户,不用再核对。",
    "On that day the person is recorded in one household only: nothing is left to check.",
)

WAITS = Saying(
    "这件理赔要和相关的其他理赔一起计算,正在排队,很快自动算好,您不用再申请。",
    "This claim is worked out together with other claims that bear on it. It waits its turn and will be worked out "
    "automatically in a moment; you need not apply again.",
)
"""Nothing was decided yet. The others are those of the household, or those that name the same invoice."""
WAITS_AGAIN = Saying(
    "相关的理赔有新的资料,这件理赔正在排队重新计算,很快自动算好。下面是上一次的结果。",
    "There is new data about claims that bear on this one, so it waits to be worked out again, which happens "
    "automatically in a moment. What follows is the result of the last time.",
)
"""There is a decision of before."""


def group_too_large(persons: int) -> Saying:
    """More persons are linked by memberships than a household can have."""
    return Saying(
        f"户籍登记把此人与其他人连成 {persons} 人一组,很可能登记有误。理赔照常计算。请户籍登记机关核对。",
        f"Memberships of households link this person and others to a group of {persons}, probably by mistake. The "
        "claims are decided all the same. The registry should check the records.",
    )
