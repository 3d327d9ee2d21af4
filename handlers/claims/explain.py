"""Each step of a benefit as a line that adds up to the fen, in sentences a villager understands (section 5, step 6).

The amounts, rules and inputs are for programs: with them alone a benefit can be computed again. The sentences are
for people and say the same in everyday words. Amounts are yuan with two decimals.
"""

from __future__ import annotations

from fractions import Fraction

from handlers.claims.adjudicate import Adjudication, Benefit, exact_benefit
from handlers.claims.payees import facility_rows, shares, taken_off, unpaid_advances
from handlers.claims.steps import Assured, Slice, Step
from handlers.claims.twice import written
from handlers.words.assured_sentences import aid_said, days_said, degree_said, fixed_said
from handlers.words.claim_sentences import basis_words, yuan
from handlers.words.coverage_sentences import grace_said
from schemas.bilingual import Saying
from schemas.canonical import canonical_json, sha256_hex
from schemas.decisions import AdvanceLine, BenefitLine, ClaimDecision, ExplanationLine, PayeeLine, Status, StepKind
from schemas.money import format_yuan
from schemas.outbound import AlertCode
from schemas.policy.model import Policy, Tier
from schemas.policy.policy_values import decimal_text, quotient_text


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
        patient_pays=adjudication.patient_pays,
        explanation=tuple(
            _explanation_line(step, benefit, policy)
            for benefit in adjudication.benefits
            for step in benefit.steps
            if policy is not None
        ),
        advances=advance_lines(adjudication),
        payees=payee_lines(adjudication),
        alerts=alerts_of(adjudication) or None,
        held=True if adjudication.held else None,
    )


def alerts_of(adjudication: Adjudication) -> tuple[AlertCode, ...]:
    """Why somebody should look at a claim, in alphabetical order."""
    found = {each.code for each in adjudication.twice}
    if adjudication.status is Status.AFTER_DEATH:
        found.add(AlertCode.AFTER_DEATH)
    if adjudication.overlapping:
        found.add(AlertCode.MEMBERSHIPS_OVERLAP)
    if adjudication.claim.has_advances:
        due = {benefit.scheme.id: benefit.amount for benefit in adjudication.benefits}
        rows = facility_rows(adjudication.claim, due, due, ())
        found |= {each.code for each in unpaid_advances(adjudication.status, rows, due).values()}
    return tuple(sorted(found))


def advance_lines(adjudication: Adjudication) -> tuple[AdvanceLine, ...] | None:
    """What was taken off at the hospital, in the order in which it is paid back; None if nothing was."""
    if not adjudication.claim.has_advances:
        return None
    return tuple(
        AdvanceLine(scheme_id=each.scheme_id, facility_id=each.facility_id, amount=each.amount)
        for each in taken_off(adjudication.claim)
    )


