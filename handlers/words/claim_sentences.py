"""What a claim's status, and a scheme that pays nothing, mean for a person, and what to do next.

The one place for these sentences, so that the command, the console and the API all say the same. They use everyday
words, and amounts in yuan.
"""

from __future__ import annotations

from handlers.words import other_occasions
from schemas.bilingual import Saying
from schemas.decisions import ClaimDecision, Reason, Status
from schemas.ids import trigger_of
from schemas.money import FEN_PER_YUAN, format_yuan
from schemas.policy.model import Scheme


def yuan(fen: int) -> str:
    """Fen as people write yuan: ``1234567`` is ``"12,345.67"``."""
    if fen < 0:
        return "-" + yuan(-fen)
    plain = format_yuan(fen)
    return plain if len(plain) < 7 else f"{fen // FEN_PER_YUAN:,}{plain[-3:]}"


BASIS = {
    "copay": Saying("医保目录内您自己付的钱", "what you paid yourself inside the insurance catalogue"),
    "out_of_catalogue": Saying("医保目录外您自己付的钱", "what you paid yourself outside the insurance catalogue"),
    "personal_burden": Saying(
        "您自己付的钱(医保目录内、目录外合计)",
        "what you paid yourself, inside and outside the insurance catalogue together",
    ),
    "verified_loss": Saying("核定的损失", "the verified loss"),
}


def basis_words(scheme: Scheme) -> Saying:
    """What a scheme with brackets measures."""
    assert scheme.basis is not None, "brackets have a basis"
    return BASIS[scheme.basis]


CARE_TYPES = {
    "inpatient": Saying("住院", "hospital stay"),
    "outpatient_special": Saying("门诊特殊病", "special outpatient course"),
}
FACILITY_LEVELS = {
    "city": Saying("市级医院", "city hospital"),
    "county": Saying("县级医院", "county hospital"),
    "town": Saying("乡镇卫生院", "town hospital"),
}
STATUS_NAMES = {
    Status.VOIDED: Saying("已作废", "voided"),
    Status.INCOMPLETE: Saying("资料未到齐", "incomplete"),
    Status.AFTER_DEATH: Saying("死亡日期之后", "after the day of death"),
    Status.NO_POLICY: Saying("没有生效的方案", "no policy in force"),
    Status.NOT_COVERED: Saying("未参保", "not covered"),
    Status.ADJUDICATED: Saying("已核定", "decided"),
}
REASON_NAMES = {
    Reason.NOT_IN_SCOPE: Saying("不在补助范围", "outside the scope"),
    Reason.NO_COVERAGE: Saying("没有参加记录", "no coverage"),
    Reason.WAITING_PERIOD: Saying("等待期未满", "in the waiting period"),
    Reason.NO_TIER: Saying("人员类别不在名单", "category not listed"),
    Reason.FILED_LATE: Saying("结算太晚", "settled too late"),
    Reason.UNDER_THRESHOLD: Saying("没有超过起付线", "not over the threshold"),
    Reason.NOTHING_DUE: Saying("算出来是 0 元", "works out at 0"),
    Reason.ALREADY_PAID: Saying("已经发过一次", "paid once already"),
    Reason.NOTHING_LEFT: Saying("前面各项已补完", "earlier layers paid it all"),
    Reason.CAP_REACHED: Saying("已到上限", "the cap is reached"),
    Reason.BELOW_FLOOR: Saying("太少,不发", "too small to be paid"),
}

