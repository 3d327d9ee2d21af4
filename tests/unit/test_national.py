"""National settlement lists become events of claims.md: which amounts on which side, and what is refused and why."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.read import read
from handlers.national.convert import Answer, Converted, convert, parse
from handlers.national.settlement_batch import convert_all
from handlers.words.national_sentences import origin_sentence
from schemas.facts import SettlementPosted
from schemas.national.national_refusal import NationalRefusal
from tests.support.builders import reading, unhurried
from tests.support.languages import difference
from tests.support.national_lists import AMOUNTS, NOW, listed, mappings, reversal

Json = dict[str, Any]
SPLIT = 'psn_selfpay_contains = ["preselfpay_amt"]\npsn_ownpay_contains = ["fulamt_ownpay_amt", "overlmt_selfpay"]'


def events(answer: Answer) -> list[Json]:
    assert isinstance(answer, Converted), answer
    return list(answer.events)


def refused(answer: Answer) -> tuple[str, str]:
    """The code and the first field."""
    assert isinstance(answer, NationalRefusal), answer
    assert "" == difference(answer.zh, answer.en), answer
    if answer.code == "AMOUNTS_DO_NOT_BALANCE":
        assert re.search(r"前者(多|少) [0-9]+\.[0-9]{2} 元\]$", answer.zh), answer
    return str(answer.code), answer.fields[0]


def test_a_settlement_becomes_a_discharge_and_a_bill() -> None:
    """Every field of the two events has its source in the list or in the mapping."""
    discharge, bill = events(convert(listed(invono="F9"), mappings(), NOW))
    assert {
        "event_type": "encounter.discharged",
        "encounter_id": "E1",
        "person_id": "P1",
        "facility_id": "H32020600001",
        "facility_level": "county",
        "care_type": "inpatient",
        "admitted_on": "2024-03-01",
        "discharged_on": "2024-03-10",
        "diagnoses": ["I10"],
    }.items() <= discharge.items()
    assert {
        "event_type": "settlement.posted",
        "settlement_id": "S1",
        "encounter_id": "E1",
        "person_id": "P1",
        "settled_at": "2024-03-10T15:00:00+08:00",
        "final": True,
        "currency": "CNY",
        "total_charge": "10000.00",
        "basic_insurance_paid": "5000.00",
        "serious_illness_paid": "500.50",
        "medical_assistance_paid": "99.50",
        "other_fund_paid": "0.00",
        "copay": "3300.00",
        "out_of_catalogue": "1100.00",
        "invoice_no": "F9",
    }.items() <= bill.items()


@pytest.mark.parametrize(
    ("contains", "preselfpay", "overlmt", "selfpay", "ownpay", "sides"),
    [
        (SPLIT, "copay", "out_of_catalogue", "3300.00", "1100.00", ("3300.00", "1100.00")),
        (SPLIT, "out_of_catalogue", "out_of_catalogue", "3300.00", "1100.00", ("3000.00", "1400.00")),
        (SPLIT, "copay", "copay", "3300.00", "1100.00", ("3400.00", "1000.00")),
        (SPLIT, "out_of_catalogue", "copay", "3300.00", "1100.00", ("3100.00", "1300.00")),
        # the fields hold only what is left beside the details
        ("", "copay", "out_of_catalogue", "3000.00", "0.00", ("3300.00", "1100.00")),
        # psn_selfpay is the whole burden, psn_ownpay a part of it once more
        (
            'psn_selfpay_contains = ["preselfpay_amt", "overlmt_selfpay", "fulamt_ownpay_amt"]\n'
            'psn_ownpay_contains = ["fulamt_ownpay_amt"]',
            "copay",
            "out_of_catalogue",
            "4400.00",
            "1000.00",
            ("3300.00", "1100.00"),
        ),
    ],
)
def test_the_mapping_says_what_counts_where(
    contains: str, preselfpay: str, overlmt: str, selfpay: str, ownpay: str, sides: tuple[str, str]
) -> None:
    """One bill of 4,400.00, in the ways in which hospitals split it, on the sides that the mapping names."""
    known = mappings(
        (SPLIT, contains),
        ('preselfpay_amt = "copay"', f'preselfpay_amt = "{preselfpay}"'),
        ('overlmt_selfpay = "out_of_catalogue"', f'overlmt_selfpay = "{overlmt}"'),
    )
    _, bill = events(convert(listed(psn_selfpay=selfpay, psn_ownpay=ownpay), known, NOW))
    assert sides == (bill["copay"], bill["out_of_catalogue"])


def test_the_platforms_own_answer_has_only_the_sum() -> None:
    """With burden = psn_part_amt the details are taken out of the patient's whole part."""
    known = mappings((SPLIT, 'burden = "psn_part_amt"'))
    record = listed(psn_part_amt="4400.00")
    del record["psn_selfpay"], record["psn_ownpay"]
    _, bill = events(convert(record, known, NOW))
    assert (bill["copay"], bill["out_of_catalogue"]) == ("3300.00", "1100.00")


