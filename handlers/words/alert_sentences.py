"""What is said about alerts (提醒): what each code is about, and how an alert stands."""

from __future__ import annotations

import json
from typing import NamedTuple

from handlers.words import twice_sentences
from schemas.alert_records import AlertRow, AlertState
from schemas.bilingual import Saying
from schemas.money import parse_yuan
from schemas.outbound import AlertCode

TITLES = {
    AlertCode.AFTER_DEATH: Saying("死亡日期之后的理赔", "claim after death"),
    AlertCode.REPORT_CONTRADICTS: Saying("支付报告互相矛盾", "payout reports contradict"),
    AlertCode.REPORT_UNMATCHED: Saying("报告找不到支付指令", "report of an unknown payout"),
    AlertCode.ADVANCE_EXCEEDS_DUE: Saying("垫付多于应付", "advance exceeds what is due"),
    AlertCode.ADVANCE_UNKNOWN_SCHEME: Saying("垫付的保障层不存在", "advance for an unknown scheme"),
    AlertCode.MEMBERSHIPS_OVERLAP: Saying("同时登记在多户", "in several households at once"),
    AlertCode.GROUP_TOO_LARGE: Saying("户籍连成的人太多", "household group too large"),
    AlertCode.NO_POOL: Saying("没有资金池", "no pool"),
    AlertCode.POOL_OVERDRAWN: Saying("资金池透支", "pool overdrawn"),
    **twice_sentences.NAMES,
    AlertCode.DEATH_REPORTED: Saying("殡葬名单列有此人", "named by a funeral list"),
    AlertCode.SELF_PAY_HIGH: Saying("个人自负额较高", "high own payments"),
}
"""By code, in a few words."""
STATES = {
    AlertState.OPEN: Saying("待处理", "open"),
    AlertState.ACKNOWLEDGED: Saying("处理中", "being looked at"),
    AlertState.RESOLVED: Saying("已办结", "closed"),
    AlertState.WITHDRAWN: Saying("已撤回", "withdrawn"),
}
AFTER_DEATH = Saying(
    "入院日期晚于登记的死亡日期,未予支付。请核实身份是否被冒用或死亡登记是否有误。",
    "Admitted after the recorded day of death; nothing is paid. Check for a stolen identity or a wrong record.",
)
NOT_AFTER_DEATH = Saying(
    "提醒已撤回:按最新的登记和结算单,不再是死亡日期之后入院。",
    "Withdrawn: by the newest records and bills this is no admission after the day of death any more.",
)
HAPPENED_AFTER_DEATH = Saying(
    "日期晚于登记的死亡日期,未予支付。请核实身份是否被冒用或登记是否有误。",
    "Dated after the recorded day of death; nothing is paid. Check for a stolen identity or a wrong record.",
)
"""Of an incident or an aid."""
HAPPENED_BEFORE_DEATH = Saying(
    "提醒已撤回:按最新的登记,日期不再晚于死亡日期。",
    "Withdrawn: by the newest records the date is not after the day of death any more.",
)
REPORTS = {
    AlertCode.REPORT_CONTRADICTS: Saying(
        "这笔支付的报告互相矛盾。请与保险公司核实这笔钱是否到账,避免重复支付。",
        "The reports of this payout contradict each other, or what was ordered. Ask the insurer whether the money "
        "arrived, so that nothing is paid twice.",
    ),
    AlertCode.REPORT_UNMATCHED: Saying(
        "报告所指的支付指令不存在,或不属于报告中的人。报告已保存;请与保险公司核对支付编号和人员编号。",
        "The report names a payout that is not this person's. The report is kept; check payout_id and person_id "
        "with the insurer.",
    ),
}
"""By code."""
REPORT_MATCHED = Saying(
    "提醒已撤回:报告所指的支付指令已经下达。",
    "Withdrawn: the payout that the report names has been ordered now.",
)
_NOT_KEPT = Saying(
    "由旧版本提出,原文没有保存。请在理赔页面查看。",
    "Raised by an earlier release, whose words are not kept: see the claim's page.",
)


def title(row: AlertRow) -> Saying:
    """What an alert is about, in a few words."""
    return TITLES[AlertCode(row.code)]


def said(row: AlertRow) -> Saying:
    """What was told last about an alert: why it was raised, or why it was withdrawn."""
    if row.value is None:
        return _NOT_KEPT
    told = json.loads(row.value)
    return Saying(told["zh"], told["en"])


class ToldLine(NamedTuple):
    """A stay that adds ``amount`` fen to the sum for which somebody should look."""

    claim_id: str
    discharged_on: str
    amount: int


def told_lines(row: AlertRow) -> list[ToldLine]:
    """The stays that add up to the sum that an alert tells."""
    lines = [] if row.value is None else json.loads(row.value).get("lines", [])
    return [ToldLine(each["claim_id"], each["discharged_on"], parse_yuan(each["amount"])) for each in lines]


def told_scheme(row: AlertRow) -> str | None:
    """The scheme that an alert names."""
    scheme_id: str | None = None if row.value is None else json.loads(row.value).get("scheme_id")
    return scheme_id
