"""What watches look for, and what they found, in both languages: for those who look after people, not for families."""

from __future__ import annotations

from datetime import date

from handlers.words.claim_sentences import counted_months, yuan
from handlers.words.policy_sentences import in_force
from schemas.bilingual import Saying
from schemas.policy.model import Term
from schemas.watch.watch_model import Watches, WatchRule

MEASURE_NAMES = {
    "copay": Saying("医保目录内个人自付", "copay inside the catalogue"),
    "out_of_catalogue": Saying("医保目录外个人自费", "out of catalogue"),
    "personal_burden": Saying("个人负担(含目录内、目录外)", "personal burden (copay and out of catalogue)"),
    "patient_pays": Saying("各项补助后仍由个人支付的金额", "what the patient still pays after all benefits"),
}
UNIT_NAMES = {"person": Saying("一人", "one person"), "household": Saying("一户", "one household")}

COMPARED = (
    Saying("规则", "watch"),
    Saying("原来找到", "found before"),
    Saying("现在找到", "found after"),
    Saying("两次都有", "by both"),
    Saying("新增", "gained"),
    Saying("减少", "lost"),
    Saying("原来提示次数", "crossings before"),
    Saying("现在提示次数", "crossings after"),
)
"""What heads a comparison of two files: persons or households, then crossings."""

FOUND_SO_FAR = (Saying("规则", "watch"), Saying("提示线(元)", "step"), Saying("已有理赔", "claims so far"))
"""What heads the crossings that publishing a file finds."""
FOUND_NOW = Saying(
    "公布后,以上每笔理赔各有一条提醒,新的理赔随到随查;不改变理赔决定,也不支付。",
    "Once it is published, each of these claims has an alert, and claims to come are looked at as they are decided. "
    "No decision changes, and no money moves.",
)
NO_END = Saying(
    "没有写:公布以后不能改,同名规则也不能再公布;请写规则不再有效的第一天",
    "is not there: a published file never changes, and no other one may have the same watches while it holds: "
    "write the first day on which they no longer hold",
)
NOTHING_PUBLISHED = Saying("还没有公布关注规则。", "No watches are published.")


def watch_days(watches: Watches) -> Saying:
    """On which days of discharge a claim may cross a step."""
    if watches.effective_from is not None:
        return in_force(Term(watches.effective_from, watches.effective_to))
    if watches.effective_to is None:
        return Saying("不限出院日期", "whatever the day of discharge")
    return Saying(f"出院日在 {watches.effective_to} 之前", f"discharges before {watches.effective_to}")


def watch_rule(watch: WatchRule) -> Saying:
    """What a watch looks for."""
    unit, measure = UNIT_NAMES[watch.unit], MEASURE_NAMES[watch.measure]
    steps_zh, steps_en = "、".join(map(yuan, watch.steps)), ", ".join(map(yuan, watch.steps))
    whom_zh = f";只提示身份为 {'、'.join(watch.categories)} 的人" if watch.categories else ""
    whom_en = f"; only claims of people with category {', '.join(watch.categories)}" if watch.categories else ""
    return Saying(
        f"{unit.zh} {watch.window_months} 个月内{measure.zh}合计超过 {steps_zh} 元{whom_zh}",
        f"{unit.en}, over {counted_months(watch.window_months)}: {measure.en} comes to more than {steps_en} "
        f"yuan{whom_en}",
    )


def crossing_gone(step: int) -> Saying:
    """That the sum is not over the step (fen) any more, or was over it before this claim."""
    return Saying(
        f"提醒已撤回:按最新的登记和结算单,这笔理赔不再使合计超过 {yuan(step)} 元。",
        f"Withdrawn: by the newest records and bills this claim no longer brings the sum over {yuan(step)} yuan.",
    )


def crossing_said(watch: WatchRule, of_household: bool, day: date, stays: int, step: int, total: int) -> Saying:
    """Why somebody should look: the sum (fen) of so many stays, the last of which ended on a day, is over the step.

    ``of_household``: a household's, which is not named, as its number may be that of its head; else a person's.
    """
    who = Saying("该户", "This household") if of_household else Saying("该人员", "This person")
    measure, months = MEASURE_NAMES[watch.measure], watch.window_months
    many = f"{stays} stay" + "s" * (stays > 1)
    return Saying(
        f"{who.zh}截至 {day} 的 {months} 个月内共就诊 {stays} 次,{measure.zh}合计 {yuan(total)} 元,"
        f"超过 {yuan(step)} 元:请了解情况,看是否需要救助。",
        f"{who.en} had {many} in the {counted_months(months)} up to {day}: {measure.en} comes to {yuan(total)} yuan, "
        f"over {yuan(step)} yuan. Please find out whether help is needed.",
    )
