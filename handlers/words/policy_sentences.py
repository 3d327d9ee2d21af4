"""A policy in words that can be read aloud, in Chinese and English: every field, every rule, every bracket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from handlers.words.claim_sentences import (
    CARE_TYPES,
    FACILITY_LEVELS,
    ONCE_PER,
    counted_months,
    scope_words,
    yuan,
)
from handlers.words.coverage_sentences import ended_reasons
from schemas.bilingual import Saying
from schemas.policy.model import Bracket, Policy, Product, Scheme, Term, Tier
from schemas.policy.policy_values import decimal_text

BASIS = {
    "copay": Saying("个人自付(医保目录内)", "the copay (inside the insurance catalogue)"),
    "out_of_catalogue": Saying("个人自费(医保目录外)", "what was paid outside the insurance catalogue"),
    "personal_burden": Saying("个人负担(自付加自费)", "the personal burden (copay and outside the catalogue)"),
    "verified_loss": Saying("核定的损失", "the verified loss"),
}
SHORT_BASIS = {
    "copay": Saying("自付", "copay"),
    "out_of_catalogue": Saying("自费", "outside"),
    "personal_burden": Saying("自付加自费", "burden"),
    "verified_loss": Saying("核定损失", "loss"),
}
TRIGGERS = {
    "stay": Saying("住院或就诊", "a stay in hospital or a course"),
    "incident": Saying("事故", "an incident"),
    "aid": Saying("临时救助", "temporary aid"),
}
MEASURED_ON = {
    "billed": Saying("按结算单上的金额", "as billed"),
    "remaining": Saying("按前面各层补助后剩下的金额", "what is left of it after the earlier schemes"),
}
ACCUMULATES = {
    "stay": Saying("每次看病单独计算", "every stay by itself"),
    "person_year": Saying("每人每个方案年度累计计算", "a person's stays of a policy year laid end to end"),
    "household_year": Saying(
        "每户每个方案年度累计计算,没有登记在户内的人单独累计",
        "the stays of all members of a household in a policy year laid end to end; whoever is in none counts alone",
    ),
}
FUNDED_BY = {
    "pool": Saying("参保记录写明的资金池", "the pool that the coverage names"),
}
CHECKS = {
    "off": Saying("不检查", "not looked for"),
    "alert": Saying("提醒工作人员核对,照常支付", "staff are alerted, and the claim is paid all the same"),
    "hold": Saying(
        "提醒工作人员核对,并暂缓支付,两人复核后解除",
        "staff are alerted, and the claim is held: it is paid once two people have released it",
    ),
}
STATUSES = {
    "sample": Saying("示例,不是正式规定", "a sample, not a regulation"),
    "enacted": Saying("正式规定", "enacted"),
}
FIELDS = {
    "id": Saying("编号", "id"),
    "title": Saying("名称", "title"),
    "status": Saying("性质", "status"),
    "source": Saying("依据文件", "source"),
    "effective_from": Saying("生效日", "in force from"),
    "effective_to": Saying("失效日", "no longer in force from"),
    "succeeds": Saying("接替的方案", "succeeds"),
    "year_starts": Saying("年度开始日", "year starts"),
    "duplicate_invoice": Saying("票据重复", "invoice used twice"),
    "overlapping_stays": Saying("住院时间重叠", "stays overlap"),
    "scheme": Saying("保障层", "scheme"),
    "order": Saying("先后次序", "order"),
    "programme": Saying("保障项目", "programme"),
    "trigger": Saying("适用事项", "trigger"),
    "incident_kinds": Saying("事故种类", "incident kinds"),
    "once_per": Saying("发放次数", "once per"),
    "levels": Saying("救助标准", "levels"),
    "fixed": Saying("定额", "fixed sum"),
    "by_degree": Saying("按等级定额", "sum by degree"),
    "per_day": Saying("每天定额", "sum per day"),
    "from_day": Saying("起算日", "from day"),
    "days_max": Saying("最多天数", "days at most"),
    "products": Saying("产品", "products"),
    "basis": Saying("计算基数", "basis"),
    "measured_on": Saying("取数口径", "measured on"),
    "accumulates": Saying("累计方式", "accumulates"),
    "care_types": Saying("就诊类型", "care types"),
    "facility_levels": Saying("医院级别", "hospital levels"),
    "diagnoses_any": Saying("诊断编码前缀", "diagnoses"),
    "areas": Saying("登记地区", "areas"),
    "waiting_days": Saying("等待天数", "waiting days"),
    "grace_months": Saying("渐退期(月)", "grace in months"),
    "grace_reasons": Saying("适用渐退期的退出原因", "grace after"),
    "file_within_days": Saying("结算期限(天)", "file within days"),
    "threshold": Saying("起付线", "threshold"),
    "cap_per_stay": Saying("每次上限", "cap per stay"),
    "cap_per_year": Saying("年度上限", "cap per year"),
    "cap_per_household_year": Saying("每户年度上限", "cap per household and year"),
    "funded_by": Saying("资金来源", "funded by"),
    "floor_per_stay": Saying("最低发放额", "floor per stay"),
    "tier": Saying("档次", "tier"),
    "name": Saying("档次名称", "tier name"),
    "categories": Saying("人员类别", "categories"),
    "brackets": Saying("分段比例", "brackets"),
}
"""What people call the fields of a policy file."""

NOT_SET = Saying("没有规定", "not set")
_CHOICES = {
    "trigger": TRIGGERS,
    "once_per": ONCE_PER,
    "basis": BASIS,
    "measured_on": MEASURED_ON,
    "accumulates": ACCUMULATES,
    "funded_by": FUNDED_BY,
    "status": STATUSES,
    "duplicate_invoice": CHECKS,
    "overlapping_stays": CHECKS,
}
_AMOUNTS = (
    *("threshold", "cap_per_stay", "cap_per_year", "cap_per_household_year", "floor_per_stay"),
    *("fixed", "per_day"),
)


def percent(rate: Fraction) -> str:
    return decimal_text(rate * 100) + "%"


def brackets_words(brackets: tuple[Bracket, ...]) -> Saying:
    """Each bracket as a clause, in order: up to 2,000.00 yuan nothing, above it 30%."""
    zh, en = [], []
    if brackets[0].over:
        zh.append(f"{yuan(brackets[0].over)} 元及以下的部分不补")
        en.append(f"nothing up to {yuan(brackets[0].over)} yuan")
    ends: list[int | None] = [bracket.over for bracket in brackets[1:]]
    for bracket, end in zip(brackets, [*ends, None], strict=True):
        rate, over = percent(bracket.rate), yuan(bracket.over)
        if end is not None:
            zh.append(f"{over} 元到 {yuan(end)} 元的部分补 {rate}")
            en.append(f"{rate} of the part from {over} to {yuan(end)} yuan")
        elif bracket.over:
            zh.append(f"超过 {over} 元的部分补 {rate}")
            en.append(f"{rate} of the part over {over} yuan")
        else:
            zh.append(f"全部补 {rate}")
            en.append(f"{rate} of all of it")
    return Saying(";".join(zh), "; ".join(en))


def measure_words(tier: Tier) -> Saying:
    """What a tier pays: its brackets, or its sum assured."""
    if tier.brackets:
        return brackets_words(tier.brackets)
    if tier.fixed is not None:
        return Saying(f"定额 {yuan(tier.fixed)} 元", f"a fixed sum of {yuan(tier.fixed)} yuan")
    if tier.by_degree is not None:
        return sums_words(tier.by_degree)
    zh, en = f"每天 {yuan(tier.per_day or 0)} 元", f"{yuan(tier.per_day or 0)} yuan a day"
    if tier.from_day > 1:
        zh, en = f"{zh},从第 {tier.from_day} 天起", f"{en} from day {tier.from_day} on"
    if tier.days_max is not None:
        zh, en = f"{zh},最多 {tier.days_max} 天", f"{en}, for {tier.days_max} days at most"
    return Saying(zh, en)


def sums_words(sums: Mapping[str, int]) -> Saying:
    """A sum of fen for each degree or level."""
    zh = ";".join(f"{name}:{yuan(amount)} 元" for name, amount in sums.items())
    return Saying(zh, "; ".join(f"{name}: {yuan(amount)} yuan" for name, amount in sums.items()))


def short_basis(scheme: Scheme) -> Saying:
    """What a scheme measures, in a word or two; of one without brackets, what it pays."""
    if scheme.basis is not None:
        return SHORT_BASIS[scheme.basis]
    return TRIGGERS["aid"] if scheme.trigger == "aid" else Saying("定额", "sum assured")


def value_words(field: str, value: object) -> Saying:
    """The value of one field, as people write it."""
    if value is None or (field == "floor_per_stay" and value == 0):
        return NOT_SET
    if field in _CHOICES:
        return _CHOICES[field][str(value)]
    if field in _AMOUNTS and isinstance(value, int):
        return Saying(f"{yuan(value)} 元", f"{yuan(value)} yuan")
    if field == "brackets" and isinstance(value, tuple):
        return brackets_words(value) if value else NOT_SET
    if isinstance(value, dict):
        return sums_words(value)
    if field == "products" and isinstance(value, tuple):
        return product_words(value)
    if field in ("care_types", "facility_levels") and isinstance(value, tuple):
        names = CARE_TYPES if field == "care_types" else FACILITY_LEVELS
        return Saying("、".join(names[name].zh for name in value), ", ".join(f"{names[name].en}s" for name in value))
    if field == "grace_reasons" and isinstance(value, tuple):
        return ended_reasons(value)
    if isinstance(value, tuple):
        listed = ", ".join(map(str, value))
        return Saying(listed, listed)
    return Saying(str(value), str(value))


def product_words(products: Iterable[Product]) -> Saying:
    """The products of a policy, with the schemes of each."""
    zh, en = [], []
    for product in products:
        schemes = None if product.schemes is None else ", ".join(product.schemes)
        zh.append(f"{product.title}({schemes or '全部保障层'})")
        en.append(f"{product.title} ({schemes or 'all schemes'})")
    return Saying(";".join(zh), "; ".join(en)) if zh else NOT_SET


def in_force(term: Term) -> Saying:
    """The days of a policy, by date of discharge; the last day is the last day in force."""
    last = term.last_day
    zh_first, first = _day_zh(term.first), term.first
    if last is None:
        return Saying(f"{zh_first}起出院的,没有结束日期", f"discharges from {first} on, with no end date")
    return Saying(f"{zh_first}到{_day_zh(last)}(含)出院的", f"discharges from {first} to {last} inclusive")


def policy_rules(policy: Policy, term: Term) -> list[tuple[Saying, Saying]]:
    """The head of a policy that is in force for a term: label and sentence."""
    month, day = (int(part) for part in policy.year_starts.split("-"))
    rules = [
        (Saying("适用", "In force"), in_force(term)),
        (FIELDS["status"], STATUSES[policy.status]),
        (
            Saying("方案年度", "Policy year"),
            Saying(f"每年 {month} 月 {day} 日开始", f"starts every year on {policy.year_starts} (month-day)"),
        ),
    ]
    if policy.succeeds is not None:
        rules.insert(1, (FIELDS["succeeds"], Saying(policy.succeeds, policy.succeeds)))
    if term.successor is not None:
        heir, first = term.successor.id, term.successor.effective_from
        sentence = Saying(f"{_day_zh(first)}起由 {heir} 接替", f"{heir}, from {first} on")
        rules.insert(1, (Saying("被接替", "Succeeded by"), sentence))
    if policy.products:
        rules.append((FIELDS["products"], product_words(policy.products)))
    if policy.source:
        rules.append((FIELDS["source"], Saying(policy.source, policy.source)))
    for name, check in policy.checks:
        label = FIELDS[name]
        rules.append((Saying(label.zh, _capital(label.en)), value_words(name, check.value)))
    return rules


def scheme_rules(scheme: Scheme) -> list[tuple[Saying, Saying]]:
    """The rules of a scheme in the order in which they are applied: label and sentence."""
    scope, treatment = scope_words(scheme), Saying("适用范围", "Treatment" if scheme.trigger == "stay" else "Occasion")
    rules = [(treatment, Saying(f"{scope.zh}。", f"{_capital(scope.en)}."))]
    if scheme.grace_months:
        rules.insert(0, (Saying("渐退期", "Grace"), _grace(scheme, scheme.grace_months)))
    if scheme.trigger != "aid":
        rules.insert(0, (Saying("适用对象", "Who"), _who(scheme)))
    if scheme.file_within_days is not None:
        days = scheme.file_within_days
        sentence = Saying(
            f"出院后 {days} 天以内要做完最后结算,第 {days} 天还算。",
            f"The final bill is settled at most {days} days after discharge; day {days} still counts.",
        )
        rules.append((Saying("结算期限", "Deadline"), sentence))
    if scheme.levels is not None:
        levels = sums_words(scheme.levels)
        rules.append((FIELDS["levels"], Saying(f"最多 {levels.zh}。", f"At most {levels.en}.")))
    if scheme.basis is not None and scheme.measured_on is not None and scheme.accumulates is not None:
        basis, measured, adds = BASIS[scheme.basis], MEASURED_ON[scheme.measured_on], ACCUMULATES[scheme.accumulates]
        said = Saying(f"{basis.zh},{measured.zh};{adds.zh}。", f"{_capital(basis.en)}, {measured.en}; {adds.en}.")
        rules.append((Saying("计算基数", "Measured"), said))
    if scheme.once_per != "claim":
        often = ONCE_PER[scheme.once_per]
        rules.append((FIELDS["once_per"], Saying(f"{often.zh}。", f"{_capital(often.en)}.")))
    if scheme.threshold is not None:
        line = yuan(scheme.threshold)
        sentence = Saying(
            f"超过 {line} 元才补;正好 {line} 元不补。",
            f"Pays only if that is over {line} yuan; exactly {line} pays nothing.",
        )
        rules.append((FIELDS["threshold"], sentence))
    rules += _limits(scheme)
    if scheme.funded_by is not None:
        sentence = Saying(
            "由参保记录写明的资金池支付。补多少不看池里有多少钱;钱不够时,按资金池自己的规则先后或按比例发放。",
            "The pool that the coverage names pays. What is due does not depend on its money; when that is short, the "
            "pool's own rule says who is paid and who waits.",
        )
        rules.append((FIELDS["funded_by"], sentence))
    return rules


def _who(scheme: Scheme) -> Saying:
    day, start = Saying("出院那天", "the day of discharge"), Saying("入院时", "when admitted")
    if scheme.trigger == "incident":
        day, start = Saying("出事那天", "the day of the incident"), Saying("出事时", "when it happened")
    zh, en = f"{day.zh}参加“{scheme.programme}”的人", f"Who belongs to {scheme.programme} on {day.en}"
    if scheme.areas is not None:
        zh += f",登记地区是 {'、'.join(scheme.areas)}"
        en += f", recorded in area {' or '.join(scheme.areas)}"
    if scheme.waiting_days:
        zh += f",而且{start.zh}已经参加满 {scheme.waiting_days} 天"
        en += f", and had for {scheme.waiting_days} days {start.en}"
    elif scheme.waiting_days == 0:
        zh += f",而且{start.zh}已经参加"
        en += f", and did {start.en}"
    return Saying(zh + "。", en + ".")


def _grace(scheme: Scheme, months: int) -> Saying:
    what = "出事" if scheme.trigger == "incident" else "出院"
    zh, en = f"退出后 {months} 个月内{what}的也算", f"A coverage also counts for {counted_months(months)} after its end"
    if scheme.grace_reasons is None:
        return Saying(f"{zh},不论退出原因。", f"{en}, whatever the reason.")
    reasons = ended_reasons(scheme.grace_reasons)
    return Saying(f"{zh},限退出原因是:{reasons.zh}。", f"{en}, if the reason is one of: {reasons.en}.")


def _limits(scheme: Scheme) -> list[tuple[Saying, Saying]]:
    caps = (
        (scheme.cap_per_stay, Saying("每次最多补", "for one stay")),
        (scheme.cap_per_year, Saying("每人每个方案年度最多补", "for one person in one policy year")),
        (
            scheme.cap_per_household_year,
            Saying("每户每个方案年度最多补", "for all members of a household together in one policy year"),
        ),
    )
    rules = [
        (
            Saying("上限", "Cap"),
            Saying(f"{sentence.zh} {yuan(cap)} 元。", f"At most {yuan(cap)} yuan {sentence.en}."),
        )
        for cap, sentence in caps
        if cap is not None
    ]
    if scheme.floor_per_stay:
        floor = yuan(scheme.floor_per_stay)
        sentence = Saying(f"算出来不到 {floor} 元的不发。", f"A benefit of less than {floor} yuan is not paid.")
        rules.append((FIELDS["floor_per_stay"], sentence))
    return rules


def _day_zh(day: date) -> str:
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
