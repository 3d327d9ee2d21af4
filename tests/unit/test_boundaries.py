"""Edges: one fen beside a limit, the first and the last day, the hour around midnight, and every way to be corrected.

Each expected amount is worked out by hand from claims.md.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from handlers.claims.account import Account
from handlers.claims.adjudicate import adjudicate
from schemas.ids import ClaimId, PersonId
from schemas.money import Fen, WireYuan
from schemas.policy.policy_file import PolicyError, parse_policy
from tests.properties.strategies import (
    Body,
    Ledger,
    bill_of,
    coverage_from,
    decide,
    discharge_of,
    policy,
    results,
    scheme,
    stay_of,
    void_of,
    yuan,
)
from tests.support.builders import coverage_void, death, policies, reading


def decided(text: str, *facts: Body, claim: str = "E1") -> tuple[str, str, str | None]:
    """What the one scheme of a policy measured, pays and says for a claim."""
    (result,) = results(decide(text, *facts)[claim])
    return result


# Amounts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "rate", "threshold", "copay", "expected"),
    [
        ("2000.00", "1", None, "1999.99", ("0.00", "NOTHING_DUE")),
        ("2000.00", "1", None, "2000.00", ("0.00", "NOTHING_DUE")),
        ("2000.00", "1", None, "2000.01", ("0.01", None)),
        ("2000.00", "0.30", None, "2000.01", ("0.00", "NOTHING_DUE")),  # 0.003
        ("2000.00", "0.30", None, "2000.02", ("0.01", None)),  # 0.006
        ("0.00", "0.30", "2000.00", "1999.99", ("0.00", "UNDER_THRESHOLD")),
        ("0.00", "0.30", "2000.00", "2000.00", ("0.00", "UNDER_THRESHOLD")),
        ("0.00", "0.30", "2000.00", "2000.01", ("600.00", None)),  # 600.003
        ("0.00", "1", "2000.00", "2000.01", ("2000.01", None)),
        ("2000.00", "0.30", "2000.00", "2000.00", ("0.00", "UNDER_THRESHOLD")),
        ("2000.00", "0.30", "2000.00", "2000.01", ("0.00", "NOTHING_DUE")),
        ("2000.00", "0.30", "2000.00", "3000.00", ("300.00", None)),
        ("0.00", "1", "0.00", "0.00", ("0.00", "UNDER_THRESHOLD")),
        ("0.00", "1", "0.00", "0.01", ("0.01", None)),
    ],
)
def test_two_thousand_in_both_readings(
    over: str, rate: str, threshold: str | None, copay: str, expected: tuple[str, str | None]
) -> None:
    """A deductible pays on what is over 2,000.00, a franchise on all once it is strictly over."""
    limit: dict[str, Any] = {} if threshold is None else {"threshold": threshold}
    text = policy(scheme(brackets={over: rate}, basis="copay", **limit))
    assert (copay, *expected) == decided(text, coverage_from(), *stay_of("E1", "2020-01-01", copay))


@pytest.mark.parametrize(
    ("copay", "expected"),
    [
        ("999.99", "500.00"),  # 499.995
        ("1000.00", "500.00"),
        ("1000.01", "500.01"),  # 500.006
        ("2999.99", "1699.99"),  # 500 + 1,199.994
        ("3000.00", "1700.00"),
        ("3000.01", "1700.01"),  # 1,700.008
        ("4999.99", "1700.01"),  # 1,700.008 again: from 3,000.01 to 5,000.00 nothing counts
        ("5000.00", "1700.01"),
        ("5000.01", "1700.02"),  # 1,700.018
    ],
)
def test_each_slice_counts_at_the_rate_of_its_bracket(copay: str, expected: str) -> None:
    """One fen below, on and above each edge; a bracket of rate 0 stops the count and a later one takes it up."""
    rates = {"0.00": "0.5", "1000.00": "0.6", "3000.00": "0.8", "3000.01": "0", "5000.00": "1"}
    assert (copay, expected, None) == decided(
        policy(scheme(brackets=rates)), coverage_from(), *stay_of("E1", "2020-01-01", copay)
    )


@pytest.mark.parametrize(
    ("copay", "rate", "expected"),
    [
        ("0.01", "1", "0.01"),
        ("0.01", "0.5", "0.01"),
        ("0.01", "0.4999", "0.00"),
        ("0.03", "0.5", "0.02"),
        ("0.05", "0.3", "0.02"),
        ("0.33", "0.5", "0.17"),
        ("1.00", "0.125", "0.13"),
        ("1.00", "0.12499", "0.12"),
        ("1.00", "0.1250000000000000000000000000000000000001", "0.13"),
        ("1.00", "0.1249999999999999999999999999999999999999", "0.12"),
        ("99999999.99", "1", "99999999.99"),
        ("99999999.99", "0.5", "50000000.00"),
        ("99999999.99", "0.8", "79999999.99"),
        ("99999999.99", "0.00000000005", "0.00"),  # 0.0049999999995 yuan: a little less than half a fen
        ("99999999.99", "0.000000000050000000006", "0.01"),  # 0.0050000000001
    ],
)
def test_half_a_fen_rounds_up(copay: str, rate: str, expected: str) -> None:
    """Half-up to the fen, from one fen to 99,999,999.99, however many digits the rate has."""
    text = policy(scheme(brackets={"0.00": rate}))
    assert expected == decided(text, coverage_from(), *stay_of("E1", "2020-01-01", copay))[1]


def test_a_year_rounds_its_sum_and_not_each_bill() -> None:
    """Four bills of one fen at one half pay 1, 0, 1, 0 fen."""
    text = policy(scheme(brackets={"0.00": "0.5"}, accumulates="person_year"))
    facts = [body for number in range(4) for body in stay_of(f"E{number}", "2020-01-01", "0.01")]
    decisions = decide(text, coverage_from(), *facts)
    expected = [("0.01", "0.01", None), ("0.01", "0.00", "NOTHING_DUE")] * 2
    assert expected == [results(decisions[f"E{number}"])[0] for number in range(4)]


@pytest.mark.parametrize(
    ("limits", "copay", "expected"),
    [
        ({"cap_per_stay": "100.00"}, "99.99", ("99.99", None)),
        ({"cap_per_stay": "100.00"}, "100.00", ("100.00", None)),
        ({"cap_per_stay": "100.00"}, "100.01", ("100.00", None)),
        ({"cap_per_stay": "0.00"}, "100.00", ("0.00", "CAP_REACHED")),
        ({"cap_per_year": "100.00"}, "100.01", ("100.00", None)),
        ({"cap_per_year": "0.00"}, "100.00", ("0.00", "CAP_REACHED")),
        ({"cap_per_stay": "50.00", "cap_per_year": "40.00"}, "100.00", ("40.00", None)),
        ({"cap_per_stay": "40.00", "cap_per_year": "50.00"}, "100.00", ("40.00", None)),
        ({"floor_per_stay": "100.00"}, "99.99", ("0.00", "BELOW_FLOOR")),
        ({"floor_per_stay": "100.00"}, "100.00", ("100.00", None)),
        ({"floor_per_stay": "100.00", "cap_per_stay": "99.99"}, "200.00", ("0.00", "BELOW_FLOOR")),
        ({"floor_per_stay": "25.00", "cap_per_year": "20.00"}, "90.00", ("0.00", "BELOW_FLOOR")),
        ({"floor_per_stay": "0.00"}, "0.01", ("0.01", None)),
        ({}, "0.00", ("0.00", "NOTHING_DUE")),
    ],
)
def test_caps_and_floors(limits: dict[str, Any], copay: str, expected: tuple[str, str | None]) -> None:
    """A cap cuts what is over it, a floor drops what is under it, and one fen decides."""
    assert (copay, *expected) == decided(policy(scheme(**limits)), coverage_from(), *stay_of("E1", "2020-01-01", copay))


def test_what_a_year_has_left_goes_to_its_claims_in_canonical_order() -> None:
    """By day of discharge, then by code point of the encounter: E10 comes before E9."""
    text = policy(scheme(cap_per_year="100.00"))
    facts = [
        *stay_of("A", "2020-05-02", "90.00"),
        *stay_of("E9", "2020-05-01", "80.00"),
        *stay_of("E10", "2020-05-01", "30.00"),
    ]
    decisions = decide(text, coverage_from(), *facts)
    assert ("30.00", "30.00", None) == results(decisions["E10"])[0]
    assert ("80.00", "70.00", None) == results(decisions["E9"])[0]
    assert ("90.00", "0.00", "CAP_REACHED") == results(decisions["A"])[0]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"basis": "copay"}, {"basis": "copay"}, [("60.00", None), ("0.00", "NOTHING_LEFT")]),
        ({"basis": "copay"}, {"basis": "personal_burden"}, [("60.00", None), ("40.00", None)]),
        ({"basis": "personal_burden"}, {"basis": "copay"}, [("100.00", None), ("0.00", "NOTHING_LEFT")]),
        (
            {"basis": "personal_burden", "cap_per_stay": "70.00"},
            {"basis": "out_of_catalogue"},
            [("70.00", None), ("30.00", None)],
        ),
        (
            {"basis": "personal_burden", "cap_per_stay": "50.00"},
            {"basis": "copay", "measured_on": "remaining"},
            [("50.00", None), ("10.00", None)],
        ),
        ({"basis": "out_of_catalogue"}, {"basis": "personal_burden"}, [("40.00", None), ("60.00", None)]),
        (
            {"basis": "copay"},
            {"basis": "copay", "measured_on": "remaining"},
            [("60.00", None), ("0.00", "NOTHING_DUE")],
        ),
    ],
)
def test_layers_share_what_there_is(
    first: dict[str, Any], second: dict[str, Any], expected: list[tuple[str, str | None]]
) -> None:
    """A copay of 60.00 and 40.00 outside the catalogue: payments on the burden use up the copay first."""
    text = policy(scheme("first", **first), scheme("second", **second))
    decision = decide(text, coverage_from(), *stay_of("E1", "2020-01-01", "60.00", "40.00"))["E1"]
    assert expected == [(benefit, reason) for _, benefit, reason in results(decision)]


# Days ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year_starts", "first_day", "second_day", "one_year"),
    [
        ("01-01", "2020-01-01", "2020-12-31", True),
        ("01-01", "2020-12-31", "2021-01-01", False),
        ("07-01", "2020-06-30", "2020-07-01", False),
        ("07-01", "2020-07-01", "2021-06-30", True),
        ("07-01", "2020-12-31", "2021-01-01", True),
        ("02-28", "2020-02-27", "2020-02-28", False),
        ("02-28", "2020-02-28", "2020-02-29", True),
        ("02-28", "2020-02-29", "2021-02-27", True),
        ("02-28", "2020-02-29", "2021-02-28", False),
        ("03-01", "2020-02-29", "2020-03-01", False),
        ("03-01", "2019-03-01", "2020-02-29", True),
        ("03-01", "2021-02-28", "2021-03-01", False),
        ("12-31", "2020-12-30", "2020-12-31", False),
        ("12-31", "2020-12-31", "2021-12-30", True),
    ],
)
def test_the_policy_year_starts_on_its_day(year_starts: str, first_day: str, second_day: str, one_year: bool) -> None:
    """A second bill of 80.00 is over a yearly deductible of 100.00 only in the same policy year."""
    text = policy(scheme(brackets={"100.00": "1"}, accumulates="person_year"), year_starts=year_starts)
    facts = [*stay_of("E1", first_day, "80.00"), *stay_of("E2", second_day, "80.00")]
    expected = ("80.00", "60.00", None) if one_year else ("80.00", "0.00", "NOTHING_DUE")
    assert expected == decided(text, coverage_from(), *facts, claim="E2")


@pytest.mark.parametrize("year_starts", ["02-29", "13-01", "00-10", "06-31", "1-1"])
def test_a_policy_year_starts_on_a_day_that_every_year_has(year_starts: str) -> None:
    """29 February starts no year, nor does a day that is in no calendar."""
    with pytest.raises(PolicyError, match="not a day of every year"):
        parse_policy(policy(scheme(), year_starts=year_starts))


@pytest.mark.parametrize(
    ("discharged_on", "days", "settled_at", "late"),
    [
        ("2020-12-31", 0, "2020-12-31T23:59:59.999999+08:00", False),
        ("2020-12-31", 0, "2021-01-01T00:00:00+08:00", True),
        ("2020-12-31", 0, "2020-12-31T15:59:59.999999Z", False),
        ("2020-12-31", 0, "2020-12-31T16:00:00Z", True),
        ("2020-12-31", 0, "2021-01-01T00:59:59+09:00", False),
        ("2020-12-31", 0, "2020-12-31T11:00:00-05:00", True),
        ("2021-01-01", 0, "2020-12-31T16:00:00Z", False),
        ("2020-12-31", 1, "2021-01-01T15:59:59Z", False),
        ("2020-12-31", 1, "2021-01-01T16:00:00Z", True),
        ("2020-12-31", 0, "2020-12-01T08:00:00+08:00", False),
        ("2020-02-28", 2, "2020-03-01T08:00:00+08:00", False),
        ("2020-02-28", 2, "2020-03-02T08:00:00+08:00", True),
        ("2019-02-28", 2, "2019-03-02T08:00:00+08:00", False),
        ("2020-02-29", 365, "2021-02-28T08:00:00+08:00", False),
        ("2020-02-29", 365, "2021-03-01T08:00:00+08:00", True),
    ],
)
def test_a_bill_is_filed_on_its_day_in_shanghai(discharged_on: str, days: int, settled_at: str, late: bool) -> None:
    """Days count from the discharge to the date in Shanghai, whatever the offset in which it was written."""
    text = policy(scheme(file_within_days=days))
    facts = [discharge_of("E1", discharged_on), bill_of("E1", "5.00", settled_at=settled_at)]
    expected = ("0.00", "0.00", "FILED_LATE") if late else ("5.00", "5.00", None)
    assert expected == decided(text, coverage_from(), *facts)


@pytest.mark.parametrize(
    ("other", "late"),
    [
        (bill_of("E1", "0.00", settlement_id="S2", settled_at="2020-05-01T08:00:00+08:00"), False),
        (bill_of("E1", "0.00", settlement_id="S2", settled_at="2020-05-01T08:00:00+08:00", final=False), True),
        (bill_of("E1", "0.00", settlement_id="S2", settled_at="2020-05-09T08:00:00+08:00"), True),
        (void_of("E1", 1, settlement_id="S2"), True),
    ],
)
def test_the_first_live_final_bill_files_a_claim(other: Body, late: bool) -> None:
    """Beside a late final bill only another final one, in time and not voided, files the claim in time."""
    text = policy(scheme(file_within_days=3))
    own = bill_of("E1", "5.00", settled_at="2020-05-08T08:00:00+08:00")
    expected = ("0.00", "0.00", "FILED_LATE") if late else ("5.00", "5.00", None)
    for facts in ([own, other], [other, own]):
        assert expected == decided(text, coverage_from(), discharge_of("E1", "2020-05-01"), *facts)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "covered"),
    [
        ("2020-05-10", None, True),
        ("2020-05-11", None, False),
        ("2020-05-05", None, True),
        ("2000-01-01", "2020-05-10", False),
        ("2000-01-01", "2020-05-11", True),
        ("2000-01-01", "2020-05-05", False),
        ("2020-05-10", "2020-05-11", True),
    ],
)
def test_coverage_counts_on_the_day_of_discharge(valid_from: str, valid_to: str | None, covered: bool) -> None:
    """From 1 to 10 May: it may start during the stay or on its last day, and must not have ended on it."""
    ends = {} if valid_to is None else {"valid_to": valid_to}
    facts = [discharge_of("E1", "2020-05-10", "2020-05-01"), bill_of("E1", "5.00")]
    decision = decide(policy(scheme()), coverage_from(valid_from, **ends), *facts)["E1"]
    assert ("adjudicated" if covered else "not_covered") == decision["status"]
    assert [("5.00", "5.00", None) if covered else ("0.00", "0.00", "NO_COVERAGE")] == results(decision)


@pytest.mark.parametrize(
    ("waiting_days", "valid_from", "admitted_on", "expected"),
    [
        (None, "2020-05-05", "2020-05-01", None),
        (0, "2020-05-05", "2020-05-04", "WAITING_PERIOD"),
        (0, "2020-05-05", "2020-05-05", None),
        (1, "2020-05-05", "2020-05-05", "WAITING_PERIOD"),
        (1, "2020-05-05", "2020-05-06", None),
        (30, "2020-05-05", "2020-06-03", "WAITING_PERIOD"),
        (30, "2020-05-05", "2020-06-04", None),
        (2, "2020-02-28", "2020-02-29", "WAITING_PERIOD"),
        (2, "2020-02-28", "2020-03-01", None),
        (2, "2019-02-28", "2019-03-01", "WAITING_PERIOD"),
    ],
)
def test_waiting_days_count_from_valid_from_to_admission(
    waiting_days: int | None, valid_from: str, admitted_on: str, expected: str | None
) -> None:
    """Absent, a coverage may be younger than the stay; 0 wants it on admission; n wants it n days before."""
    limit: dict[str, Any] = {} if waiting_days is None else {"waiting_days": waiting_days}
    facts = [discharge_of("E1", "2020-06-30", admitted_on), bill_of("E1", "5.00")]
    _, _, reason = decided(policy(scheme(**limit)), coverage_from(valid_from), *facts)
    assert expected == reason


@pytest.mark.parametrize(
    ("died_on", "status", "payee"),
    [
        ("2020-04-30", "after_death", None),
        ("2020-05-01", "adjudicated", "estate"),
        ("2020-05-05", "adjudicated", "estate"),
        ("2020-05-10", "adjudicated", "estate"),
        ("2020-06-01", "adjudicated", "estate"),
        (None, "adjudicated", "person"),
    ],
)
def test_a_death_before_admission_ends_the_claim(died_on: str | None, status: str, payee: str | None) -> None:
    """Admitted on 1 May: a death the day before pays nothing and raises an alert; a later one pays the estate."""
    ledger = Ledger(policy(scheme()))
    deaths = [] if died_on is None else [death(died_on)]
    given = ledger.take(*deaths, coverage_from(), discharge_of("E1", "2020-05-10", "2020-05-01"), bill_of("E1", "5.00"))
    assert status == ledger.decisions()["E1"]["status"]
    assert ([] if payee is None else [payee]) == [json.loads(row.value)["payee"] for row in given]
    assert (status == "after_death") == any(row.topic == "alerts" for row in ledger.sent)


# Who is covered -----------------------------------------------------------------------------------------------------

TIERS = {"ordinary": {"0.00": "0.6"}, "member": {"0.00": "0.9"}}


@pytest.mark.parametrize(
    ("coverages", "limits", "expected"),
    [
        (["member"], {}, ("member", "9.00", None)),
        (["ordinary"], {}, ("ordinary", "6.00", None)),
        (["member", "ordinary"], {}, ("ordinary", "6.00", None)),
        (["ordinary", "member"], {}, ("ordinary", "6.00", None)),
        (["unheard_of", "member"], {}, ("member", "9.00", None)),
        (["unheard_of"], {}, (None, "0.00", "NO_TIER")),
        (["member", {"category": "ordinary", "valid_to": "2020-05-10"}], {}, ("member", "9.00", None)),
        (["member", {"category": "ordinary", "programme": "other"}], {}, ("member", "9.00", None)),
        ([{"category": "member", "programme": "other"}], {}, (None, "0.00", "NO_COVERAGE")),
        (
            ["member", {"category": "ordinary", "valid_from": "2020-05-01"}],
            {"waiting_days": 30},
            ("member", "9.00", None),
        ),
        (
            [{"category": "member", "valid_from": "2020-05-01"}, {"category": "member", "valid_to": "2020-05-01"}],
            {"waiting_days": 30},
            (None, "0.00", "WAITING_PERIOD"),
        ),
        ([{"category": "member", "area": "A1"}], {"areas": ["A1", "A2"]}, ("member", "9.00", None)),
        ([{"category": "member", "area": "A10"}], {"areas": ["A1"]}, (None, "0.00", "NO_COVERAGE")),
        (["member"], {"areas": ["A1"]}, (None, "0.00", "NO_COVERAGE")),
        (
            [{"category": "ordinary", "area": "A2"}, {"category": "member", "area": "A1"}],
            {"areas": ["A1"]},
            ("member", "9.00", None),
        ),
    ],
)
def test_the_first_tier_that_lists_a_category_applies(
    coverages: list[str | dict[str, str]], limits: dict[str, Any], expected: tuple[str | None, str, str | None]
) -> None:
    """Of all coverages that hold, belong and are old enough, the policy's first tier with one of their categories."""
    facts = []
    for number, each in enumerate(coverages):
        fields: dict[str, Any] = {"category": each} if isinstance(each, str) else dict(each)
        facts.append(coverage_from(**fields, coverage_id=f"C{number}"))
    decision = decide(policy(scheme(tiers=TIERS, **limits)), *facts, *stay_of("E1", "2020-05-10", "10.00"))["E1"]
    (benefit,) = decision["benefits"]
    assert expected == (benefit["tier"], benefit["benefit"], benefit.get("reason"))
    assert ("not_covered" if expected[2] in ("NO_TIER", "NO_COVERAGE") else "adjudicated") == decision["status"]


