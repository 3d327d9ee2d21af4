"""Worked examples, computed by hand from the contract, that pin the oracle itself."""

import json
import random
from fractions import Fraction
from pathlib import Path

import pytest

from .builders import (
    SECTION_5,
    bill_of,
    codes,
    coverage_from,
    decide,
    discharge_of,
    fact,
    policy,
    results,
    scheme,
    stay_of,
    void_of,
)
from .calculator import Ledger, RefusalError, adjudicate, main, read_event
from .cases import random_case
from .coverage_report import CODES, REASONS, STATUSES, count

# Section 8 and the arithmetic of section 5 ----------------------------------------------------------------


def test_the_example_of_section_8() -> None:
    """The printed claim of the contract comes out word for word."""
    claims = decide(policy(scheme(*SECTION_5)), coverage_from(), *stay_of("E1", "2020-01-01", "3000.00", "2000.00"))
    expected = {
        "claim_id": "E1",
        "person_id": "P1",
        "status": "adjudicated",
        "policy_id": "p",
        "personal_burden": "5000.00",
        "benefits": [
            {
                "scheme_id": "village_mutual_aid",
                "tier": "member",
                "basis": "copay",
                "measured": "3000.00",
                "benefit": "300.00",
            }
        ],
        "total_benefit": "300.00",
        "patient_pays": "4700.00",
    }
    assert expected == claims["E1"]


@pytest.mark.parametrize(
    ("copay", "expected"),
    [
        ("1999.99", ("1999.99", "0.00", "UNDER_THRESHOLD")),
        ("2000.00", ("2000.00", "0.00", "UNDER_THRESHOLD")),
        ("2000.01", ("2000.01", "1000.01", None)),  # 1000.005, half up
    ],
)
def test_a_franchise_pays_the_whole_only_strictly_over_it(copay: str, expected: tuple[object, ...]) -> None:
    """Exactly 2,000.00 does not trigger a 2,000 threshold and 2,000.01 does."""
    franchise = scheme("s", 'basis = "copay"\nthreshold = "2000.00"', '[{ over = "0.00", rate = "0.5" }]')
    claims = decide(policy(franchise), coverage_from(), *stay_of("E1", "2020-01-01", copay))
    assert [expected] == results(claims["E1"])


@pytest.mark.parametrize(
    ("copay", "expected"),
    [
        ("2000.01", ("2000.01", "0.00", "NOTHING_DUE")),  # 0.003
        ("2000.02", ("2000.02", "0.01", None)),  # 0.006
        ("35333.35", ("35333.35", "10000.00", None)),  # 10,000.005 and a cap of 10,000
    ],
)
def test_a_deductible_pays_on_the_excess(copay: str, expected: tuple[object, ...]) -> None:
    """The village scheme of section 5 pays 30 % of what is over 2,000, at most 10,000."""
    claims = decide(policy(scheme(*SECTION_5)), coverage_from(), *stay_of("E1", "2020-01-01", copay))
    assert [expected] == results(claims["E1"])


def test_brackets_are_marginal() -> None:
    """Each slice counts at its own rate: 1,000 x 50 % + 2,000 x 60 % + 2,000 x 80 % = 3,300."""
    rates = {"0.00": "0.5", "1000.00": "0.6", "3000.00": "0.8"}
    steps = ", ".join(f'{{ over = "{over}", rate = "{rate}" }}' for over, rate in rates.items())
    claims = decide(policy(scheme("s", "", f"[{steps}]")), coverage_from(), *stay_of("E1", "2020-01-01", "5000.00"))
    assert [("5000.00", "3300.00", None)] == results(claims["E1"])


@pytest.mark.parametrize(
    ("accumulates", "expected"),
    [("stay", ["0.33", "0.33", "0.33"]), ("person_year", ["0.33", "0.34", "0.33"])],
)
def test_the_year_does_not_drift(accumulates: str, expected: list[str]) -> None:
    """Three bills of 1.00 at 0.333 make 0.99 by stays, and 1.00 (0.999) by the year."""
    yearly = scheme("s", f'accumulates = "{accumulates}"', '[{ over = "0.00", rate = "0.333" }]')
    bills = [line for number in (1, 2, 3) for line in stay_of(f"E{number}", f"2020-01-0{number}", "1.00")]
    claims = decide(policy(yearly), coverage_from(), *bills)
    assert expected == [claims[f"E{number}"]["total_benefit"] for number in (1, 2, 3)]


