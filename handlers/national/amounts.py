"""One national settlement's amounts as claims.md names them, under a mapping, to the fen.

The balance is total_charge = what others paid + copay + out_of_catalogue. 个人账户 (``acct_pay``) is the patient's
own money: it lies inside copay and out_of_catalogue and is never counted as paid by others.
"""

from __future__ import annotations

from typing import get_args

from handlers.national.settlement_values import FieldTrouble, NationalRecord, amount
from handlers.words.field_hints import imbalance
from schemas.bilingual import Saying
from schemas.national.mapping import Detail, NationalMapping
from schemas.national.national_refusal import NationalRefusal
from schemas.refusals import RefusalCode, hinted

DETAILS: tuple[Detail, ...] = get_args(Detail)
PATIENTS_OWN = ("acct_pay", "acct_mulaid_pay", "psn_cash_pay")


def converted(record: NationalRecord, mapping: NationalMapping) -> dict[str, int] | NationalRefusal:
    """The seven amounts of a settlement in fen. Raises FieldTrouble for a value that cannot be read."""
    funds = {name: amount(record, name) or 0 for name in mapping.all_funds if name in record}
    own = {name: amount(record, name) for name in PATIENTS_OWN}
    details: dict[str, int] = {name: _detail(record, name, mapping) for name in DETAILS}
    total = _needed(record, "medfee_sumamt")
    in_copay, in_own = _contains(mapping)
    base = "psn_selfpay" if mapping.burden == "psn_selfpay" else "psn_part_amt"
    copay_base = _needed(record, base)
    own_base = _needed(record, "psn_ownpay") if mapping.burden == "psn_selfpay" else 0

    given: dict[str, int] = {**funds, **details, "medfee_sumamt": total, base: copay_base, "psn_ownpay": own_base}
    given |= {name: value or 0 for name, value in own.items()}
    negative = tuple(name for name, value in given.items() if value < 0)
    if negative:
        return _refused(
            RefusalCode.NEGATIVE_AMOUNT,
            negative,
            "金额不能为负;退费记录的全部金额应为负,并注明 init_setl_id",
            "An amount is negative; in a refund all amounts are, and it names init_setl_id",
        )
    inside = copay_base - sum(details[name] for name in in_copay)
    outside = own_base - sum(details[name] for name in in_own)
    for rest, field, contained in ((inside, base, in_copay), (outside, "psn_ownpay", in_own)):
        if rest < 0:
            return _refused(
                RefusalCode.AMOUNTS_DO_NOT_BALANCE,
                (field, *contained),
                f"{field} 小于对照表说它已包含的 {'、'.join(contained)}",
                f"{field} is less than what the mapping says it contains: {', '.join(contained)}",
                _imbalance(field, contained, rest + sum(details[name] for name in contained), -rest),
            )
    sides = {"copay": inside, "out_of_catalogue": outside}
    for detail, value in details.items():
        sides[getattr(mapping.counts_as, detail)] += value
    paid = dict.fromkeys(("basic_insurance_paid", "serious_illness_paid"), 0)
    paid |= {"medical_assistance_paid": 0, "other_fund_paid": 0}
    for fund, value in funds.items():
        paid[mapping.all_funds[fund]] += value
    amounts = {"total_charge": total, **paid, **sides}
    return _unbalanced(record, mapping, amounts, funds, own) or amounts


def taken_off(record: NationalRecord, mapping: NationalMapping) -> dict[str, int]:
    """What the hospital took off the bill for each scheme (fen), where it is not zero: no cash, and no fund's money."""
    found = {scheme_id: amount(record, name) or 0 for name, scheme_id in mapping.advances.items()}
    return {scheme_id: fen for scheme_id, fen in found.items() if fen}


def _contains(mapping: NationalMapping) -> tuple[tuple[Detail, ...], tuple[Detail, ...]]:
    """The details contained in the copay's field, and in ``psn_ownpay``."""
    if mapping.burden == "psn_part_amt":
        return DETAILS, ()
    return mapping.psn_selfpay_contains, mapping.psn_ownpay_contains