@pytest.mark.parametrize(
    ("coverage", "limits", "status", "reason"),
    [
        ({}, {"care_types": ["outpatient_special"]}, "adjudicated", "NOT_IN_SCOPE"),
        ({}, {"facility_levels": ["city"]}, "adjudicated", "NOT_IN_SCOPE"),
        ({}, {"diagnoses_any": ["C"]}, "adjudicated", "NOT_IN_SCOPE"),
        ({"valid_from": "2020-05-10"}, {"waiting_days": 1}, "adjudicated", "WAITING_PERIOD"),
        ({"valid_from": "2020-05-11"}, {"waiting_days": 1}, "not_covered", "NO_COVERAGE"),
        ({"valid_to": "2020-05-10"}, {"care_types": ["outpatient_special"]}, "not_covered", "NOT_IN_SCOPE"),
        ({"category": "guest"}, {"care_types": ["outpatient_special"]}, "not_covered", "NOT_IN_SCOPE"),
        ({"category": "guest", "valid_from": "2020-05-10"}, {"waiting_days": 1}, "not_covered", "WAITING_PERIOD"),
        ({"programme": "other"}, {"care_types": ["outpatient_special"]}, "not_covered", "NOT_IN_SCOPE"),
        ({"area": "A2"}, {"areas": ["A1"], "diagnoses_any": ["C"]}, "not_covered", "NOT_IN_SCOPE"),
        ({"area": "A1"}, {"areas": ["A1"], "diagnoses_any": ["C"]}, "adjudicated", "NOT_IN_SCOPE"),
    ],
)
def test_only_who_belongs_to_no_scheme_is_not_covered(
    coverage: dict[str, Any], limits: dict[str, Any], status: str, reason: str
) -> None:
    """The stay's scope and the waiting time are reasons to pay nothing; the person is covered all the same."""
    decision = decide(policy(scheme(**limits)), coverage_from(**coverage), *stay_of("E1", "2020-05-10", "10.00"))["E1"]
    assert (status, [("0.00", "0.00", reason)]) == (decision["status"], results(decision))