def test_a_yearly_deductible_is_used_up_in_canonical_order() -> None:
    """On one day the encounter ids decide by code point, so E10 uses the deductible before E9."""
    yearly = scheme("s", 'accumulates = "person_year"', '[{ over = "100.00", rate = "1" }]')
    claims = decide(
        policy(yearly),
        coverage_from(),
        *stay_of("E9", "2020-05-01", "80.00"),
        *stay_of("E10", "2020-05-01", "80.00"),
    )
    assert [("80.00", "0.00", "NOTHING_DUE")] == results(claims["E10"])
    assert [("80.00", "60.00", None)] == results(claims["E9"])


@pytest.mark.parametrize(
    ("year_starts", "first_day", "second_day", "expected"),
    [
        ("01-01", "2020-12-31", "2021-01-01", "NOTHING_DUE"),
        ("01-01", "2020-01-01", "2020-12-31", None),
        ("07-01", "2020-06-30", "2020-07-01", "NOTHING_DUE"),
        ("07-01", "2020-12-31", "2021-01-01", None),
        ("03-01", "2020-02-29", "2020-03-01", "NOTHING_DUE"),
        ("03-01", "2019-03-01", "2020-02-29", None),
    ],
)
def test_the_policy_year_starts_where_the_policy_says(
    year_starts: str, first_day: str, second_day: str, expected: str | None
) -> None:
    """A second bill of 80.00 is over a yearly deductible of 100.00 only in the same policy year."""
    yearly = scheme("s", 'accumulates = "person_year"', '[{ over = "100.00", rate = "1" }]')
    bills = [*stay_of("E1", first_day, "80.00"), *stay_of("E2", second_day, "80.00")]
    claims = decide(policy(yearly, year_starts=year_starts), coverage_from(), *bills)
    assert expected == results(claims["E2"])[0][2]


def test_running_sums_and_yearly_caps_follow_the_scheme_across_releases() -> None:
    """After 80.00 under the old release the new one pays all of the next bill, up to its own yearly cap."""
    old = scheme("s", 'accumulates = "person_year"', '[{ over = "50.00", rate = "0.5" }]')
    new = scheme("s", 'accumulates = "person_year"\ncap_per_year = "60.00"', '[{ over = "60.00", rate = "1" }]')
    releases = [policy(old, end="2020-07-01", name="old"), policy(new, start="2020-07-01", name="new")]
    bills = [
        *stay_of("E1", "2020-06-30", "80.00"),
        *stay_of("E2", "2020-07-01", "70.00"),
        *stay_of("E3", "2020-07-02", "1.00"),
    ]
    claims = decide(releases, coverage_from(), *bills)
    assert [("80.00", "15.00", None)] == results(claims["E1"])
    assert [("70.00", "45.00", None)] == results(claims["E2"])  # f: 90 - 20 = 70, but 60 - 15 is left of the cap
    assert [("1.00", "0.00", "CAP_REACHED")] == results(claims["E3"])


def test_releases_may_order_their_schemes_differently() -> None:
    """A yearly sum of what remains uses, for each claim, the order of that claim's own release."""
    full = '[{ over = "0.00", rate = "1" }]'
    half = scheme("half", "", '[{ over = "0.00", rate = "0.5" }]')
    rest = scheme("rest", 'measured_on = "remaining"\naccumulates = "person_year"\ncap_per_year = "120.00"', full)
    releases = [
        policy(half, rest, end="2020-07-01", name="old"),
        policy(rest, half, start="2020-07-01", name="new"),
    ]
    claims = decide(
        releases, coverage_from(), *stay_of("E1", "2020-06-30", "100.00"), *stay_of("E2", "2020-07-01", "100.00")
    )
    assert [("100.00", "50.00", None), ("50.00", "50.00", None)] == results(claims["E1"])
    assert [("100.00", "70.00", None), ("100.00", "30.00", None)] == results(claims["E2"])


def test_nine_layers_never_pay_more_than_the_burden() -> None:
    """Nine layers of 30 % on 100.01 pay 30.00 three times, then the last 10.01, then nothing."""
    layers = [scheme(f"layer-{number}", "", '[{ over = "0.00", rate = "0.30" }]') for number in range(9)]
    claims = decide(policy(*layers), coverage_from(), *stay_of("E1", "2020-01-01", "60.00", "40.01"))
    paid = [("100.01", "30.00", None)] * 3 + [("100.01", "10.01", None)]
    expected = [*paid, *[("100.01", "0.00", "NOTHING_LEFT")] * 5]
    assert expected == results(claims["E1"])
    assert "0.00" == claims["E1"]["patient_pays"]


