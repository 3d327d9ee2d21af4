"""How a benefit came about, in one short line, for tables of worked examples."""

from __future__ import annotations

from handlers.claims.adjudicate import Benefit, Step
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


def working(benefit: Benefit) -> Saying:
    """How a benefit came about, in one short line: the sum, what limited it, why it is nothing."""
    slices = [_slice(step, benefit) for step in benefit.steps if step.slice]
    sum_ = " + ".join(slices)
    zh, en = ([sum_], [sum_]) if slices else ([], [])
    for step in benefit.steps:
        if step.kind is StepKind.ROUNDING:
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
