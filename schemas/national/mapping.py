"""How one facility's national settlement list (国家医保信息平台) becomes events: a small, dated, immutable mapping.

Hospital systems disagree on whether 先行自付 and 超限价 are 自付 or 自费, and on whether ``psn_selfpay`` already
contains them, so this is data and not code. A mapping is identified by the SHA-256 of its canonical form with all
defaults written out: comments and order do not matter, and everything that can change an amount does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from schemas.canonical import canonical_json, sha256_hex
from schemas.facts import CareType, FacilityLevel, Identifier
from schemas.policy.policy_values import PolicyDate

Detail = Literal["fulamt_ownpay_amt", "preselfpay_amt", "overlmt_selfpay"]
"""全自费金额, 先行自付金额, 超限价自费费用: what the patient pays before insurance shares the rest."""

Side = Literal["copay", "out_of_catalogue"]
PaidBy = Literal["basic_insurance_paid", "serious_illness_paid", "medical_assistance_paid", "other_fund_paid"]

FUNDS: dict[str, PaidBy] = {
    "hifp_pay": "basic_insurance_paid",  # 基本医疗保险统筹基金支出
    "hifmi_pay": "serious_illness_paid",  # 居民大病保险资金支出
    "hifob_pay": "serious_illness_paid",  # 职工大额医疗费用补助基金支出
    "maf_pay": "medical_assistance_paid",  # 医疗救助基金支出
    "cvlserv_pay": "other_fund_paid",  # 公务员医疗补助资金支出
    "hifes_pay": "other_fund_paid",  # 企业补充医疗保险基金支出
    "hifdm_pay": "other_fund_paid",  # 伤残人员医疗保障基金支出
    "oth_pay": "other_fund_paid",  # 其他支出
    "othfund_pay": "other_fund_paid",  # 其他基金支付
    "hosp_part_amt": "other_fund_paid",  # 医院负担金额: no fund, but not the patient either
}
"""Who paid, by field. Field names as public programs of the interface use them; 个人账户 (acct_pay) is not a fund."""

PATIENTS_FIELDS = frozenset(
    (
        *("medfee_sumamt", "fund_pay_sumamt", "psn_part_amt", "psn_selfpay", "psn_ownpay"),
        *("acct_pay", "acct_mulaid_pay", "psn_cash_pay"),
        *("fulamt_ownpay_amt", "preselfpay_amt", "overlmt_selfpay"),
    )
)
"""Amounts of the list that no fund paid: totals, the patient's burden and the patient's own money."""

# From memory, not verified against the code tables in force: docs/national-list.md says so. A code that is not listed
# is refused, never guessed.
HOSP_LV: dict[str, FacilityLevel] = {
    **dict.fromkeys(("1", "2", "3", "4"), FacilityLevel.CITY),  # 三级
    **dict.fromkeys(("5", "6", "7"), FacilityLevel.COUNTY),  # 二级
    **dict.fromkeys(("8", "9", "10", "11"), FacilityLevel.TOWN),  # 一级, 未定级
}
MED_TYPE: dict[str, CareType] = {
    **dict.fromkeys(("21", "22", "23", "24", "28", "52"), CareType.INPATIENT),  # 住院
    "14": CareType.OUTPATIENT_SPECIAL,  # 门诊慢特病
}


def plain_code(code: str) -> str:
    """A code without leading zeros, as a spreadsheet leaves it: ``"02"`` and ``2`` are one code."""
    return code.lstrip("0") or "0"


def _plain_codes(value: object) -> object:
    return {plain_code(str(key)): entry for key, entry in value.items()} if isinstance(value, dict) else value


class CountsAs(BaseModel):
    """On which side of the patient's burden each detail is counted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preselfpay_amt: Side
    overlmt_selfpay: Side
    fulamt_ownpay_amt: Side = "out_of_catalogue"


