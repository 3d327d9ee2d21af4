"""How a benefit came about, in one short line, for tables of worked examples."""

from __future__ import annotations

from collections.abc import Callable

from handlers.claims.adjudicate import Benefit
from handlers.claims.steps import Assured, Step
from handlers.words.claim_sentences import REASON_NAMES, yuan
from handlers.words.policy_sentences import percent
from schemas.bilingual import Saying
from schemas.decisions import StepKind

_LIMITS = {
    StepKind.LIMIT_REMAINING: Saying("只剩", "only {} left"),
    StepKind.CAP_PER_STAY: Saying("每次最多", "at most {} a stay"),
    StepKind.CAP_PER_YEAR: Saying("年度最多", "at most {} a year"),
    StepKind.CAP_PER_HOUSEHOLD_YEAR: Saying("全户年度最多", "at most {} a household and year"),
}


_ASSURED: dict[StepKind, Callable[[Assured], Saying]] = {
    StepKind.FIXED: lambda told: Saying("定额", "a fixed sum"),
    StepKind.BY_DEGREE: lambda told: Saying(f"等级 {told.word}", f"degree {told.word}"),
    StepKind.PER_DAY: lambda told: Saying(
        f"{told.days_paid} 天 × {yuan(told.sum)}", f"{told.days_paid} days × {yuan(told.sum)}"
    ),
    StepKind.LEVEL: lambda told: Saying(
        f"{told.word} 一级,最多 {yuan(told.sum)}", f"level {told.word}, at most {yuan(told.sum)}"
    ),
}


def working(benefit: Benefit) -> Saying:
    """How a benefit came about, in one short line: the sum, what limited it, why it is nothing."""
    slices = [_slice(step, benefit) for step in benefit.steps if step.slice]
    sum_ = " + ".join(slices)
    zh, en = ([sum_], [sum_]) if slices else ([], [])
    for step in benefit.steps:
        if step.assured is not None:
            worked = _ASSURED[step.kind](step.assured)
            zh.append(worked.zh)
            en.append(worked.en)
        elif step.kind is StepKind.ROUNDING:
            change = f"{'+' if step.amount > 0 else ''}{yuan(step.amount)}"
            zh.append(f"四舍五入 {change}")
            en.append(f"rounding {change}")
        elif step.kind in _LIMITS and step.limit:
            said, limit = _LIMITS[step.kind], yuan(step.limit)
            zh.append(f"{said.zh} {limit}")
            en.append(said.en.format(limit))
    if benefit.reason is not None:
        zh.append(REASON_NAMES[benefit.reason].zh)
        en.append(REASON_NAMES[benefit.reason].en)
    if not zh:
        return Saying("比例为 0", "the rate is 0")
    return Saying(";".join(zh), "; ".join(en))


def _slice(step: Step, benefit: Benefit) -> str:
    assert step.slice is not None
    assert benefit.tier is not None
    return f"{yuan(step.slice.end - step.slice.start)} × {percent(benefit.tier.brackets[step.slice.bracket].rate)}"