def test_a_category_of_one_scheme_and_the_programme_of_another_cover_nobody() -> None:
    """Programme, area and category are sought in one scheme, and one that pays nothing is enough."""
    other = scheme("b", programme="other", tiers={"member": {"0.00": "1"}})
    guests = scheme("a", tiers={"guest": {"0.00": "1"}})
    stay = stay_of("E1", "2020-05-10", "10.00")
    assert "not_covered" == decide(policy(guests, other), coverage_from(), *stay)["E1"]["status"]
    outside = scheme("b", care_types=["outpatient_special"])
    assert "adjudicated" == decide(policy(guests, outside), coverage_from(), *stay)["E1"]["status"]


@pytest.mark.parametrize(
    ("limits", "stayed", "in_scope"),
    [
        ({"care_types": ["inpatient"]}, {"care_type": "inpatient"}, True),
        ({"care_types": ["inpatient"]}, {"care_type": "outpatient_special"}, False),
        ({"care_types": ["outpatient_special", "inpatient"]}, {"care_type": "inpatient"}, True),
        ({"facility_levels": ["city", "town"]}, {"facility_level": "town"}, True),
        ({"facility_levels": ["city", "town"]}, {"facility_level": "county"}, False),
        ({"diagnoses_any": ["I10"]}, {"diagnoses": ["Z00", "I10.x05"]}, True),
        ({"diagnoses_any": ["C", "I10.x05"]}, {"diagnoses": ["I10.x05"]}, True),
        ({"diagnoses_any": ["I10.x05"]}, {"diagnoses": ["I10"]}, False),
        ({"diagnoses_any": ["10"]}, {"diagnoses": ["I10"]}, False),
        ({"diagnoses_any": ["I10"]}, {"diagnoses": []}, False),
        ({}, {"diagnoses": [], "care_type": "outpatient_special"}, True),
        ({"care_types": ["inpatient"], "facility_levels": ["city"]}, {"facility_level": "town"}, False),
        ({"facility_levels": ["town"], "diagnoses_any": ["C"]}, {"facility_level": "town"}, False),
    ],
)
def test_scope_is_care_type_level_and_diagnosis(limits: dict[str, Any], stayed: Body, in_scope: bool) -> None:
    """Every filter that is set must hold; a diagnosis by its prefix. Scope is asked before coverage."""
    facts = [discharge_of("E1", "2020-05-10", **stayed), bill_of("E1", "5.00")]
    text = policy(scheme(**limits))
    assert (None if in_scope else "NOT_IN_SCOPE") == decided(text, coverage_from(), *facts)[2]
    assert ("NO_COVERAGE" if in_scope else "NOT_IN_SCOPE") == decided(text, *facts)[2]


