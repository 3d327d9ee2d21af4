"""Each step of a benefit as a line that adds up to the fen, in sentences a villager understands (section 5, step 6).

The amounts, rules and inputs are for programs: with them alone a benefit can be computed again. The sentences are
for people and say the same. Amounts are yuan with two decimals.
"""

from __future__ import annotations

from fractions import Fraction

from handlers.adjudicate import Adjudication, Benefit, Slice, Step, exact_benefit
from schemas.canonical import canonical_json, sha256_hex
from schemas.decisions import BenefitLine, ClaimDecision, ExplanationLine, StepKind
from schemas.money import format_yuan
from schemas.policy import Policy, Tier
from schemas.policy_values import decimal_text

BASIS_ZH = {"copay": "目录内个人自付", "out_of_catalogue": "目录外个人自费", "personal_burden": "个人负担"}
BASIS_EN = {
    "copay": "the copay (inside the catalogue)",
    "out_of_catalogue": "the part paid outside the catalogue",
    "personal_burden": "the whole personal burden",
}


def decision_of(adjudication: Adjudication) -> ClaimDecision:
    """The decision as it is printed and published, with its explanation."""
    policy = adjudication.policy
    return ClaimDecision(
        claim_id=adjudication.claim.claim_id,
        person_id=adjudication.claim.person_id,
        status=adjudication.status,
        policy_id=None if policy is None else policy.id,
        personal_burden=adjudication.personal_burden,
        benefits=tuple(_benefit_line(benefit) for benefit in adjudication.benefits),
        total_benefit=adjudication.total_benefit,
        patient_pays=adjudication.personal_burden - adjudication.total_benefit,
        explanation=tuple(
            _explain(step, benefit, policy)
            for benefit in adjudication.benefits
            for step in benefit.steps
            if policy is not None
        ),
    )


def fingerprint(adjudication: Adjudication) -> str:
    """SHA-256 of everything that a decision shows, sentences aside: equal means that nothing has changed."""
    policy = adjudication.policy
    benefits = [
        [
            benefit.scheme.id,
            benefit.tier.name if benefit.tier else None,
            benefit.reason,
            benefit.measured,
            benefit.amount,
            benefit.year_before if benefit.steps else 0,
            [_step_mark(step, benefit) for step in benefit.steps],
        ]
        for benefit in adjudication.benefits
    ]
    sha256 = None if policy is None else policy.sha256
    return sha256_hex(canonical_json([adjudication.status, sha256, adjudication.personal_burden, benefits]))


def _step_mark(step: Step, benefit: Benefit) -> list[object]:
    part = [step.slice.bracket, step.slice.start, step.slice.end] if step.slice else []
    paid_before = benefit.paid_before if step.kind is StepKind.CAP_PER_YEAR else 0
    return [step.kind, step.amount, step.before, step.limit, paid_before, *part]


def _benefit_line(benefit: Benefit) -> BenefitLine:
    return BenefitLine(
        scheme_id=benefit.scheme.id,
        tier=None if benefit.tier is None else benefit.tier.name,
        basis=benefit.scheme.basis,
        measured=benefit.measured,
        benefit=benefit.amount,
        reason=benefit.reason,
    )


def _explain(step: Step, benefit: Benefit, policy: Policy) -> ExplanationLine:
    rule = f"{policy.id}/{benefit.scheme.id}"
    if step.slice is not None:
        inputs, zh, en = _bracket(step, step.slice, benefit)
        assert benefit.tier is not None
        rule = f"{rule}/{benefit.tier.name}/brackets/{step.slice.bracket}"
    elif step.kind is StepKind.ROUNDING:
        inputs, zh, en = _rounding(step, benefit)
        rule = "claims.md/2/half-up"
    else:
        inputs, zh, en = _limited(step, benefit)
        rule = "claims.md/5/remaining" if step.kind is StepKind.LIMIT_REMAINING else f"{rule}/{step.kind}"
    return ExplanationLine(
        scheme_id=benefit.scheme.id, step=step.kind, amount=step.amount, rule=rule, inputs=inputs, zh=zh, en=en
    )