@pytest.mark.parametrize(
    ("fields", "code", "first"),
    [
        ({"medfee_sumamt": "10000.01"}, "AMOUNTS_DO_NOT_BALANCE", "medfee_sumamt"),
        ({"psn_selfpay": "1900.00"}, "AMOUNTS_DO_NOT_BALANCE", "medfee_sumamt"),
        ({"acct_pay": "1400.01"}, "AMOUNTS_DO_NOT_BALANCE", "acct_pay"),
        ({"fund_pay_sumamt": "5000.00"}, "AMOUNTS_DO_NOT_BALANCE", "fund_pay_sumamt"),
        ({"psn_part_amt": "4400.01"}, "AMOUNTS_DO_NOT_BALANCE", "psn_part_amt"),
        ({"preselfpay_amt": "3300.01"}, "AMOUNTS_DO_NOT_BALANCE", "psn_selfpay"),
        ({"maf_pay": "-99.50"}, "NEGATIVE_AMOUNT", "maf_pay"),
        ({"hifp_pay": "5,000.00"}, "FIELD_INVALID", "hifp_pay"),
        ({"hifp_pay": 5000.005}, "FIELD_INVALID", "hifp_pay"),
        ({"hifp_pay": True}, "FIELD_INVALID", "hifp_pay"),
        ({"medfee_sumamt": ""}, "FIELD_INVALID", "medfee_sumamt"),
        ({"psn_no": 3.2e17}, "FIELD_INVALID", "psn_no"),
        ({"psn_no": "\ud800"}, "FIELD_INVALID", "psn_no"),
        ({"setl_id": None}, "FIELD_INVALID", "setl_id"),
        ({"setl_time": "2024-03-10"}, "FIELD_INVALID", "setl_time"),
        ({"setl_time": "2024-02-30 10:00:00"}, "FIELD_INVALID", "setl_time"),
        ({"enddate": "10.03.2024"}, "FIELD_INVALID", "enddate"),
        ({"enddata": "2024-03-11"}, "FIELD_INVALID", "enddate"),
        ({"refd_setl_flag": "2"}, "FIELD_INVALID", "refd_setl_flag"),
        ({"version": "0"}, "FIELD_INVALID", "version"),
        ({"med_type": "11"}, "UNKNOWN_CODE", "med_type"),
        ({"med_type": ""}, "UNKNOWN_CODE", "med_type"),
        ({"fixmedins_code": "H1"}, "NO_MAPPING", "fixmedins_code"),
        ({"setl_time": "2019-12-31 23:59:59"}, "NO_MAPPING", "fixmedins_code"),
        ({"enddate": "2024-02-29"}, "DATES_OUT_OF_ORDER", "begndate"),
        ({"setl_time": "2025-01-02 12:00:00"}, "FUTURE_DATED", "setl_time"),
        ({"updt_time": "2025-01-02 12:00:00"}, "FUTURE_DATED", "updt_time"),
        ({"refd_setl_flag": "1", "setl_time": "2025-01-02 12:00:00"}, "FUTURE_DATED", "setl_time"),
        ({"setl_id": "x" * 201}, "SCHEMA_INVALID", "setl_id"),
    ],
)
def test_what_is_wrong_is_named(fields: Json, code: str, first: str) -> None:
    """A refusal has a code and names the field of the list to look at first."""
    assert (code, first) == refused(convert(listed(**fields), mappings(), NOW))


@pytest.mark.parametrize(
    ("fields", "zh", "en"),
    [
        (
            {"medfee_sumamt": "10000.01"},
            "othfund_pay + psn_selfpay + psn_ownpay 合计 10000.00 元,前者多 0.01 元]",
            "10000.00 yuan: 0.01 yuan too much]",
        ),
        ({"psn_part_amt": "4399.99"}, "前者少 0.01 元]", "0.01 yuan too little]"),
        ({"preselfpay_amt": "3300.01"}, "[psn_selfpay 3300.00 元,preselfpay_amt", "too little]"),
    ],
)
def test_sums_that_differ_are_named_to_the_fen(fields: Json, zh: str, en: str) -> None:
    """Both sums, and by how much the first is too large or too small."""
    answer = convert(listed(**fields), mappings(), NOW)
    assert isinstance(answer, NationalRefusal)
    assert zh in answer.zh
    assert en in answer.en