def payee_lines(adjudication: Adjudication) -> tuple[PayeeLine, ...] | None:
    """Who receives what; None where nothing was advanced, as then the person, or the estate, receives all."""
    if not adjudication.claim.has_advances:
        return None
    return tuple(
        PayeeLine(scheme_id=share.scheme_id, payee=share.payee, payee_id=share.payee_id, amount=share.amount)
        for share in shares(adjudication)
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
    shown: list[object] = [adjudication.status, sha256, adjudication.personal_burden, benefits]
    pools = [benefit.pool_id for benefit in adjudication.benefits]
    if any(pools):
        shown.append({"pools": pools})
    told = [[each.scheme.id, str(each.grace.valid_to)] for each in adjudication.benefits if each.grace and each.steps]
    if told:
        shown.append({"grace": told})
    if adjudication.overlapping:
        shown.append("overlapping")
    if adjudication.twice:
        shown.append({"held": adjudication.held, "twice": written(adjudication.twice)})
    if adjudication.claim.has_advances:
        shown += [[list(each) for each in taken_off(adjudication.claim)], [list(each) for each in shares(adjudication)]]
    return sha256_hex(canonical_json(shown))


def _step_mark(step: Step, benefit: Benefit) -> list[object]:
    part: list[object] = [step.slice.bracket, step.slice.start, step.slice.end] if step.slice else []
    if step.assured:
        part += step.assured
    paid_before = 0
    if step.kind is StepKind.CAP_PER_YEAR:
        paid_before = benefit.paid_before
    elif step.kind is StepKind.CAP_PER_HOUSEHOLD_YEAR:
        paid_before = benefit.household_paid_before
    return [step.kind, step.amount, step.before, step.limit, paid_before, *part]


def _benefit_line(benefit: Benefit) -> BenefitLine:
    return BenefitLine(
        scheme_id=benefit.scheme.id,
        tier=None if benefit.tier is None else benefit.tier.name,
        basis=benefit.scheme.basis,
        measured=benefit.measured,
        benefit=benefit.amount,
        reason=benefit.reason,
        pool_id=benefit.pool_id,
    )


def _explanation_line(step: Step, benefit: Benefit, policy: Policy) -> ExplanationLine:
    rule, inputs, said = explained(step, benefit, policy)
    return ExplanationLine(
        scheme_id=benefit.scheme.id,
        step=step.kind,
        amount=step.amount,
        rule=rule,
        inputs=inputs,
        zh=said.zh,
        en=said.en,
    )


def explained(step: Step, benefit: Benefit, policy: Policy) -> tuple[str, dict[str, str], Saying]:
    """By which rule a step changed the number, from which inputs, and the sentence that says so."""
    rule = f"{policy.id}/{benefit.scheme.id}"
    if step.slice is not None:
        inputs = _bracket_inputs(step.slice, benefit)
        sentence = _bracket_said(step, step.slice, benefit, first=benefit.scheme is policy.schemes[0])
        assert benefit.tier is not None
        rule = f"{rule}/{benefit.tier.name}/brackets/{step.slice.bracket}"
    elif step.assured is not None:
        inputs, sentence = _assured(step, step.assured, benefit)
        place = "levels/" + step.assured.word if benefit.tier is None else f"{benefit.tier.name}/{step.kind}"
        rule = f"{rule}/{place}"
    elif step.kind is StepKind.ROUNDING:
        inputs, sentence = _rounding(step, benefit)
        rule = "claims.md/2/half-up"
    else:
        inputs, sentence = _limited(step, benefit)
        rule = "claims.md/5/remaining" if step.kind is StepKind.LIMIT_REMAINING else f"{rule}/{step.kind}"
    if benefit.grace is not None and step is benefit.steps[0]:
        grace = grace_said(*benefit.grace, benefit.scheme.grace_months or 0)
        sentence = Saying(grace.zh + sentence.zh, f"{grace.en} {sentence.en}")
    return rule, inputs, sentence


def _assured(step: Step, told: Assured, benefit: Benefit) -> tuple[dict[str, str], Saying]:
    """What a sum assured or an aid came from, and the sentence that says so."""
    if step.kind is StepKind.LEVEL:
        return {"level": told.word, "limit": format_yuan(told.sum), "decided": format_yuan(told.asked)}, aid_said(
            told.word, told.sum, told.asked
        )
    if step.kind is StepKind.FIXED:
        return {"fixed": format_yuan(told.sum)}, fixed_said(told.sum)
    if step.kind is StepKind.BY_DEGREE:
        return {"degree": told.word, "sum": format_yuan(told.sum)}, degree_said(told.word, told.sum)
    tier = benefit.tier
    assert tier is not None, "only aid has no tier"
    inputs = {
        "per_day": format_yuan(told.sum),
        "days": str(told.days),
        "from_day": str(tier.from_day),
        "counted_before": str(told.counted_before),
        "days_paid": str(told.days_paid),
    }
    if tier.days_max is not None:
        inputs["days_max"] = str(tier.days_max)
    return inputs, days_said(tier, told.days, told.counted_before, told.days_paid, step.amount)


def _exact_yuan(scaled: int, tier: Tier) -> str:
    """Fen / scale as a decimal of yuan, not rounded."""
    return quotient_text(scaled, tier.scale * 100)


def _percent(rate: Fraction) -> str:
    return quotient_text(rate.numerator * 100, rate.denominator) + "%"


def _bracket_inputs(part: Slice, benefit: Benefit) -> dict[str, str]:
    tier = benefit.tier
    assert tier is not None
    bracket = tier.brackets[part.bracket]
    inputs = {
        "measured": format_yuan(benefit.measured),
        "from": format_yuan(part.start),
        "to": format_yuan(part.end),
        "over": format_yuan(bracket.over),
        "rate": decimal_text(bracket.rate),
        "exact": _exact_yuan(part.exact, tier),
    }
    if benefit.scheme.accumulates != "stay":
        inputs |= {"year_before": format_yuan(benefit.year_before), "year_after": format_yuan(benefit.year_after)}
    return inputs


def _bracket_said(step: Step, part: Slice, benefit: Benefit, first: bool) -> Saying:
    assert benefit.tier is not None
    scheme, basis = benefit.scheme, basis_words(benefit.scheme)
    rate = _percent(benefit.tier.brackets[part.bracket].rate)
    size, amount, measured = yuan(part.end - part.start), yuan(step.amount), yuan(benefit.measured)
    rest = Saying("", "") if first or scheme.measured_on == "billed" else _AFTER_EARLIER
    if scheme.accumulates == "household_year" and benefit.year_before:
        before, after = yuan(benefit.year_before), yuan(benefit.year_after)
        zh = f"{rest.zh}{basis.zh}这次是 {measured} 元,您一家这个年度里以前累计 {before} 元,加上这次是 {after} 元"
        en = f"{rest.en}{basis.en} is {measured} yuan this time; it was {before} yuan in your household earlier in "
        en += f"this policy year, and is {after} with this time"
    elif scheme.accumulates == "person_year" and benefit.year_before:
        before, after = yuan(benefit.year_before), yuan(benefit.year_after)
        zh = f"{rest.zh}{basis.zh}这个年度里以前几次累计 {before} 元,加上这次的 {measured} 元是 {after} 元"
        en = f"{rest.en}{basis.en} was {before} yuan earlier in this policy year, and {after} with {measured} this time"
    else:
        zh = f"{rest.zh}{basis.zh}这次是 {measured} 元"
        en = f"{rest.en}{basis.en} is {measured} yuan this time"
    en = en[:1].upper() + en[1:]
    if part.end - part.start == benefit.measured:
        return Saying(f"{zh};按 {rate} 补,是 {amount} 元。", f"{en}: {rate} of {size} yuan is {amount} yuan.")
    low, high = yuan(part.start), yuan(part.end)
    return Saying(
        f"{zh};其中 {low} 元以上、到 {high} 元为止的部分有 {size} 元,按 {rate} 补,是 {amount} 元。",
        f"{en}: the part from {low} to {high} is {size} yuan, and {rate} of it is {amount} yuan.",
    )


_AFTER_EARLIER = Saying("扣掉前面几项的补助后,", "after the earlier schemes, ")


def _rounding(step: Step, benefit: Benefit) -> tuple[dict[str, str], Saying]:
    assert benefit.tier is not None
    inputs = {
        "before": format_yuan(step.before),
        "exact_before": _exact_yuan(exact_benefit(benefit.tier, benefit.year_before), benefit.tier),
        "exact_after": _exact_yuan(exact_benefit(benefit.tier, benefit.year_after), benefit.tier),
    }
    change = yuan(abs(step.amount))
    more = Saying("多", "more") if step.amount > 0 else Saying("少", "less")
    return inputs, Saying(
        f"不到一分的零头,先加在一起再四舍五入,因此{more.zh} {change} 元。",
        f"Fractions of a fen are added up first and then rounded half-up, once: {change} yuan {more.en}.",
    )


def _limited(step: Step, benefit: Benefit) -> tuple[dict[str, str], Saying]:
    scheme = benefit.scheme
    inputs = {"before": format_yuan(step.before)}
    before, limit, less = yuan(step.before), yuan(step.limit), yuan(-step.amount)
    match step.kind:
        case StepKind.LIMIT_REMAINING:
            inputs["remaining"] = format_yuan(step.limit)
            basis = basis_words(scheme)
            sentence = Saying(
                f"补助不会超过还要您自己付的钱:{basis.zh}只剩 {limit} 元,所以减去 {less} 元。",
                f"Never more than is still yours to pay: of {basis.en}, {limit} yuan are left, so {less} yuan less.",
            )
        case StepKind.CAP_PER_STAY:
            inputs["cap"] = format_yuan(step.limit)
            sentence = Saying(
                f"这一项每次最多补 {limit} 元,所以减去 {less} 元。",
                f"This scheme pays at most {limit} yuan each time, so {less} yuan less.",
            )
        case StepKind.CAP_PER_YEAR:
            cap, paid = scheme.cap_per_year or 0, benefit.paid_before
            inputs |= {"cap": format_yuan(cap), "paid_before": format_yuan(paid), "left": format_yuan(step.limit)}
            sentence = Saying(
                f"这一项每人每年最多补 {yuan(cap)} 元,这个年度已经补了 {yuan(paid)} 元,还能补 {limit} 元,"
                f"所以减去 {less} 元。",
                f"This scheme pays at most {yuan(cap)} yuan a person and year; {yuan(paid)} were paid before, {limit} "
                f"are left, so {less} yuan less.",
            )
        case StepKind.CAP_PER_HOUSEHOLD_YEAR:
            cap, paid = scheme.cap_per_household_year or 0, benefit.household_paid_before
            inputs |= {"cap": format_yuan(cap), "paid_before": format_yuan(paid), "left": format_yuan(step.limit)}
            sentence = Saying(
                f"这一项每户每年最多补 {yuan(cap)} 元,您一家这个年度已经补了 {yuan(paid)} 元,还能补 {limit} 元,"
                f"所以减去 {less} 元。",
                f"This scheme pays at most {yuan(cap)} yuan a household and year; {yuan(paid)} were paid to your "
                f"household before, {limit} are left, so {less} yuan less.",
            )
        case _:
            inputs["floor"] = format_yuan(step.limit)
            sentence = Saying(
                f"这一项不到 {limit} 元就不发,算出来是 {before} 元,所以这次不发。",
                f"Less than {limit} yuan is not paid by this scheme; it would be {before} yuan, so nothing is paid.",
            )
    return inputs, sentence