def test_a_payment_on_the_burden_uses_up_copay_first() -> None:
    """Of 400 copay and 600 outside, 500 leaves no copay and 500 outside the catalogue."""
    full = '[{ over = "0.00", rate = "1" }]'
    layers = [
        scheme("burden", "", '[{ over = "0.00", rate = "0.5" }]'),
        scheme("copay-billed", 'basis = "copay"', full),
        scheme("copay-left", 'basis = "copay"\nmeasured_on = "remaining"', full),
        scheme("outside-billed", 'basis = "out_of_catalogue"', '[{ over = "0.00", rate = "0.5" }]'),
        scheme("outside-left", 'basis = "out_of_catalogue"\nmeasured_on = "remaining"', full),
    ]
    claims = decide(policy(*layers), coverage_from(), *stay_of("E1", "2020-01-01", "400.00", "600.00"))
    assert [
        ("1000.00", "500.00", None),
        ("400.00", "0.00", "NOTHING_LEFT"),
        ("0.00", "0.00", "NOTHING_DUE"),
        ("600.00", "300.00", None),
        ("200.00", "200.00", None),
    ] == results(claims["E1"])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ('floor_per_stay = "50.01"', ("100.00", "0.00", "BELOW_FLOOR")),
        ('floor_per_stay = "50.00"', ("100.00", "50.00", None)),
        ('cap_per_stay = "10.00"\nfloor_per_stay = "20.00"', ("100.00", "0.00", "BELOW_FLOOR")),
        ('cap_per_stay = "10.00"\ncap_per_year = "9.99"', ("100.00", "9.99", None)),
        ('cap_per_year = "0.00"\nfloor_per_stay = "20.00"', ("100.00", "0.00", "CAP_REACHED")),
    ],
)
def test_limits_apply_in_order(settings: str, expected: tuple[object, ...]) -> None:
    """The caps come before the floor, and a benefit equal to the floor is paid."""
    half = scheme("s", settings, '[{ over = "0.00", rate = "0.5" }]')
    assert [expected] == results(decide(policy(half), coverage_from(), *stay_of("E1", "2020-01-01", "100.00"))["E1"])


def test_a_benefit_that_the_floor_removes_leaves_the_yearly_cap_whole() -> None:
    """5.00 below the floor is not paid, so all of the cap of 30.00 is left for the next claim."""
    half = scheme("s", 'floor_per_stay = "10.00"\ncap_per_year = "30.00"', '[{ over = "0.00", rate = "0.5" }]')
    bills = [*stay_of("E1", "2020-01-01", "10.00"), *stay_of("E2", "2020-01-02", "100.00")]
    claims = decide(policy(half), coverage_from(), *bills)
    assert [("10.00", "0.00", "BELOW_FLOOR")] == results(claims["E1"])
    assert [("100.00", "30.00", None)] == results(claims["E2"])


# Scope and eligibility ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ('care_types = ["outpatient_special"]', "NOT_IN_SCOPE"),
        ('facility_levels = ["city", "county"]', "NOT_IN_SCOPE"),
        ('diagnoses_any = ["I10.x", "C"]', None),
        ('diagnoses_any = ["I10.x051", "10"]', "NOT_IN_SCOPE"),
        ('areas = ["A1"]', None),
        ('areas = ["A"]', "NO_COVERAGE"),
        ("waiting_days = 366", None),
        ("waiting_days = 367", "WAITING_PERIOD"),
    ],
)
def test_filters_name_their_reason(settings: str, expected: str | None) -> None:
    """A diagnosis is a prefix, an area is not, and a leap year has 366 days to wait."""
    full = scheme("s", settings, '[{ over = "0.00", rate = "1" }]')
    claims = decide(
        policy(full, scheme("open", "", '[{ over = "0.00", rate = "1" }]')),
        coverage_from("2020-02-29", area="A1"),
        discharge_of("E1", "2021-03-05", admitted_on="2021-03-01"),
        bill_of("E1", "1.00"),
    )
    assert expected == results(claims["E1"])[0][2]