# Releases -----------------------------------------------------------------------------------------------------------


def releases(first: str, second: str) -> list[str]:
    """Two policies that meet on 1 July 2020."""
    return [policy(first, end="2020-07-01", name="first"), policy(second, start="2020-07-01", name="second")]


def test_running_sums_and_yearly_caps_follow_the_scheme_id() -> None:
    """After 80.00 under the first release, the second one's brackets and cap go on from there."""
    first = scheme(brackets={"50.00": "0.5"}, accumulates="person_year")
    second = scheme(brackets={"60.00": "1"}, accumulates="person_year", cap_per_year="60.00")
    facts = [
        *stay_of("E1", "2020-06-30", "80.00"),
        *stay_of("E2", "2020-07-01", "70.00"),
        *stay_of("E3", "2020-07-02", "1.00"),
    ]
    decisions = decide(releases(first, second), coverage_from(), *facts)
    assert [("80.00", "15.00", None)] == results(decisions["E1"])
    assert [("70.00", "45.00", None)] == results(decisions["E2"])  # 90 - 20 is due, 60 - 15 is left
    assert [("1.00", "0.00", "CAP_REACHED")] == results(decisions["E3"])
    assert ["first", "second", "second"] == [decisions[name]["policy_id"] for name in ("E1", "E2", "E3")]