def test_an_account_that_was_left_out_is_recognised() -> None:
    """Where exactly acct_pay is missing from the burden, the message says whose money it is."""
    answer = convert(listed(psn_selfpay="1900.00"), mappings(), NOW)
    assert isinstance(answer, NationalRefusal)
    assert "acct_pay" in answer.en
    assert "本人的钱" in answer.zh


@pytest.mark.parametrize("value", ["5000", "5000.0", 5000, 5000.0, 4999.999999999999545])
def test_an_amount_may_be_text_number_or_cell(value: object) -> None:
    """All spellings of one amount are one amount; the noise of a formula below the 15th digit is none."""
    _, bill = events(convert(listed(hifp_pay=value), mappings(), NOW))
    assert bill["basic_insurance_paid"] == "5000.00"


@given(st.integers(0, 10**12))
def test_every_fen_survives_a_spreadsheets_float(fen: int) -> None:
    """An amount that a workbook holds as a float comes out to the fen."""
    record: Json = dict.fromkeys(AMOUNTS, "0") | {"medfee_sumamt": fen / 100, "hifp_pay": fen / 100}
    _, bill = events(convert(listed(**record), mappings(), NOW))
    assert bill["basic_insurance_paid"] == f"{fen // 100}.{fen % 100:02d}"


def test_hospital_levels_come_from_the_code_where_the_mapping_names_no_level() -> None:
    """Leading zeros do not matter; a code that is not listed is refused, and the mapping can list it."""
    known = mappings(('facility_level = "county"\n', ""))
    levels = [events(convert(listed(hosp_lv=code), known, NOW))[0]["facility_level"] for code in ("02", 5, 11.0)]
    assert levels == ["city", "county", "town"]
    assert refused(convert(listed(hosp_lv="77"), known, NOW)) == ("UNKNOWN_CODE", "hosp_lv")
    own = mappings(
        ('facility_level = "county"\n', ""),
        ("[mapping.counts_as]", '[mapping.hosp_lv]\n"077" = "town"\n[mapping.counts_as]'),
    )
    assert events(convert(listed(hosp_lv="77"), own, NOW))[0]["facility_level"] == "town"


def test_the_release_is_chosen_by_the_settlements_day() -> None:
    """Half-open: the first release applies until the midnight, Shanghai time, at which the second starts."""
    early = mappings(("effective_from = 2020-01-01", "effective_from = 2020-01-01\neffective_to = 2024-03-10"))
    late = mappings(("2020-01-01", "2024-03-10"), ("sample-hospital-2020", "sample-hospital-2024"))
    known = type(early)((*early.releases, *late.releases))
    used = [
        events(convert(listed(setl_time=time), known, NOW))[1]["national"]["mapping_id"]
        for time in ("2024-03-09 23:59:59", "2024-03-10 00:00:00", "2024-03-09T16:00:00Z")
    ]
    assert used == ["sample-hospital-2020", "sample-hospital-2024", "sample-hospital-2024"]


def test_sending_again_tells_the_same() -> None:
    """But for occurred_at the events are equal, ids included, so that the second sending is a duplicate."""
    first, later = (
        events(convert(listed(), mappings(), NOW)),
        events(convert(listed(), mappings(), NOW + timedelta(days=9))),
    )
    assert first != later
    assert [reading(e).content_sha256 for e in first] == [reading(e).content_sha256 for e in later]
    assert [e["event_id"] for e in first] == [e["event_id"] for e in later]


def test_later_beats_earlier() -> None:
    """A corrected record with a later updt_time, a new settlement of the stay, and a refund have higher versions."""
    records = [
        listed(),
        listed(updt_time="2024-03-10 16:00:00"),
        listed("S2", setl_time="2024-03-12 10:00:00"),
    ]
    versions = [[event["version"] for event in events(convert(record, mappings(), NOW))] for record in records]
    assert versions == sorted(versions)
    assert len({version for pair in versions for version in pair}) == 3
    assert versions[0] == [202403101500000] * 2
    (void,) = events(convert(listed(refd_setl_flag="1"), mappings(), NOW))
    assert void["version"] == 202403101500001


def test_a_senders_own_version_is_taken() -> None:
    """A hospital that numbers its corrections is believed."""
    assert [e["version"] for e in events(convert(listed(version="7"), mappings(), NOW))] == [7, 7]