@pytest.mark.parametrize(
    ("discharged_on", "expected"),
    [
        ("2019-12-31", "not_covered"),
        ("2020-01-01", "adjudicated"),
        ("2020-02-29", "adjudicated"),
        ("2020-03-01", "not_covered"),
    ],
)
def test_a_coverage_is_half_open(discharged_on: str, expected: str) -> None:
    """A coverage from New Year to 1 March holds leap day and not 1 March."""
    full = policy(scheme("s", "", '[{ over = "0.00", rate = "1" }]'))
    short = coverage_from("2020-01-01", valid_to="2020-03-01")
    assert expected == decide(full, short, *stay_of("E1", discharged_on, "1.00"))["E1"]["status"]


@pytest.mark.parametrize(
    ("settled_at", "final_version", "expected"),
    [
        ("2020-12-31T15:59:59.999Z", 1, None),
        ("2020-12-31T16:00:00Z", 1, "FILED_LATE"),
        ("2021-01-01T00:00:00+08:00", 1, "FILED_LATE"),
        ("2020-12-31T10:59:59-05:00", 1, None),
    ],
)
def test_new_year_is_in_shanghai(settled_at: str, final_version: int, expected: str | None) -> None:
    """A bill settled at 16:00 UTC on New Year's Eve was settled the next day."""
    strict = scheme("s", "file_within_days = 0", '[{ over = "0.00", rate = "1" }]')
    settled = bill_of("E1", "1.00", settled_at=settled_at, version=final_version)
    claims = decide(policy(strict), coverage_from(), discharge_of("E1", "2020-12-31"), settled)
    assert ("adjudicated", expected) == (claims["E1"]["status"], results(claims["E1"])[0][2])


def test_filing_counts_days_over_a_leap_day_from_the_first_live_final_bill() -> None:
    """From 28 February to 1 March 2020 are two days; a void and an interim bill do not file."""
    facts = [
        coverage_from(),
        discharge_of("E1", "2020-02-28"),
        bill_of("E1", "1.00", settled_at="2020-03-01T23:59:59+08:00"),
        bill_of("E1", "1.00", settlement_id="interim", final=False, settled_at="2020-02-28T08:00:00+08:00"),
        bill_of("E1", "1.00", settlement_id="S-void", settled_at="2020-02-28T08:00:00+08:00"),
        fact("settlement.voided", settlement_id="S-void", encounter_id="E1", version=2, reason="r"),
    ]
    for days, expected in ((1, "FILED_LATE"), (2, None)):
        full = scheme("s", f"file_within_days = {days}", '[{ over = "0.00", rate = "1" }]')
        assert expected == results(decide(policy(full), *facts)["E1"])[0][2]


def test_the_first_tier_that_lists_a_category_applies() -> None:
    """A person who is both ordinary and member gets the tier that the policy puts first."""
    tiers = "".join(
        f'[[scheme.tier]]\nname = "{name}"\ncategories = ["{name}"]\n'
        f'brackets = [{{ over = "0.00", rate = "{rate}" }}]\n'
        for name, rate in (("ordinary", "0.6"), ("member", "0.9"))
    )
    facts = [
        coverage_from(),
        coverage_from(coverage_id="C2", category="ordinary"),
        *stay_of("E1", "2020-01-01", "100.00"),
    ]
    assert [("100.00", "60.00", None)] == results(decide(policy(scheme("s", "", "", tiers)), *facts)["E1"])
    facts[1] = coverage_from(coverage_id="C2", category="unheard_of")
    assert [("100.00", "90.00", None)] == results(decide(policy(scheme("s", "", "", tiers)), *facts)["E1"])
    facts[0] = coverage_from(category="unheard_of")
    assert "not_covered" == decide(policy(scheme("s", "", "", tiers)), *facts)["E1"]["status"]


