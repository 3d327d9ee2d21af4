"""What people are told about a coverage that ended: why, and that it still counts for a while (渐退期)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from handlers.words.claim_sentences import counted_months
from schemas.bilingual import Saying
from schemas.facts import EndedReason

ENDED_REASONS = {
    EndedReason.INCOME: Saying("收入超过标准", "income over the limit"),
    EndedReason.ASSETS: Saying("财产超过标准", "assets over the limit"),
    EndedReason.EMPLOYMENT: Saying("就业", "found work"),
    EndedReason.MOVED: Saying("户籍或居住地迁出", "moved away"),
    EndedReason.DEATH: Saying("死亡", "death"),
    EndedReason.FRAUD: Saying("骗取待遇", "fraud"),
    EndedReason.REQUEST: Saying("本人申请退出", "own request"),
}
"""Why a coverage ended."""


def ended_reasons(reasons: Iterable[EndedReason]) -> Saying:
    """Some reasons, one after the other."""
    named = [ENDED_REASONS[reason] for reason in reasons]
    return Saying("、".join(each.zh for each in named), ", ".join(each.en for each in named))


def grace_said(valid_to: date, grace_to: date | None, months: int) -> Saying:
    """That a scheme pays in its grace of some months: the coverage's last day, and the last day that still counts."""
    ended = valid_to - timedelta(days=1)
    length = counted_months(months)
    until_zh, until = "", ""
    if grace_to is not None:
        last = grace_to - timedelta(days=1)
        until_zh, until = f",到{_day_zh(last)}为止", f", until {last}"
    return Saying(
        f"您参加这一项到{_day_zh(ended)}为止,退出后有 {months} 个月的渐退期{until_zh},渐退期内照样补。",
        f"You belonged to this scheme until {ended}; it still pays in the grace of {length} after that{until}.",
    )


def _day_zh(day: date) -> str:
    return f" {day.year} 年 {day.month} 月 {day.day} 日"