def test_a_scheme_with_another_id_starts_anew() -> None:
    """The deductible that was used up under one id is asked again under the other."""
    first, second = (scheme(name, brackets={"50.00": "1"}, accumulates="person_year") for name in ("old", "new"))
    facts = [*stay_of("E1", "2020-06-30", "80.00"), *stay_of("E2", "2020-07-01", "70.00")]
    assert [("70.00", "20.00", None)] == results(decide(releases(first, second), coverage_from(), *facts)["E2"])


@pytest.mark.parametrize(
    ("cap", "expected"),
    [
        ("150.00", ("70.00", "70.00", None)),
        ("149.99", ("70.00", "69.99", None)),
        ("80.01", ("70.00", "0.01", None)),
        ("80.00", ("70.00", "0.00", "CAP_REACHED")),
        ("60.00", ("70.00", "0.00", "CAP_REACHED")),
    ],
)
def test_a_cap_changed_in_the_middle_of_a_year(cap: str, expected: tuple[str, str, str | None]) -> None:
    """80.00 were paid under a cap of 100.00; a lowered cap takes nothing back and lets nothing more through."""
    texts = releases(scheme(cap_per_year="100.00"), scheme(cap_per_year=cap))
    decisions = decide(
        texts, coverage_from(), *stay_of("E1", "2020-06-30", "80.00"), *stay_of("E2", "2020-07-01", "70.00")
    )
    assert [("80.00", "80.00", None)] == results(decisions["E1"])
    assert [expected] == results(decisions["E2"])


@pytest.mark.parametrize(
    ("discharged_on", "expected"),
    [("2019-12-31", None), ("2020-01-01", "only"), ("2020-12-31", "only"), ("2021-01-01", None)],
)
def test_a_policy_is_in_force_from_its_first_day_to_the_day_before_its_end(
    discharged_on: str, expected: str | None
) -> None:
    """By the day of discharge, half-open; outside the claim waits with no_policy."""
    text = policy(scheme(), start="2020-01-01", end="2021-01-01", name="only")
    facts = [discharge_of("E1", discharged_on, "2019-12-01"), bill_of("E1", "5.00")]
    decision = decide(text, coverage_from(), *facts)["E1"]
    assert (expected, "no_policy" if expected is None else "adjudicated") == (decision["policy_id"], decision["status"])


# Corrections --------------------------------------------------------------------------------------------------------

DEDUCTIBLE = policy(scheme(brackets={"100.00": "1"}, accumulates="person_year"))
CAPPED = policy(scheme(cap_per_year="100.00"))
BOTH = [
    policy(scheme("old"), end="2020-07-01", name="first"),
    policy(scheme("new", {"0.00": "0.5"}), start="2020-07-01", name="second"),
]
SECOND_LATER = policy(scheme(brackets={"0.00": "0.5"}), start="2021-01-01", name="later")

Story = list[tuple[Body | str, list[str]]]
"""Facts (or a policy that is published), and the instructions that each must cause: claim, scheme, revision, kind."""