# Status ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([discharge_of("E1", "2020-01-01")], ("incomplete", "0.00")),
        ([bill_of("E1", "5.00")], ("incomplete", "5.00")),
        ([discharge_of("E1", "2020-01-01"), bill_of("E1", "5.00", final=False)], ("incomplete", "5.00")),
        ([void_of("E1", 2), bill_of("E1", "5.00")], ("voided", "0.00")),
        ([*stay_of("E1", "2020-01-01", "5.00"), void_of("E1", 2)], ("voided", "0.00")),
        (
            [*stay_of("E1", "2020-01-01", "5.00"), void_of("E1", 2), bill_of("E1", "6.00", version=3)],
            ("adjudicated", "6.00"),
        ),
        ([*stay_of("E1", "2009-12-31", "5.00")], ("no_policy", "5.00")),
        (
            [*stay_of("E1", "2020-01-01", "5.00"), fact("person.died", died_on="2019-12-31")],
            ("after_death", "5.00"),
        ),
        (
            [*stay_of("E1", "2020-01-01", "5.00"), fact("person.died", died_on="2020-01-01")],
            ("adjudicated", "5.00"),
        ),
    ],
)
def test_statuses_are_tested_in_order(facts: list[bytes], expected: tuple[str, str]) -> None:
    """The status and the burden follow from the newest versions alone, in any order of arrival."""
    full = policy(scheme("s", "", '[{ over = "0.00", rate = "1" }]'))
    for arrival in (facts, facts[::-1]):
        claims, _ = adjudicate([full], [coverage_from(), *arrival])
        claim = claims[0]
        assert expected == (claim["status"], claim["personal_burden"])
        assert (claim["status"] == "adjudicated") == (claim["policy_id"] is not None)


# Acceptance -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{", "MALFORMED_JSON"),
        (b'{"a":NaN}', "MALFORMED_JSON"),
        (b'{"a":1,"a":1}', "MALFORMED_JSON"),
        (b'{"a":"\\ud800"}', "MALFORMED_JSON"),
        (b'{"a":"\xff"}', "MALFORMED_JSON"),
        (b"[]", "SCHEMA_INVALID"),
        (b"{}", "SCHEMA_INVALID"),
        (b'{"event_type":"x"}', "UNKNOWN_EVENT_TYPE"),
        (b" " * (1024 * 1024 + 1) + b"{", "TOO_LARGE"),
        (b" " * (1024 * 1024) + b"{", "TOO_LARGE"),
        (b" " * (1024 * 1024 - 1) + b"{", "MALFORMED_JSON"),
        (bill_of("E1", "1.00", total_charge="1.001"), "SCHEMA_INVALID"),
        (bill_of("E1", "1.00", total_charge=True), "SCHEMA_INVALID"),
        (bill_of("E1", "1.00", total_charge="1000000000000.00"), "SCHEMA_INVALID"),
        (bill_of("E1", "1.00", currency="USD", total_charge="-1"), "UNSUPPORTED_CURRENCY"),
        (bill_of("E1", "1.00", total_charge="-1"), "NEGATIVE_AMOUNT"),
        (bill_of("E1", "1.00", total_charge="1.01"), "AMOUNTS_DO_NOT_BALANCE"),
        (bill_of("E1", "1.00", settled_at="2030-01-02T00:00:00.001Z"), "FUTURE_DATED"),
        (discharge_of("E1", "2020-01-01", admitted_on="2020-01-02"), "DATES_OUT_OF_ORDER"),
        (coverage_from("2020-01-01", valid_to="2020-01-01"), "DATES_OUT_OF_ORDER"),
        (discharge_of("E1", "2030-01-03"), "FUTURE_DATED"),
        (fact("person.died", died_on="2030-01-03"), "FUTURE_DATED"),
        (discharge_of("E1", "2019-02-29"), "SCHEMA_INVALID"),
    ],
)
def test_an_event_that_is_wrong_by_itself_is_refused(line: bytes, expected: str) -> None:
    """Each rule that looks at the event alone names its code."""
    assert [expected] == codes(line)


@pytest.mark.parametrize(
    "line",
    [
        bill_of("E1", "1.00", settled_at="2030-01-02T00:00:00Z"),
        discharge_of("E1", "2030-01-02"),
        bill_of("E1", "1.00", total_charge="1.0").replace(b'"1.0"', b"1"),
        bill_of("E1", "1.00", x_unknown={"a": [1e3]}),
    ],
)
def test_an_event_on_the_edge_is_accepted(line: bytes) -> None:
    """One day ahead, other spellings of an amount and unknown members are fine."""
    assert [] == codes(line)