def _exact_yuan(scaled: int, tier: Tier) -> str:
    """Fen / scale as a decimal of yuan, not rounded."""
    return decimal_text(Fraction(scaled, tier.scale * 100))


def _percent(rate: Fraction) -> str:
    return decimal_text(rate * 100) + "%"


def _bracket(step: Step, part: Slice, benefit: Benefit) -> tuple[dict[str, str], str, str]:
    tier, scheme = benefit.tier, benefit.scheme
    assert tier is not None
    bracket = tier.brackets[part.bracket]
    low, high, over = format_yuan(part.start), format_yuan(part.end), format_yuan(bracket.over)
    inputs = {
        "measured": format_yuan(benefit.measured),
        "from": low,
        "to": high,
        "over": over,
        "rate": decimal_text(bracket.rate),
        "exact": _exact_yuan(part.exact, tier),
    }
    size, amount = format_yuan(part.end - part.start), format_yuan(step.amount)
    rate = _percent(bracket.rate)
    zh_basis, en_basis = BASIS_ZH[scheme.basis], BASIS_EN[scheme.basis]
    if scheme.accumulates == "person_year":
        inputs |= {"year_before": format_yuan(benefit.year_before), "year_after": format_yuan(benefit.year_after)}
        zh = f"本年度累计{zh_basis}从 {low} 元到 {high} 元的部分,共 {size} 元,按 {rate} 补助 {amount} 元。"
        en = (
            f"This policy year, {en_basis} went from {low} to {high} yuan in this step: "
            f"{size} yuan at {rate} gives {amount} yuan."
        )
    else:
        zh = f"本次{zh_basis}中 {low} 元到 {high} 元的部分,共 {size} 元,按 {rate} 补助 {amount} 元。"
        en = f"Of {en_basis} of this stay, {size} yuan (from {low} to {high}) at {rate} gives {amount} yuan."
    return inputs, zh, en


def _rounding(step: Step, benefit: Benefit) -> tuple[dict[str, str], str, str]:
    assert benefit.tier is not None
    inputs = {
        "before": format_yuan(step.before),
        "exact_before": _exact_yuan(exact_benefit(benefit.tier, benefit.year_before), benefit.tier),
        "exact_after": _exact_yuan(exact_benefit(benefit.tier, benefit.year_after), benefit.tier),
    }
    change = format_yuan(step.amount)
    zh = f"合计四舍五入到分,调整 {change} 元。"
    en = f"Rounding the total once, half-up to the fen, changes it by {change} yuan."
    return inputs, zh, en


def _limited(step: Step, benefit: Benefit) -> tuple[dict[str, str], str, str]:
    before, limit, less = format_yuan(step.before), format_yuan(step.limit), format_yuan(-step.amount)
    scheme = benefit.scheme
    match step.kind:
        case StepKind.LIMIT_REMAINING:
            inputs = {"before": before, "remaining": limit}
            zh = f"补助不能超过您这次还需负担的{BASIS_ZH[scheme.basis]} {limit} 元,减少 {less} 元。"
            en = f"Not more than what is left of {BASIS_EN[scheme.basis]}, {limit} yuan: {less} yuan less."
        case StepKind.CAP_PER_STAY:
            inputs = {"before": before, "cap": limit}
            zh = f"每次住院最多补助 {limit} 元,减少 {less} 元。"
            en = f"At most {limit} yuan for one stay: {less} yuan less."
        case StepKind.CAP_PER_YEAR:
            cap, paid = format_yuan(scheme.cap_per_year or 0), format_yuan(benefit.paid_before)
            inputs = {"before": before, "cap": cap, "paid_before": paid, "left": limit}
            zh = f"每年最多补助 {cap} 元,本年度此前已补助 {paid} 元,还可补助 {limit} 元,减少 {less} 元。"
            en = f"At most {cap} yuan a year, of which {paid} were granted before; {limit} are left: {less} yuan less."
        case _:
            inputs = {"before": before, "floor": limit}
            zh = f"不足起付金额 {limit} 元,本次不予支付,减少 {less} 元。"
            en = f"A benefit below {limit} yuan is not paid: {less} yuan less."
    return inputs, zh, en