def _detail(record: NationalRecord, name: Detail, mapping: NationalMapping) -> int:
    """A detail; a missing one is zero only where it stays in the field into which the hospital put it."""
    in_copay, in_own = _contains(mapping)
    stays = (name in in_copay, name in in_own) == (
        getattr(mapping.counts_as, name) == "copay",
        getattr(mapping.counts_as, name) == "out_of_catalogue",
    )
    return amount(record, name) or 0 if stays else _needed(record, name)


def _needed(record: NationalRecord, name: str) -> int:
    value = amount(record, name)
    if value is None:
        raise FieldTrouble(name, Saying("缺失,请补上;没有就写 0", "is missing: add it, with 0 where there is none"))
    return value


def _unbalanced(
    record: NationalRecord,
    mapping: NationalMapping,
    amounts: dict[str, int],
    funds: dict[str, int],
    own: dict[str, int | None],
) -> NationalRefusal | None:
    """The first equation that does not hold, with the fields on both sides."""
    burden = amounts["copay"] + amounts["out_of_catalogue"]
    patient = ("psn_part_amt",) if mapping.burden == "psn_part_amt" else ("psn_selfpay", "psn_ownpay")
    difference = amounts["total_charge"] - sum(value for name, value in amounts.items() if name != "total_charge")
    inside = {name for names in _contains(mapping) for name in names}
    fields = ("medfee_sumamt", *funds, *patient, *(name for name in DETAILS if name in record and name not in inside))
    if difference:
        account = own["acct_pay"]
        hint_zh = "。差额正好是 acct_pay:个人账户是本人的钱,应计入个人自付或自费" if difference == account else ""
        hint_en = (
            ". The difference is acct_pay: the personal account is the patient's own money and belongs in them"
            if difference == account
            else ""
        )
        return _refused(
            RefusalCode.AMOUNTS_DO_NOT_BALANCE,
            fields,
            f"medfee_sumamt 不等于各基金支付与个人负担之和({' + '.join(fields[1:])},按对照表 {mapping.id}){hint_zh}",
            f"medfee_sumamt is not what the funds and the patient paid ({' + '.join(fields[1:])}, under the mapping "
            f"{mapping.id}){hint_en}",
            _imbalance(fields[0], fields[1:], amounts["total_charge"], -difference),
        )
    checks: list[tuple[str, int, tuple[str, ...]]] = [
        ("fund_pay_sumamt", sum(value for name, value in funds.items() if name != "hosp_part_amt"), tuple(funds)),
        ("psn_part_amt", burden, patient),
    ]
    for name, expected, others in checks:
        value = amount(record, name)
        if value is not None and value != expected:
            return _sums(name, others, value, expected)
    if own["psn_cash_pay"] is not None:
        beside = mapping.acct_mulaid_pay == "beside_acct_pay"
        paid = own["psn_cash_pay"] + (own["acct_pay"] or 0) + ((own["acct_mulaid_pay"] or 0) if beside else 0)
        off = sum(taken_off(record, mapping).values())
        if paid + off != burden:
            names = (*(PATIENTS_OWN if beside else ("acct_pay", "psn_cash_pay")), *mapping.advances)
            return _sums(" + ".join(names), patient, paid + off, burden)
    return None


def _sums(name: str, others: tuple[str, ...], value: int, expected: int) -> NationalRefusal:
    listed = " + ".join(others)
    return _refused(
        RefusalCode.AMOUNTS_DO_NOT_BALANCE,
        (*name.split(" + "), *others),
        f"{name} 与 {listed} 对不上",
        f"{name} does not agree with {listed}",
        _imbalance(name, others, value, expected - value),
    )


def _imbalance(name: str, others: tuple[str, ...], value: int, missing: int) -> Saying:
    """Both sums and the difference (fen)."""
    listed = " + ".join(others)
    return imbalance(value, value + missing, Saying(name, f"{name} is"), Saying(f"{listed} 合计", f"{listed} is"))


def _refused(
    code: RefusalCode, fields: tuple[str, ...], zh: str, en: str, hint: Saying | None = None
) -> NationalRefusal:
    whole = Saying(f"{zh}。请核对到分后重新发送。", f"{en}. Reconcile to the fen and send it again.")
    said = hinted(whole, hint, ())
    return NationalRefusal(code=code, fields=fields, zh=said.zh, en=said.en)