_STATUS = {
    Status.VOIDED: Saying(
        "医院已经作废了这次看病的全部结算单,所以没有补助,以前发过的要收回。如果作废有误,请让医院重新结算,"
        "新的结算单一到就会自动重新计算。",
        "The hospital has voided every bill of this treatment, so nothing is paid, and what was paid is taken back. "
        "If that is a mistake, ask the hospital to settle again: the claim is then worked out again automatically.",
    ),
    Status.AFTER_DEATH: Saying(
        "登记的死亡日期在入院之前,所以没有补助。可能是登记错了,也可能是有人冒用身份:请家属带上证件,"
        "到村(居)委会或经办窗口核对,登记更正后会自动重新计算。",
        "The recorded day of death is before the admission, so nothing is paid. Either the record is wrong or someone "
        "used a stolen identity: the family should have it checked at the village or service office, with papers. "
        "After a correction the claim is worked out again automatically.",
    ),
    Status.NO_POLICY: Saying(
        "您出院那天没有生效的补助方案,所以现在还不能计算。您不用再申请:方案公布后会自动计算。",
        "No assistance policy was in force on the day of discharge, so nothing can be worked out yet. You need not "
        "apply again: it is worked out automatically once a policy for that day is published.",
    ),
    Status.NOT_COVERED: Saying(
        "没有查到您在出院那天参保:方案里的各项,都没有您当天的参加记录,或者登记的地区、类别不在名单里。"
        "所以现在没有补助。如果您参加了,请到村(居)委会或民政窗口补登记:登记一到,即使过了几年,也会自动重新计算。",
        "No record shows that you were covered on the day of discharge: for none of the policy's schemes is there a "
        "coverage of that day whose area and category are on its list. So nothing is paid now. If you did belong, have "
        "it recorded at the village or civil affairs office: once the record arrives, even years later, the claim is "
        "worked out again automatically.",
    ),
    Status.ADJUDICATED: Saying("这次的补助已经核定。", "The assistance for this treatment has been decided."),
}
_NOTHING_TO_PAY = Saying(
    "这次的补助已经核定:没有可补的金额,每一项的原因写在下面。",
    "The assistance for this treatment has been decided: there is nothing to pay, for the reason given below for each "
    "scheme.",
)


def status_sentence(decision: ClaimDecision, discharged: bool, final_bill: bool) -> Saying:
    """What a decision's status means and what to do next; for an incomplete claim, say what has arrived."""
    status, trigger = decision.status, trigger_of(decision.claim_id)
    if status is Status.ADJUDICATED and decision.total_benefit == 0:
        return other_occasions.NOTHING_TO_PAY.get(trigger, _NOTHING_TO_PAY)
    if (trigger, status) in other_occasions.STATUS:
        return other_occasions.STATUS[trigger, status]
    if status is not Status.INCOMPLETE:
        return _STATUS[status]
    missing_zh = "、".join(
        name for name, here in (("出院记录", discharged), ("最后一张结算单", final_bill)) if not here
    )
    missing = (("the discharge record", discharged), ("the final bill", final_bill))
    missing_en = " and ".join(name for name, here in missing if not here)
    return Saying(
        f"资料还没有到齐,缺:{missing_zh}。现在没有补助,您也不用再申请,到齐后会自动计算。"
        "如果出院已经很久,请向医院的结算窗口询问。",
        f"Not everything has arrived yet; missing: {missing_en}. Nothing is paid so far, and you need not apply again: "
        "it is worked out automatically once everything is here. If the discharge was long ago, ask the hospital's "
        "billing desk.",
    )


def why_nothing(reason: Reason, scheme: Scheme | None = None, measured: int = 0) -> Saying:
    """Why a scheme pays nothing, and what to do next; with its ``scheme`` the sentence names the numbers (fen)."""
    numbers = _numbers(reason, scheme, measured) if scheme is not None else Saying("", "")
    plain, todo = _REASONS[reason]
    if scheme is not None and scheme.trigger != "stay":
        plain, todo = other_occasions.REASONS.get(reason, (plain, todo))
    return Saying(f"{plain.zh}{numbers.zh}。{todo.zh}", f"{plain.en}{numbers.en}. {todo.en}")