def test_pointers_name_every_bad_field() -> None:
    """A schema refusal points at all that is wrong, and says on which line it was."""
    wrong = discharge_of("E1", "2019-02-29", version=0, diagnoses=["I10", 1])
    _, refusals = adjudicate([policy(scheme(*SECTION_5))], [b"", wrong])
    pointers = ["/admitted_on", "/diagnoses/1", "/discharged_on", "/version"]
    assert [{"line": 2, "code": "SCHEMA_INVALID", "pointers": pointers}] == refusals


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (bill_of("E1", "1.00", event_id="other", occurred_at="2031-01-01T00:00:00Z"), []),
        (bill_of("E1", "1.00").replace(b'"1.00"', b'"1.0"'), []),
        (bill_of("E1", "1.00").replace(b'"1.00"', b"1"), []),
        (bill_of("E1", "1.00", source="other"), ["VERSION_CONFLICT"]),
        (bill_of("E1", "1.00", x_new=None), ["VERSION_CONFLICT"]),
        (void_of("E1", 1), ["VERSION_CONFLICT"]),
        (void_of("E1", 2), []),
        (bill_of("E1", "1.00", person_id="P2"), ["PERSON_MISMATCH"]),
        (bill_of("E1", "1.00", person_id="P2", settlement_id="S2"), ["PERSON_MISMATCH"]),
        (bill_of("E1", "1.00", encounter_id="E2", version=2), ["PERSON_MISMATCH"]),
        (discharge_of("E1", "2020-01-01", person_id="P2"), ["PERSON_MISMATCH"]),
    ],
)
def test_a_second_event_is_held_against_the_first(second: bytes, expected: list[str]) -> None:
    """The same content is a duplicate however it is spelled; strangers come before contradictions."""
    assert expected == codes(bill_of("E1", "1.00"), second)


def test_a_stale_version_has_no_effect_and_is_no_reason_for_a_conflict() -> None:
    """Version 1 after version 2 is stale, twice, whatever it says."""
    facts = [bill_of("E1", "5.00", version=2), bill_of("E1", "1.00"), bill_of("E1", "2.00")]
    assert [] == codes(*facts)
    assert "5.00" == decide(policy(scheme(*SECTION_5)), *facts)["E1"]["personal_burden"]


def test_the_command_line(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Claims go to standard output sorted by id, refusals to standard error, and the exit status is 3."""
    (tmp_path / "p.toml").write_text(policy(scheme(*SECTION_5)), encoding="utf-8")
    (tmp_path / "f.jsonl").write_bytes(b"\n".join([bill_of("E9", "1.00"), b"", b"?", bill_of("E10", "1.00"), b""]))
    status = main(["--policy", str(tmp_path / "p.toml"), str(tmp_path / "f.jsonl")])
    out, err = capsysbinary.readouterr()
    assert 3 == status
    assert ["E10", "E9"] == [json.loads(line)["claim_id"] for line in out.splitlines()]
    assert [("MALFORMED_JSON", 3)] == [(e["code"], e["line"]) for e in map(json.loads, err.splitlines())]


# Laws, on random cases ------------------------------------------------------------------------------------


def test_the_order_and_repetition_of_accepted_facts_change_nothing() -> None:
    """Whatever set of facts was accepted decides the same in every order, with repetitions."""
    for seed in range(150):
        case = random_case(seed)
        accepted = []
        ledger = Ledger()
        for line in case.lines:
            try:
                if line.strip() and ledger.consider(read_event(line)) == "accepted":
                    accepted.append(line)
            except RefusalError:
                continue
        expected, _ = adjudicate(case.policy_texts, case.lines)
        shuffled = accepted + accepted[::3]
        random.Random(seed).shuffle(shuffled)
        assert (expected, []) == adjudicate(case.policy_texts, shuffled), f"seed {seed}"


def test_benefits_stay_within_the_burden() -> None:
    """No benefit is negative, and a claim's benefits and what the patient pays add up to the burden."""
    for seed in range(150):
        case = random_case(seed)
        for claim in adjudicate(case.policy_texts, case.lines)[0]:
            benefits = [Fraction(str(benefit)) for _, benefit, _ in results(claim)]
            assert min(benefits, default=0) >= 0, f"seed {seed}"
            assert sum(benefits) == Fraction(str(claim["total_benefit"])), f"seed {seed}"
            left = Fraction(str(claim["personal_burden"])) - sum(benefits)
            assert left == Fraction(str(claim["patient_pays"])), f"seed {seed}"
            assert left >= 0, f"seed {seed}"


def test_a_seed_always_makes_the_same_case() -> None:
    """A failure can be repeated from its seed."""
    assert random_case(7) == random_case(7)
    assert random_case(7) != random_case(8)


def test_random_cases_meet_every_status_reason_and_code() -> None:
    """No guard can pass a comparison by never being met."""
    statuses, reasons, refusal_codes = count(range(250))
    assert (set(STATUSES), set(REASONS), set(CODES)) == (set(statuses), set(reasons), set(refusal_codes))