STORIES: dict[str, tuple[list[str], Story]] = {
    "a newer version": (
        [policy(scheme())],
        [
            (bill_of("E1", "100.00"), []),
            (coverage_from(), []),
            (discharge_of("E1", "2020-05-01"), ["E1 s 1 payment 100.00"]),
            (bill_of("E1", "150.00", version=2), ["E1 s 2 payment 50.00"]),
            (bill_of("E1", "120.00", version=3), ["E1 s 3 recovery 30.00"]),
            (bill_of("E1", "150.00", version=2), []),
            (bill_of("E1", "120.00", version=3, event_id="again"), []),
            (bill_of("E1", "120.00", version=4), []),
            (bill_of("E1", "120.01", version=7), ["E1 s 4 payment 0.01"]),
        ],
    ),
    "voided and posted again": (
        [policy(scheme())],
        [
            (coverage_from(), []),
            (discharge_of("E1", "2020-05-01"), []),
            (bill_of("E1", "100.00"), ["E1 s 1 payment 100.00"]),
            (void_of("E1", 2), ["E1 s 2 recovery 100.00"]),
            (bill_of("E1", "100.00", version=3), ["E1 s 3 payment 100.00"]),
        ],
    ),
    "interim bills and a final one": (
        [policy(scheme())],
        [
            (coverage_from(), []),
            (bill_of("E1", "10.00", settlement_id="S1", final=False), []),
            (discharge_of("E1", "2020-05-01"), []),
            (bill_of("E1", "20.00", settlement_id="S2", final=False), []),
            (bill_of("E1", "30.00", settlement_id="S3"), ["E1 s 1 payment 60.00"]),
            (bill_of("E1", "5.00", settlement_id="S4", final=False), ["E1 s 2 payment 5.00"]),
            (void_of("E1", 2, settlement_id="S2"), ["E1 s 3 recovery 20.00"]),
            (bill_of("E1", "30.00", settlement_id="S3", final=False, version=2), ["E1 s 4 recovery 45.00"]),
            (bill_of("E1", "5.00", settlement_id="S4", version=2), ["E1 s 5 payment 45.00"]),
        ],
    ),
    "a refund before its original": (
        [policy(scheme())],
        [
            (coverage_from(), []),
            (discharge_of("E1", "2020-05-01"), []),
            (void_of("E1", 2), []),
            (bill_of("E1", "100.00"), []),
            (bill_of("E1", "100.00", version=3), ["E1 s 1 payment 100.00"]),
        ],
    ),
    "settled anew after a refund": (
        [policy(scheme())],
        [
            (coverage_from(), []),
            (discharge_of("E1", "2020-05-01"), []),
            (bill_of("E1", "100.00"), ["E1 s 1 payment 100.00"]),
            (bill_of("E1", "80.00", settlement_id="S2"), ["E1 s 2 payment 80.00"]),
            (void_of("E1", 2), ["E1 s 3 recovery 100.00"]),
        ],
    ),
    "a coverage that is years late, corrected, voided": (
        [policy(scheme(tiers=TIERS))],
        [
            (discharge_of("E1", "2010-05-01"), []),
            (bill_of("E1", "100.00"), []),
            (coverage_from("2020-01-01"), []),
            (coverage_from("2010-05-01", version=2), ["E1 s 1 payment 90.00"]),
            (coverage_from("2010-05-01", "ordinary", version=3), ["E1 s 2 recovery 30.00"]),
            (coverage_from("2010-01-01", "ordinary", version=4), []),
            (coverage_from("2010-01-01", "ordinary", version=5, valid_to="2010-05-01"), ["E1 s 3 recovery 60.00"]),
            (coverage_from("2010-01-01", "ordinary", version=6, valid_to="2010-05-02"), ["E1 s 4 payment 60.00"]),
            (coverage_void("C1", 7), ["E1 s 5 recovery 60.00"]),
            (coverage_from("2000-01-01", coverage_id="C2"), ["E1 s 6 payment 90.00"]),
        ],
    ),
    "a policy published after the claims": (
        [],
        [
            (coverage_from(), []),
            (discharge_of("E1", "2020-05-01"), []),
            (bill_of("E1", "100.00"), []),
            (SECOND_LATER, []),
            (policy(scheme(), end="2021-01-01"), ["E1 s 1 payment 100.00"]),
        ],
    ),
    "a discharge corrected while no policy is in force": (
        [],
        [
            (coverage_from(), []),
            (bill_of("E1", "100.00"), []),
            (discharge_of("E1", "2020-05-01"), []),
            (discharge_of("E1", "2021-05-01", version=2), []),
            (policy(scheme(), end="2021-01-01"), []),
            (SECOND_LATER, ["E1 s 1 payment 50.00"]),
        ],
    ),
    "a policy that follows": (
        [policy(scheme(), end="2021-01-01")],
        [
            (coverage_from(), []),
            (discharge_of("E1", "2021-01-01"), []),
            (bill_of("E1", "100.00"), []),
            (SECOND_LATER, ["E1 s 1 payment 50.00"]),
            (discharge_of("E1", "2020-12-31", version=2), ["E1 s 2 payment 50.00"]),
        ],
    ),
    "a discharge that moves to another release": (
        BOTH,
        [
            (coverage_from(), []),
            (bill_of("E1", "100.00"), []),
            (discharge_of("E1", "2020-06-30"), ["E1 old 1 payment 100.00"]),
            (discharge_of("E1", "2020-07-01", version=2), ["E1 old 2 recovery 100.00", "E1 new 1 payment 50.00"]),
            (bill_of("E1", "80.00", version=2), ["E1 new 2 recovery 10.00"]),
            (discharge_of("E1", "2020-06-30", version=3), ["E1 new 3 recovery 40.00", "E1 old 3 payment 80.00"]),
        ],
    ),
    "an earlier bill shifts the deductible": (
        [DEDUCTIBLE],
        [
            (coverage_from(), []),
            (discharge_of("E1", "2020-05-01"), []),
            (discharge_of("E2", "2020-06-01"), []),
            (bill_of("E2", "80.00"), []),
            (bill_of("E1", "80.00"), ["E2 s 1 payment 60.00"]),
            (bill_of("E1", "100.00", version=2), ["E2 s 2 payment 20.00"]),
            (bill_of("E1", "130.00", version=3), ["E1 s 1 payment 30.00"]),
            (void_of("E1", 4), ["E1 s 2 recovery 30.00", "E2 s 3 recovery 80.00"]),
            (bill_of("E1", "90.00", version=5), ["E2 s 4 payment 70.00"]),
            (discharge_of("E1", "2021-05-01", version=2), ["E2 s 5 recovery 70.00"]),
            (discharge_of("E1", "2020-06-02", version=3), ["E1 s 3 payment 70.00"]),
        ],
    ),
    "recoveries come first where a year is capped": (
        [CAPPED],
        [
            (coverage_from(), []),
            (discharge_of("E2", "2020-06-01"), []),
            (bill_of("E2", "100.00"), ["E2 s 1 payment 100.00"]),
            (discharge_of("E1", "2020-05-01"), []),
            (bill_of("E1", "70.00"), ["E2 s 2 recovery 70.00", "E1 s 1 payment 70.00"]),
            (bill_of("E1", "120.00", version=2), ["E2 s 3 recovery 30.00", "E1 s 2 payment 30.00"]),
            (void_of("E1", 3), ["E1 s 3 recovery 100.00", "E2 s 4 payment 100.00"]),
        ],
    ),
    "a death that is recorded late and corrected": (
        [policy(scheme())],
        [
            (coverage_from(), []),
            (discharge_of("E1", "2020-05-10", "2020-05-01"), []),
            (bill_of("E1", "100.00"), ["E1 s 1 payment 100.00"]),
            (death("2020-04-30"), ["E1 s 2 recovery 100.00"]),
            (death("2020-05-01", version=2), ["E1 s 3 payment 100.00"]),
        ],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_corrections_end_in_the_right_payments(name: str) -> None:
    """Each fact causes exactly the payments and recoveries that lead from what was paid to what is due.

    Revisions of a claim and scheme have no gaps, and the last balance is what a fresh adjudication gives.
    """
    texts, story = STORIES[name]
    ledger = Ledger(*texts)
    for step, expected in story:
        given = ledger.publish(step) if isinstance(step, str) else ledger.take(step)
        said = [f"{row.claim_id} {row.scheme_id} {row.revision} {row.kind} {yuan(row.amount)}" for row in given]
        assert expected == said
        assert [row.balance_before for row in given] == [
            row.balance_after - (row.amount if row.kind == "payment" else -row.amount) for row in given
        ]


def test_an_instruction_names_the_policy_that_had_paid() -> None:
    """Money that a claim gets back to another release is recovered in the name of the release that had paid it."""
    ledger = Ledger(*BOTH)
    ledger.take(coverage_from(), bill_of("E1", "100.00"), discharge_of("E1", "2020-06-30"))
    recovery, payment = (json.loads(row.value) for row in ledger.take(discharge_of("E1", "2020-07-01", version=2)))
    shown = ("claim_id", "scheme_id", "kind", "amount", "revision", "policy_id", "tier", "payee")
    assert ("E1", "old", "recovery", "100.00", 2, "first", "member", "person") == tuple(
        recovery[each] for each in shown
    )
    assert ("E1", "new", "payment", "50.00", 1, "second", "member", "person") == tuple(payment[each] for each in shown)
    assert [parse_policy(text).sha256 for text in BOTH] == [recovery["policy_sha256"], payment["policy_sha256"]]


def test_a_payout_id_follows_from_claim_scheme_and_revision_alone() -> None:
    """Whatever came before, the same place and revision have the same id; any other has another."""
    first = Ledger(policy(scheme("a", cap_per_stay="5.00"), scheme("b")))
    second = Ledger(policy(scheme("a", {"0.00": "0.5"}), name="other"))
    given = first.take(coverage_from(), *stay_of("E1", "2020-05-01", "8.00", "2.00"), void_of("E1", 2))
    given += first.take(*stay_of("E2", "2020-05-01", "5.00"))
    same = second.take(coverage_from(), *stay_of("E1", "2020-06-01", "1.00"))
    expected = ["E1 a 1", "E1 b 1", "E1 a 2", "E1 b 2", "E2 a 1"]
    assert expected == [f"{row.claim_id} {row.scheme_id} {row.revision}" for row in given]
    assert given[0].payout_id == same[0].payout_id == "PO-eff2fdfc477d0d143d06c51db12c0bf7"
    assert 5 == len({row.payout_id for row in given})


def test_what_the_ledger_holds_of_a_benefit() -> None:
    """The row that is compared with next time: a scheme that no longer applies keeps its policy and owes nothing.

    Where no pool pays and nothing holds it, all of it is released.
    """
    ledger = Ledger(*BOTH)
    ledger.take(coverage_from(), bill_of("E1", "60.00", "40.00"), discharge_of("E1", "2020-06-30"))
    first, second = (parse_policy(text) for text in BOTH)
    held = ledger.world.benefits[ClaimId("E1")]
    no_pool = (None, None, 0, 0, 0, False)
    paid = ("E1", "old", "member", "personal_burden", 10_000, 10_000, None, 1, "first", first.sha256)
    paid_at_once = (*paid, "", 10_000, *no_pool)
    assert {"old": paid_at_once} == {name: tuple(row) for name, row in held.items()}
    ledger.take(discharge_of("E1", "2020-07-01", version=2))
    gone = ("E1", "old", "member", "personal_burden", 0, 0, None, 2, "first", first.sha256, "", 0, *no_pool)
    now = ("E1", "new", "member", "personal_burden", 10_000, 5_000, None, 1, "second", second.sha256)
    now_at_once = (*now, "", 5_000, *no_pool)
    assert {"old": gone, "new": now_at_once} == {name: tuple(row) for name, row in held.items()}
    ledger.take(coverage_void("C1", 2))
    out = ("E1", "new", None, "personal_burden", 0, 0, "NO_COVERAGE", 2, "second", second.sha256, "", 0, *no_pool)
    assert {"old": gone, "new": out} == {name: tuple(row) for name, row in held.items()}
    ledger.take(void_of("E1", 2))
    ended = ("E1", "new", None, "personal_burden", 0, 0, None, 2, "second", second.sha256, "", 0, *no_pool)
    assert {"old": gone, "new": ended} == {name: tuple(row) for name, row in held.items()}


# Steps --------------------------------------------------------------------------------------------------------------

LAYERED = policy(
    scheme("first", {"0.00": "0.5", "10.00": "0.333"}, cap_per_stay="5.00"),
    scheme("second", {"0.00": "1"}, basis="copay", measured_on="billed", floor_per_stay="20.00"),
    scheme("third", {"0.00": "0.5"}, accumulates="person_year", cap_per_year="8.00"),
)


def steps(decision: Body) -> list[str]:
    return [f"{line['scheme_id']} {line['step']} {line['amount']}" for line in decision["explanation"]]


@pytest.mark.parametrize(
    ("copay", "expected"),
    [
        (
            "0.01",  # half a fen, a fen of which nothing is left, half a fen of which nothing is left
            [
                "first bracket 0.01",
                "second bracket 0.01",
                "second limit_remaining -0.01",
                "third bracket 0.01",
                "third limit_remaining -0.01",
            ],
        ),
        (
            "10.00",  # exactly at the cap of a stay, and at the edge of a bracket: neither is a step
            [
                "first bracket 5.00",
                "second bracket 10.00",
                "second limit_remaining -5.00",
                "second floor_per_stay -5.00",
                "third bracket 5.00",
            ],
        ),
        (
            "16.01",  # 5 + 2.00133; 16.01, of which 11.01 are left; 8.005
            [
                "first bracket 5.00",
                "first bracket 2.00",
                "first cap_per_stay -2.00",
                "second bracket 16.01",
                "second limit_remaining -5.00",
                "second floor_per_stay -11.01",
                "third bracket 8.01",
                "third cap_per_year -0.01",
            ],
        ),
    ],
)
def test_each_step_that_changed_the_number_is_a_line(copay: str, expected: list[str]) -> None:
    """In order, with signed amounts, and none for a limit that was just met."""
    assert expected == steps(decide(LAYERED, coverage_from(), *stay_of("E1", "2020-05-01", copay))["E1"])


def test_a_step_tells_what_it_was_held_against() -> None:
    """The inputs of each kind of step but rounding, which has a test of its own."""
    facts = [coverage_from(), *stay_of("E1", "2020-05-01", "16.01"), *stay_of("E2", "2020-05-02", "16.01")]
    decisions = decide(LAYERED, *facts)
    whole = {"measured": "16.01", "from": "0.00", "to": "16.01", "over": "0.00"}
    assert [
        {"measured": "16.01", "from": "0.00", "to": "10.00", "over": "0.00", "rate": "0.5", "exact": "5"},
        {"measured": "16.01", "from": "10.00", "to": "16.01", "over": "10.00", "rate": "0.333", "exact": "2.00133"},
        {"before": "7.00", "cap": "5.00"},
        whole | {"rate": "1", "exact": "16.01"},
        {"before": "16.01", "remaining": "11.01"},
        {"before": "11.01", "floor": "20.00"},
        whole | {"rate": "0.5", "exact": "8.005", "year_before": "0.00", "year_after": "16.01"},
        {"before": "8.01", "cap": "8.00", "paid_before": "0.00", "left": "8.00"},
    ] == [line["inputs"] for line in decisions["E1"]["explanation"]]
    assert {"before": "8.00", "cap": "8.00", "paid_before": "8.00", "left": "0.00"} == (
        decisions["E2"]["explanation"][-1]["inputs"]
    )
    assert {"from": "16.01", "to": "32.02", "year_before": "16.01", "year_after": "32.02"}.items() <= (
        decisions["E2"]["explanation"][-3]["inputs"].items()
    )


@pytest.mark.parametrize(
    ("rate", "first", "second", "exact"),
    [
        ("0.5", "0.01", ["0.01", "-0.01"], ("0.005", "0.01")),
        ("0.4", "0.00", ["0.00", "0.01"], ("0.004", "0.008")),
    ],
)
def test_rounding_is_a_step_where_the_parts_add_up_to_something_else(
    rate: str, first: str, second: list[str], exact: tuple[str, str]
) -> None:
    """Two bills of one fen in a year: each part is shown rounded, and the year is rounded once."""
    text = policy(scheme(brackets={"0.00": rate}, accumulates="person_year"))
    decisions = decide(
        text, coverage_from(), *stay_of("E1", "2020-05-01", "0.01"), *stay_of("E2", "2020-05-02", "0.01")
    )
    assert [first] == [line["amount"] for line in decisions["E1"]["explanation"]]
    bracket, rounding = decisions["E2"]["explanation"]
    assert second == [bracket["amount"], rounding["amount"]]
    told = rounding["inputs"]
    assert (second[0], *exact) == (told["before"], told["exact_before"], told["exact_after"])


def test_two_brackets_are_rounded_as_one() -> None:
    """Half a fen in each of two brackets is shown as a fen each, and is one fen together."""
    text = policy(scheme(brackets={"0.00": "0.5", "0.01": "0.5"}))
    decision = decide(text, coverage_from(), *stay_of("E1", "2020-05-01", "0.02"))["E1"]
    assert ["s bracket 0.01", "s bracket 0.01", "s rounding -0.01"] == steps(decision)
    assert {"before": "0.02", "exact_before": "0", "exact_after": "0.01"} == decision["explanation"][-1]["inputs"]


# What is said and what is asked -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1.234", "an amount is a decimal number of yuan with at most two decimals"),
        ("", "an amount is a decimal number of yuan with at most two decimals"),
        ("1000000000000.00", "an amount is at most 999999999999.99 yuan"),
        (True, "an amount is a string or a number of yuan"),
        (None, "an amount is a string or a number of yuan"),
        (1.5, "an amount is a string or a number of yuan"),
    ],
)
def test_a_wrong_amount_is_told_apart_and_explained(written: object, said: str) -> None:
    """Whoever reads the validation error gets its code and a sentence."""
    for kind in (WireYuan, Fen):
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(kind).validate_python(written)
        (error,) = caught.value.errors()
        assert ("money", said) == (error["type"], error["msg"])


def test_adjudicating_some_claims_gives_only_those() -> None:
    """`claim_ids` narrows the work to the claims of the years that are named."""
    account = Account(PersonId("P1"))
    for body in (*stay_of("E1", "2020-05-01", "1.00"), *stay_of("E2", "2021-05-01", "1.00")):
        account.apply(reading(body).fact)
    second = {ClaimId("E2")}
    assert ["E2"] == [each.claim.claim_id for each in adjudicate(account, policies(policy(scheme())), second)]
    assert ["E1", "E2"] == [each.claim.claim_id for each in adjudicate(account, policies(policy(scheme())))]