@pytest.mark.parametrize(
    ("record", "voided"),
    [(reversal(), "S1"), (listed("S1", refd_setl_flag="1"), "S1"), (listed("S1", refd_setl_flag="001"), "S1")],
    ids=["a negative record that names the original", "the original, flagged", "a flag of three digits"],
)
def test_a_refund_voids_the_original(record: Json, voided: str) -> None:
    """The original is the one in init_setl_id, else the flagged record itself; its encounter and person are kept."""
    (void,) = events(convert(record, mappings(), NOW))
    assert ("settlement.voided", voided, "E1", "P1") == (
        void["event_type"],
        void["settlement_id"],
        void["encounter_id"],
        void["person_id"],
    )
    assert void["version"] > events(convert(listed(), mappings(), NOW))[1]["version"]


def test_a_negative_record_needs_its_original() -> None:
    """Without init_setl_id it must stand in one batch with the settlement of the same setl_id and total."""
    alone = reversal("S1", original=None)
    assert refused(convert(alone, mappings(), NOW)) == ("REFUND_UNMATCHED", "init_setl_id")
    _, second = convert_all([listed(), alone], mappings(), NOW)
    assert events(second)[0]["settlement_id"] == "S1"
    _, part = convert_all([listed(), reversal(medfee_sumamt="-9000.00")], mappings(), NOW)
    assert refused(part) == ("REFUND_UNMATCHED", "medfee_sumamt")


def test_an_interim_settlement_is_not_final_and_ends_no_stay() -> None:
    """mid_setl_flag = 1: a bill with final false, and no discharge."""
    (bill,) = events(convert(listed(mid_setl_flag="1"), mappings(), NOW))
    assert (bill["event_type"], bill["final"]) == ("settlement.posted", False)


def test_of_two_contradicting_records_the_first_is_taken() -> None:
    """Repetition within a batch is harmless; other content under the same id and time is refused."""
    other = listed(psn_selfpay="3200.00", preselfpay_amt="300.00", hifp_pay="5100.00", psn_cash_pay="2900.00")
    one, same, contrary = convert_all([listed(), listed(), other], mappings(), NOW)
    assert events(one) == events(same)
    assert refused(contrary) == ("VERSION_CONFLICT", "setl_id")


def test_the_event_says_how_it_was_made() -> None:
    """The mapping's id and hash and what counted where are in the event, and become a sentence in both languages."""
    known = mappings()
    _, event = events(convert(listed(), known, NOW))
    fact = reading(event).fact
    assert isinstance(fact, SettlementPosted)
    assert fact.national is not None
    assert (fact.national.mapping_id, fact.national.mapping_sha256) == (known.releases[0].id, known.releases[0].sha256)
    said = origin_sentence("S1", fact.national)
    assert "先行自付 300.00 元计入个人自付" in said.zh
    assert "超限价 100.00 元计入个人自费" in said.zh
    assert "300.00 yuan, counts as the copay" in said.en
    assert "个人账户支付的 1,400.00 元是本人的钱" in said.zh


def test_a_field_called_national_of_somebody_else_is_left_alone() -> None:
    """Unknown content under that name neither refuses the event nor is explained."""
    _, event = events(convert(listed(), mappings(), NOW))
    fact = reading({**event, "national": "yes"}).fact
    assert isinstance(fact, SettlementPosted)
    assert fact.national is None


def test_json_comes_alone_in_lists_and_as_the_platform_answers() -> None:
    """Numbers keep their literal, so that no amount passes through a float."""
    record = listed()
    wrapped = {"infcode": "0", "output": {"setlinfo": record, "setldetail": []}}
    shapes = [record, [record], wrapped, {"setlinfo": record}]
    assert all(parse(json.dumps(shape).encode()) == [record] for shape in shapes)
    (literal,) = [parse(b'{"hifp_pay": 0.10000000000000001}')]
    assert isinstance(literal, list)
    assert refused(convert({**record, **literal[0]}, mappings(), NOW)) == ("FIELD_INVALID", "hifp_pay")
    assert all(isinstance(parse(body), NationalRefusal) for body in (b"\xff", b"{", b"1", b"[1]", b'"a"'))


CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.datetimes(),
    st.dates(),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(["-0.01", "1e5", "2024-03-10", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "１２"]),
)