class NationalMapping(BaseModel):
    """One release for one facility, in force on the days of ``[effective_from, effective_to)``, by ``setl_time``.

    ``psn_selfpay_contains`` and ``psn_ownpay_contains`` say which details the hospital has already added into those
    two fields. With ``burden = "psn_part_amt"`` the list has no such fields, and the details are taken out of
    ``psn_part_amt``, which contains them all. ``advances`` gives the scheme of each field that holds what the hospital
    took off for it, out of the patient's burden.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identifier
    title: str = ""
    status: Literal["sample", "confirmed"]
    source: Annotated[str, Field(validate_default=True)] = ""
    facility_id: Identifier
    facility_level: FacilityLevel | None = None
    effective_from: PolicyDate
    effective_to: PolicyDate | None = None
    burden: Literal["psn_selfpay", "psn_part_amt"] = "psn_selfpay"
    psn_selfpay_contains: tuple[Detail, ...] = ()
    psn_ownpay_contains: tuple[Detail, ...] = ()
    counts_as: CountsAs
    acct_mulaid_pay: Literal["within_acct_pay", "beside_acct_pay"] = "within_acct_pay"
    funds: dict[str, PaidBy] = Field(default_factory=dict)
    advances: dict[str, Identifier] = Field(default_factory=dict)
    hosp_lv: Annotated[dict[str, FacilityLevel], BeforeValidator(_plain_codes)] = Field(default_factory=dict)
    med_type: Annotated[dict[str, CareType], BeforeValidator(_plain_codes)] = Field(default_factory=dict)

    @field_validator("source")
    @classmethod
    def _named_when_confirmed(cls, source: str, others: ValidationInfo) -> str:
        if others.data.get("status") == "confirmed" and not source.strip():
            raise PydanticCustomError(
                "source", 'is missing: a confirmed mapping says who confirmed it; add it, or write status = "sample"'
            )
        return source

    @field_validator("effective_to")
    @classmethod
    def _after_start(cls, end: date | None, others: ValidationInfo) -> date | None:
        start = others.data.get("effective_from")
        if end is not None and start is not None and end <= start:
            raise PydanticCustomError(
                "dates", "is not after effective_from: write the first day on which the mapping no longer applies"
            )
        return end

    @field_validator("funds")
    @classmethod
    def _no_money_of_the_patient(cls, funds: dict[str, PaidBy]) -> dict[str, PaidBy]:
        for name in ("acct_pay", "acct_mulaid_pay", "psn_cash_pay"):
            if name in funds:
                raise PydanticCustomError(
                    "funds", "{name} is the patient's own money, not a fund: delete it", {"at": (name,), "name": name}
                )
        return funds

    @field_validator("advances")
    @classmethod
    def _taken_off_once(cls, advances: dict[str, str], others: ValidationInfo) -> dict[str, str]:
        funds = {**FUNDS, **others.data.get("funds", {})}
        for name, scheme_id in advances.items():
            if name in funds or name in PATIENTS_FIELDS:
                raise PydanticCustomError(
                    "advances",
                    "{name} is read as something else already: name the field that holds only what was taken off",
                    {"at": (name,), "name": name},
                )
            if list(advances.values()).count(scheme_id) > 1:
                raise PydanticCustomError(
                    "advances",
                    "{scheme} has two fields: name the one that holds what was taken off for it",
                    {"at": (name,), "scheme": scheme_id},
                )
        return advances

    @property
    def all_funds(self) -> dict[str, PaidBy]:
        """Every field of a payer other than the patient."""
        return {**FUNDS, **self.funds}

    def level_of(self, code: str) -> FacilityLevel | None:
        """The level of a ``hosp_lv`` code; the facility's own level, where it is given, wins."""
        return self.facility_level or {**HOSP_LV, **self.hosp_lv}.get(plain_code(code))

    def care_type_of(self, code: str) -> CareType | None:
        return {**MED_TYPE, **self.med_type}.get(plain_code(code))

    def in_force_on(self, day: date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) of the canonical form, with defaults. Title and source do not count: they change no event."""
        document = self.model_dump(mode="json", exclude={"title", "source"})
        if not self.advances:  # releases before knew none, and keep their hashes
            del document["advances"]
        document |= {"funds": self.all_funds, "hosp_lv": {**HOSP_LV, **self.hosp_lv}}
        return sha256_hex(canonical_json({**document, "med_type": {**MED_TYPE, **self.med_type}}))


@dataclass(frozen=True, slots=True)
class NationalMappings:
    """The mappings in use together. Two of one facility never share a day (`schemas.national.mapping_file`)."""

    releases: Sequence[NationalMapping]

    def facilities(self) -> list[str]:
        return sorted({mapping.facility_id for mapping in self.releases})

    def find(self, facility_id: str, day: date) -> NationalMapping | None:
        """The mapping of a facility that is in force on a day."""
        releases = (m for m in self.releases if m.facility_id == facility_id and m.in_force_on(day))
        return next(releases, None)
