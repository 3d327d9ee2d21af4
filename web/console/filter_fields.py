"""The filter of a list or an export, as a form or an address has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from acts.published_policies import published_policies
from infra.ledger.payout_list import ListedState, PayeeKind
from infra.ledger.row_filter import Filter
from schemas.bilingual import Saying
from schemas.decisions import Status
from schemas.money import parse_yuan
from schemas.outbound import InstructionKind
from schemas.policy.model import Scheme
from schemas.refusals import RefusalCode
from web.console.visit import PageRefused, Visit

KINDS = {
    "claims": Saying("理赔", "Claims"),
    "payouts": Saying("支付", "Payouts"),
    "open": Saying("未结清的支付和收回", "Open payouts"),
    "refused": Saying("拒收事件", "Refused events"),
}
STATUSES: dict[str, type[StrEnum]] = {
    "claims": Status,
    "payouts": ListedState,
    "open": InstructionKind,
    "refused": RefusalCode,
}
"""What the rows of each kind can be filtered by."""

_AMOUNT = Saying("金额", "amount")
_ONLY_LISTED = {
    "tier": Saying("档次", "tier"),
    "facility": Saying("医院", "facility"),
    "area": Saying("地区", "area"),
    "low": _AMOUNT,
    "high": _AMOUNT,
    "kind": Saying("支付或收回", "kind"),
    "payer": Saying("付款方", "payer"),
    "payee": Saying("收款方", "payee"),
}
"""What only lists can be filtered by."""

_LISTED = {
    "claims": {"tier", "facility", "area", "low", "high"},
    "payouts": {"tier", "low", "high", "kind", "payer", "payee"},
}
"""By which of these the list of each kind can be filtered; the other kinds have none."""


def read_filter(visit: Visit, given: Mapping[str, str], what: str) -> Filter:
    """The filter that a form or an address gives. Raises PageRefused for one that no row of this kind could match."""
    fields = {name: given.get(name, "").strip() for name in Filter._fields}
    since, until = _day(fields["since"]), _day(fields["until"])
    if since is not None and until is not None and until <= since:
        raise PageRefused(422, "结束日期须晚于开始日期(结束当天不含)。", "The end must be after the first day.")
    if fields["status"] and fields["status"] not in list(STATUSES[what]):
        raise PageRefused(
            422, f"{KINDS[what].zh}没有这种状态或代码。", f"{KINDS[what].en} never have this status or code."
        )
    if fields["scheme"] and what == "refused":
        raise PageRefused(422, "拒收事件不按保障层区分。", "Refused events belong to no scheme.")
    if fields["scheme"] and fields["scheme"] not in scheme_titles(visit):
        raise PageRefused(422, "没有这个保障层。", "There is no such scheme.")
    low, high = _amount(fields["low"]), _amount(fields["high"])
    if low is not None and high is not None and high < low:
        raise PageRefused(422, "最高金额不能小于最低金额。", "The highest amount is below the lowest.")
    if fields["tier"] and not fields["scheme"]:
        raise PageRefused(422, "选择档次前请先选择保障层。", "Choose the scheme of the tier.")
    places = (fields["scheme"], fields["tier"], fields["facility"], fields["area"])
    for name, title in _ONLY_LISTED.items():
        if fields[name] and name not in _LISTED.get(what, ()):
            raise PageRefused(
                422,
                f"{KINDS[what].zh}不能按{title.zh}筛选。",
                f"{KINDS[what].en} cannot be filtered by {title.en}.",
            )
    for name, known in (("kind", InstructionKind), ("payee", PayeeKind)):
        if fields[name] and fields[name] not in list(known):
            raise PageRefused(422, "没有这种条件。", "There is no such filter.")
    return Filter(since, until, fields["status"], *places, low, high, fields["kind"], fields["payer"], fields["payee"])


def scheme_titles(visit: Visit) -> dict[str, str]:
    """The schemes of all published policies, in order of their ids, each with its title in the newest of them."""
    titles = {scheme.id: scheme.title or scheme.id for scheme in _schemes(visit)}
    return dict(sorted(titles.items()))


def tier_names(visit: Visit) -> list[str]:
    """The tiers of all published policies."""
    return sorted({tier.name for scheme in _schemes(visit) for tier in scheme.tiers})


def address(path: str, chosen: Filter, **more: str) -> str:
    """The address of a list under a filter."""
    fields = chosen.words() | more
    return f"{path}?{urlencode(fields)}" if fields else path


def _schemes(visit: Visit) -> list[Scheme]:
    with visit.engine.connect() as connection:
        policies = published_policies(connection)
    return [scheme for policy in policies.releases for scheme in policy.schemes]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise PageRefused(422, "日期格式应为 2027-01-31。", "Write dates as 2027-01-31.") from None


def _amount(text: str) -> int | None:
    """An amount of yuan in fen; separators of thousands may be there."""
    try:
        return parse_yuan(text.replace(",", "")) if text else None
    except ValueError:
        raise PageRefused(422, "金额格式应为 1234.56。", "Write amounts as 1234.56.") from None
