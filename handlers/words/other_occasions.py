"""What a status, or a scheme that pays nothing, means where no stay in hospital gave occasion to the claim."""

from __future__ import annotations

from schemas.bilingual import Saying
from schemas.decisions import Reason, Status
from schemas.ids import Trigger

_NO_NEED = Saying("您不用办手续。", "You need not do anything.")

STATUS: dict[tuple[Trigger, Status], Saying] = {
    ("incident", Status.VOIDED): Saying(
        "登记部门已经作废了这次事故的登记,所以没有补助,以前发过的要收回。如果作废有误,请到登记的窗口核对:"
        "重新登记后会自动重新计算。",
        "The record of this incident was voided, so nothing is paid, and what was paid is taken back. If that is a "
        "mistake, ask the office that recorded it: once it is recorded again, the claim is worked out again.",
    ),
    ("aid", Status.VOIDED): Saying(
        "这次临时救助的决定已经作废,所以不再给予,以前发过的要收回。如果作废有误,请到民政窗口核对。",
        "The decision on this aid was voided, so it is not given, and what was paid is taken back. If that is a "
        "mistake, ask the civil affairs office.",
    ),
    ("incident", Status.AFTER_DEATH): Saying(
        "登记的死亡日期在事故之前,所以没有补助。可能是登记错了,也可能是有人冒用身份:请家属带上证件,"
        "到村(居)委会或经办窗口核对,登记更正后会自动重新计算。",
        "The recorded day of death is before the incident, so nothing is paid. Either the record is wrong or someone "
        "used a stolen identity: the family should have it checked at the village or service office, with papers. "
        "After a correction the claim is worked out again automatically.",
    ),
    ("aid", Status.AFTER_DEATH): Saying(
        "登记的死亡日期在决定救助之前,所以没有发放。如果死亡登记有误,请家属带上证件到村(居)委会或经办窗口核对,"
        "登记更正后会自动重新计算。",
        "The recorded day of death is before the aid was decided, so nothing is paid. If that record is wrong, the "
        "family should have it checked at the village or service office, with papers. After a correction the claim is "
        "worked out again automatically.",
    ),
    ("incident", Status.NO_POLICY): Saying(
        "出事那天没有生效的补助方案,所以现在还不能计算。您不用再申请:方案公布后会自动计算。",
        "No assistance policy was in force on the day of the incident, so nothing can be worked out yet. You need not "
        "apply again: it is worked out automatically once a policy for that day is published.",
    ),
    ("aid", Status.NO_POLICY): Saying(
        "决定救助那天没有生效的方案,所以现在还不能发放。您不用再申请:方案公布后会自动计算。",
        "No assistance policy was in force on the day on which the aid was decided, so nothing can be paid yet. You "
        "need not apply again: it is worked out automatically once a policy for that day is published.",
    ),
    ("incident", Status.NOT_COVERED): Saying(
        "没有查到您在出事那天参保:方案里的各项,都没有您当天的参加记录,或者登记的地区、类别不在名单里。"
        "所以现在没有补助。如果您参加了,请到村(居)委会或民政窗口补登记:登记一到,即使过了几年,也会自动重新计算。",
        "No record shows that you were covered on the day of the incident: for none of the policy's schemes is there "
        "a coverage of that day whose area and category are on its list. So nothing is paid now. If you did belong, "
        "have it recorded at the village or civil affairs office: once the record arrives, even years later, the claim "
        "is worked out again automatically.",
    ),
    ("incident", Status.ADJUDICATED): Saying(
        "这次事故的补助已经核定。", "The assistance for this incident has been decided."
    ),
    ("aid", Status.ADJUDICATED): Saying("这次临时救助已经核定。", "This temporary aid has been decided."),
}
"""What a status means, and what to do next. Such a claim is never incomplete, and aid needs no coverage."""

NOTHING_TO_PAY: dict[Trigger, Saying] = {
    "incident": Saying(
        "这次事故的补助已经核定:没有可补的金额,每一项的原因写在下面。",
        "The assistance for this incident has been decided: there is nothing to pay, for the reason given below for "
        "each scheme.",
    ),
    "aid": Saying(
        "这次临时救助已经核定:没有可发的金额,每一项的原因写在下面。",
        "This temporary aid has been decided: there is nothing to pay, for the reason given below for each scheme.",
    ),
}

REASONS: dict[Reason, tuple[Saying, Saying]] = {
    Reason.NOT_IN_SCOPE: (Saying("这一项不补这种情况", "This scheme does not pay for this"), _NO_NEED),
    Reason.NO_COVERAGE: (
        Saying(
            "没有查到您在出事那天参加这一项的记录",
            "No record shows that you belonged to it on the day of the incident",
        ),
        Saying(
            "如果您参加了,请到村(居)委会或民政窗口核对起止日期,补登记后会自动重新计算。",
            "If you did, have the dates checked at the village or civil affairs office; a late record still counts.",
        ),
    ),
    Reason.WAITING_PERIOD: (
        Saying("出事的时候,您参加这一项的时间还不够长", "When it happened you had not belonged to it long enough"),
        Saying("如果登记的开始日期有误,请到村(居)委会更正。", "If the recorded first day is wrong, have it corrected."),
    ),
    Reason.UNDER_THRESHOLD: (
        Saying("核定的损失没有超过起付线", "The verified loss is not over the threshold"),
        Saying("核定的结果如有误,请到登记的窗口更正。", "If what was verified is wrong, have it corrected there."),
    ),
    Reason.NOTHING_DUE: (
        Saying("按这一项的标准,算出来是 0 元", "By the rules of this scheme the benefit is 0 yuan"),
        Saying("核定的结果如有误,请到登记的窗口更正。", "If what was verified is wrong, have it corrected there."),
    ),
    Reason.BELOW_FLOOR: (
        Saying("算出来的补助太少,按规定不发", "The benefit is so small that it is not paid"),
        _NO_NEED,
    ),
}
"""Of a scheme for other occasions: why it pays nothing, and what to do next, where that differs from schemes for stays.
"""