_WRONG_BILL = Saying(
    "您不用办手续;医院如果更正了账单,会自动重新计算。",
    "You need not do anything; if the hospital corrects a bill, the claim is worked out again automatically.",
)
_REASONS: dict[Reason, tuple[Saying, Saying]] = {
    Reason.NOT_IN_SCOPE: (
        Saying("这一项不补这种情况", "This scheme does not pay for this kind of treatment"),
        Saying(
            "如果医院登记的类别、级别或诊断有误,请让医院更正,之后会自动重新计算。",
            "If the hospital recorded a wrong type, level or diagnosis, ask it to correct the record.",
        ),
    ),
    Reason.NO_COVERAGE: (
        Saying(
            "没有查到您在出院那天参加这一项的记录", "No record shows that you belonged to it on the day of discharge"
        ),
        Saying(
            "如果您参加了,请到村(居)委会或民政窗口核对起止日期,补登记后会自动重新计算。",
            "If you did, have the dates checked at the village or civil affairs office; a late record still counts.",
        ),
    ),
    Reason.WAITING_PERIOD: (
        Saying(
            "入院的时候,您参加这一项的时间还不够长", "When you were admitted you had not belonged to it long enough"
        ),
        Saying(
            "以后满了时间再看病就可以补;如果登记的开始日期有误,请到村(居)委会更正。",
            "Later treatments count once the waiting period is over; if the recorded first day is wrong, "
            "have it corrected.",
        ),
    ),
    Reason.NO_TIER: (
        Saying("您登记的人员类别不在这一项的名单里", "Your recorded category is not on the list of this scheme"),
        Saying(
            "如果类别有误,请到民政窗口更正,之后会自动重新计算。",
            "If the category is wrong, have it corrected at the civil affairs office.",
        ),
    ),
    Reason.FILED_LATE: (
        Saying("医院的最后结算晚于期限", "The final bill was settled after the deadline"),
        Saying(
            "如果结算日期有误,请让医院更正,之后会自动重新计算。",
            "If its date is wrong, ask the hospital to correct it.",
        ),
    ),
    Reason.UNDER_THRESHOLD: (
        Saying("您付的钱没有超过起付线", "What you paid is not over the threshold"),
        _WRONG_BILL,
    ),
    Reason.NOTHING_DUE: (
        Saying("按这一项的标准,算出来是 0 元", "By the rates of this scheme the benefit is 0 yuan"),
        _WRONG_BILL,
    ),
    Reason.ALREADY_PAID: (
        Saying("这一项只发一次,以前已经发过", "This scheme pays only once, and it has paid already"),
        Saying(
            "您不用办手续。如果以前那一次作废或更正,会自动重新计算。",
            "You need not do anything; if the earlier payment is corrected, this is worked out again automatically.",
        ),
    ),
    Reason.NOTHING_LEFT: (
        Saying(
            "前面几项已经补完,没有剩下要您付的钱",
            "The schemes before it paid everything: nothing is left for you to pay",
        ),
        Saying("您不用办手续。", "You need not do anything."),
    ),
    Reason.CAP_REACHED: (
        Saying("这一项的补助已经到了上限", "This scheme's limit is used up"),
        Saying("到了新的年度,年度上限会重新算起。", "A yearly limit starts again with the next policy year."),
    ),
    Reason.BELOW_FLOOR: (
        Saying("算出来的补助太少,按规定不发", "The benefit is so small that it is not paid"),
        _WRONG_BILL,
    ),
}


ONCE_PER = {
    "claim": Saying("每次都发", "for every claim"),
    "year": Saying("每人每个方案年度一次", "once for a person in a policy year"),
    "life": Saying("每人终身一次", "once for a person, ever"),
}