@unhurried
@given(
    st.dictionaries(
        st.sampled_from([*listed(), "init_setl_id", "updt_time", "version", "mid_setl_flag"]), CELLS, max_size=4
    )
)
def test_any_record_is_taken_or_refused(changes: Json) -> None:
    """Whatever stands in a cell, the answer is a value, and every event is one that the worker will accept."""
    answer = convert(listed(**changes), mappings(), NOW)
    for event in answer.events if isinstance(answer, Converted) else ():
        assert not hasattr(read(json.dumps(event).encode()), "code")


@unhurried
@given(
    st.lists(st.integers(0, 10**9), min_size=9, max_size=9),
    st.sampled_from(["copay", "out_of_catalogue"]),
    st.sampled_from(["copay", "out_of_catalogue"]),
    st.sets(st.sampled_from(["preselfpay_amt", "overlmt_selfpay", "fulamt_ownpay_amt"])),
    st.sets(st.sampled_from(["preselfpay_amt", "overlmt_selfpay", "fulamt_ownpay_amt"])),
)
def test_every_mapping_balances_to_the_fen(
    parts: list[int], preselfpay: str, overlmt: str, in_selfpay: set[str], in_ownpay: set[str]
) -> None:
    """A hospital's bill, split as its mapping says, comes out on the named sides, derived here the other way round."""
    inside, outside, pre, over, full, basic, serious, assistance, other = parts
    details = {"preselfpay_amt": pre, "overlmt_selfpay": over, "fulamt_ownpay_amt": full}
    selfpay = inside + sum(details[name] for name in in_selfpay)
    ownpay = outside + sum(details[name] for name in in_ownpay)
    known = mappings(
        (SPLIT, f"psn_selfpay_contains = {sorted(in_selfpay)}\npsn_ownpay_contains = {sorted(in_ownpay)}"),
        ('preselfpay_amt = "copay"', f'preselfpay_amt = "{preselfpay}"'),
        ('overlmt_selfpay = "out_of_catalogue"', f'overlmt_selfpay = "{overlmt}"'),
    )
    burden = inside + outside + pre + over + full
    fen = {
        **details,
        "psn_selfpay": selfpay,
        "psn_ownpay": ownpay,
        "hifp_pay": basic,
        "hifob_pay": serious,
        "maf_pay": assistance,
        "othfund_pay": other,
        "hifmi_pay": 0,
        "medfee_sumamt": burden + basic + serious + assistance + other,
        "acct_pay": burden // 3,
        "psn_cash_pay": burden - burden // 3,
    }
    record = listed(**{name: f"{value // 100}.{value % 100:02d}" for name, value in fen.items()})
    _, bill = events(convert(record, known, NOW))
    copay = inside + (pre if preselfpay == "copay" else 0) + (over if overlmt == "copay" else 0)
    assert (bill["copay"], bill["out_of_catalogue"]) == tuple(
        f"{value // 100}.{value % 100:02d}" for value in (copay, burden - copay)
    )


def test_occurred_at_is_the_moment_of_sending() -> None:
    """It is the caller's, as a pure function has no clock."""
    sent = datetime(2024, 6, 1, tzinfo=UTC)
    assert {e["occurred_at"] for e in events(convert(listed(), mappings(), sent))} == {"2024-06-01T08:00:00+08:00"}


_FIELDS = 'mutual_aid_amt = "village_mutual_aid"\naid_amt = "self_pay_assistance"\n'
ADVANCED = ("[mapping.counts_as]", f"[mapping.advances]\n{_FIELDS}\n[mapping.counts_as]")


def test_what_the_hospital_took_off_is_an_advance() -> None:
    """Field by field for its scheme, where it is not zero; it is no cash, and the rest of the burden is."""
    taken: Json = {"mutual_aid_amt": "100.00", "aid_amt": 0}
    burden = events(convert(listed(), mappings(ADVANCED), NOW))[1]
    cash = f"{Decimal(burden['copay']) + Decimal(burden['out_of_catalogue']) - 100}"
    _, bill = events(convert(listed(**taken, psn_cash_pay=cash, acct_pay=0), mappings(ADVANCED), NOW))
    assert bill["advances"] == [{"scheme_id": "village_mutual_aid", "amount": "100.00"}]
    assert "advances" not in burden
    record = listed(mutual_aid_amt="100.01", psn_cash_pay=cash, acct_pay=0)
    assert refused(convert(record, mappings(ADVANCED), NOW))[0] == "AMOUNTS_DO_NOT_BALANCE"
    record = listed(mutual_aid_amt="999999.00", psn_cash_pay=None, acct_pay=None)
    assert refused(convert(record, mappings(ADVANCED), NOW))[0] == "ADVANCES_EXCEED_BURDEN"