def _numbers(reason: Reason, scheme: Scheme, measured: int) -> Saying:
    basis = Saying("", "") if scheme.basis is None else BASIS[scheme.basis]
    match reason:
        case Reason.NOT_IN_SCOPE:
            scope = scope_words(scheme)
            return Saying(f":它只补{scope.zh}", f": only {scope.en}")
        case Reason.NO_COVERAGE:
            return _who_counts(scheme)
        case Reason.WAITING_PERIOD:
            return Saying(f":要满 {scheme.waiting_days} 天", f": {scheme.waiting_days} days are needed")
        case Reason.FILED_LATE:
            return Saying(
                f":要在出院后 {scheme.file_within_days} 天以内", f": within {scheme.file_within_days} days of discharge"
            )
        case Reason.UNDER_THRESHOLD:
            line = yuan(scheme.threshold or 0)
            return Saying(
                f":{basis.zh}是 {yuan(measured)} 元,要超过 {line} 元才补",
                f": {basis.en} is {yuan(measured)} yuan, and it must be more than {line}",
            )
        case Reason.ALREADY_PAID:
            often = ONCE_PER[scheme.once_per]
            return Saying(f":{often.zh}", f": {often.en}")
        case Reason.NOTHING_DUE if scheme.basis is not None:
            return Saying(f":{basis.zh}这次是 {yuan(measured)} 元", f": {basis.en} is {yuan(measured)} yuan this time")
        case Reason.CAP_REACHED:
            caps = (scheme.cap_per_stay, scheme.cap_per_year, scheme.cap_per_household_year)
            amounts = " / ".join(yuan(cap) for cap in caps if cap is not None)
            return Saying(f":最多 {amounts} 元", f": at most {amounts} yuan")
        case Reason.BELOW_FLOOR:
            return Saying(
                f":不到 {yuan(scheme.floor_per_stay)} 元的不发",
                f": less than {yuan(scheme.floor_per_stay)} yuan is not paid",
            )
        case _:
            return Saying("", "")


def _who_counts(scheme: Scheme) -> Saying:
    """Of whom a scheme looks at coverages, and for how long after their end."""
    zh, en = [], []
    if scheme.areas is not None:
        zh.append(f"限地区 {'、'.join(scheme.areas)}")
        en.append(f"areas: {', '.join(scheme.areas)}")
    if scheme.grace_months:
        zh.append(f"渐退期 {scheme.grace_months} 个月内也没有")
        en.append(f"nor in the grace of {counted_months(scheme.grace_months)} after its end")
    return Saying(f"({';'.join(zh)})", f" ({'; '.join(en)})") if zh else Saying("", "")


def counted_months(months: int) -> str:
    """A number of months in English."""
    return "1 month" if months == 1 else f"{months} months"


def scope_words(scheme: Scheme) -> Saying:
    """Which treatments a scheme looks at: care types, levels of hospital, and diagnoses; or which other occasions."""
    if scheme.trigger == "aid":
        return Saying("民政部门决定的临时救助", "temporary aid that civil affairs decided")
    if scheme.trigger == "incident":
        if scheme.incident_kinds is None:
            return Saying("登记的各种事故", "recorded incidents of every kind")
        kinds = scheme.incident_kinds
        return Saying(f"登记为{'、'.join(kinds)}的事故", f"incidents recorded as {' or '.join(kinds)}")
    parts_zh, parts_en = [], []
    if scheme.care_types is not None:
        parts_zh.append("或".join(CARE_TYPES[care_type].zh for care_type in scheme.care_types))
        parts_en.append(" or ".join(f"{CARE_TYPES[care_type].en}s" for care_type in scheme.care_types))
    if scheme.facility_levels is not None:
        parts_zh.append("在" + "或".join(FACILITY_LEVELS[level].zh for level in scheme.facility_levels) + "看的病")
        levels = " or ".join(f"{FACILITY_LEVELS[level].en}s" for level in scheme.facility_levels)
        parts_en.append(f"treatment in {levels}")
    if scheme.diagnoses_any is not None:
        parts_zh.append(f"诊断编码以 {' 或 '.join(scheme.diagnoses_any)} 开头的病")
        parts_en.append(f"diagnoses whose code starts with {' or '.join(scheme.diagnoses_any)}")
    if not parts_zh:
        return Saying("各种看病", "treatment of every kind")
    return Saying(",并且是".join(parts_zh), ", and ".join(parts_en))
