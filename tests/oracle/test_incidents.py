"""Worked examples of incidents and sums assured, by hand from time.md, section 7, that pin their oracle."""

import pytest

from .builders import (
    bill_of,
    codes,
    coverage_from,
    decide,
    discharge_of,
    fact,
    member,
    policy,
    results,
    scheme,
    stay_of,
)
from .calculator import adjudicate
from .occasion_builders import FULL, incident, incident_scheme, incident_voided, stay_scheme, tier

FIXED = tier('fixed = "5000.00"')
DEGREES = tier('by_degree = { "1" = "10000.00", "2" = "6000.00" }')
BRACKETS = tier(f"brackets = {FULL}")


def outcome(text: str | list[str], *facts: bytes) -> list[tuple[object, object, object]]:
    """What each claim's first scheme measures and pays, by claim id, of a covered person."""
    return [results(claim)[0] for _, claim in sorted(decide(text, coverage_from(), *facts).items())]


def daily(settings: str = "", more: str = "", per_day: str = "150.00") -> str:
    """A policy that pays each day of a stay."""
    return policy(stay_scheme("s", tier(f'per_day = "{per_day}"\n{settings}'), settings=more))


def stay(claim: str, admitted_on: str, discharged_on: str, copay: str = "1.00", **fields: object) -> list[bytes]:
    return [discharge_of(claim, discharged_on, admitted_on, **fields), bill_of(claim, copay, "0.00", **fields)]


# Incidents ----------------------------------------------------------------------------------------------------------


def test_an_incident_is_printed_like_any_claim() -> None:
    """Its burden is the verified loss, of which brackets pay and sums assured leave all."""
    layers = [
        incident_scheme("fixed", FIXED),
        incident_scheme("loss", tier('brackets = [{ over = "100.00", rate = "0.5" }]')),
        incident_scheme("rest", BRACKETS, settings='measured_on = "remaining"\ncap_per_stay = "100.00"'),
    ]
    claims = decide(policy(*layers), coverage_from(), incident("I1", verified_loss="1100.01"))
    half = {"scheme_id": "loss", "tier": "member", "basis": "verified_loss", "measured": "1100.01", "benefit": "500.01"}
    expected = {
        "claim_id": "incident:I1",
        "person_id": "P1",
        "status": "adjudicated",
        "policy_id": "p",
        "personal_burden": "1100.01",
        "benefits": [
            half | {"scheme_id": "fixed", "measured": "0.00", "benefit": "5000.00"},
            half,  # 500.005, half up
            half | {"scheme_id": "rest", "measured": "600.00", "benefit": "100.00"},
        ],
        "total_benefit": "5600.01",
        "patient_pays": "500.00",  # 1100.01 - 500.01 - 100.00
    }
    assert expected == claims["incident:I1"]


def test_without_a_loss_brackets_pay_nothing() -> None:
    assert [("0.00", "0.00", "NOTHING_DUE")] == outcome(policy(incident_scheme("s", BRACKETS)), incident("I1"))


@pytest.mark.parametrize(
    ("degree", "expected"),
    [
        ({"degree": "1"}, ("0.00", "10000.00", None)),
        ({"degree": "2"}, ("0.00", "6000.00", None)),
        ({"degree": "3"}, ("0.00", "0.00", "NOTHING_DUE")),
        ({}, ("0.00", "0.00", "NOTHING_DUE")),
    ],
)
def test_degrees(degree: dict[str, str], expected: tuple[object, object, object]) -> None:
    assert [expected] == outcome(policy(incident_scheme("s", DEGREES)), incident("I1", **degree))


@pytest.mark.parametrize(
    ("settings", "days", "expected"),
    [
        ("", 3, "450.00"),
        ("", 0, "0.00"),
        ("", None, "0.00"),
        ("from_day = 4", 3, "0.00"),
        ("from_day = 4", 4, "150.00"),
        ("days_max = 5", 9, "750.00"),
        ("from_day = 4\ndays_max = 5", 7, "600.00"),
        ("from_day = 4\ndays_max = 5", 8, "750.00"),
        ("from_day = 4\ndays_max = 5", 30, "750.00"),
    ],
)
def test_days_of_an_incident(settings: str, days: int | None, expected: str) -> None:
    text = policy(incident_scheme("s", tier(f'per_day = "150.00"\n{settings}')))
    reason = "NOTHING_DUE" if expected == "0.00" else None
    assert [("0.00", expected, reason)] == outcome(text, incident("I1", days=days))


def test_two_incidents_do_not_share_days() -> None:
    """Their days are a number without dates."""
    text = policy(incident_scheme("s", tier('per_day = "150.00"')))
    assert [("0.00", "300.00", None)] * 2 == outcome(text, incident("I1", days=2), incident("I2", days=2))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([incident("I1")], "adjudicated"),
        ([incident("I1", "1999-12-31")], "no_policy"),
        ([incident("I1", "2010-01-01"), coverage_from("2010-01-02", version=2)], "not_covered"),
        ([incident("I1"), fact("person.died", died_on="2020-01-01")], "adjudicated"),
        ([incident("I1"), fact("person.died", died_on="2019-12-31")], "after_death"),
        ([incident("I1"), incident_voided("I1", 2)], "voided"),
        ([incident_voided("I1", 3), incident("I1", version=4)], "adjudicated"),
    ],
)
def test_statuses(facts: list[bytes], expected: str) -> None:
    """The day on which it occurred decides."""
    for arrival in ([coverage_from(), *facts], [*facts[::-1], coverage_from()]):
        (claim,) = adjudicate([policy(incident_scheme("s", FIXED))], arrival)[0]
        assert ("incident:I1", expected) == (claim["claim_id"], claim["status"])


def test_kinds_and_waiting_time() -> None:
    """A kind that is not listed is out of scope; waiting runs up to the day of the incident."""
    fires = policy(incident_scheme("s", FIXED, settings='incident_kinds = ["fire", "flood"]'))
    assert ["NOT_IN_SCOPE", None] == [
        each[2] for each in outcome(fires, incident("I1", kind="theft"), incident("I2", kind="flood"))
    ]
    wait = policy(incident_scheme("s", FIXED, settings="waiting_days = 30"))
    recent = coverage_from("2019-12-02", version=2)
    assert [("0.00", "5000.00", None)] == outcome(wait, recent, incident("I1", "2020-01-01"))
    assert [("0.00", "0.00", "WAITING_PERIOD")] == outcome(wait, recent, incident("I1", "2019-12-31"))


def test_a_scheme_for_another_occasion_covers_too() -> None:
    """A stay is adjudicated, out of scope, where only the scheme for incidents has a coverage; and the reverse."""
    only = policy(incident_scheme("i", FIXED), scheme("s", 'areas = ["A1"]', FULL))
    claims = decide(only, coverage_from(), *stay_of("E1", "2020-01-01", "5.00"))
    assert ("adjudicated", ["NOT_IN_SCOPE", "NO_COVERAGE"]) == (
        claims["E1"]["status"],
        [reason for _, _, reason in results(claims["E1"])],
    )
    reverse = policy(incident_scheme("i", FIXED, settings='areas = ["A1"]'), scheme("s", "", FULL))
    claims = decide(reverse, coverage_from(), incident("I1"))
    assert ("adjudicated", ["NO_COVERAGE", "NOT_IN_SCOPE"]) == (
        claims["incident:I1"]["status"],
        [reason for _, _, reason in results(claims["incident:I1"])],
    )


def test_losses_of_a_household_run_on() -> None:
    """A deductible of 100 in a year for two members: 80 and 80 are 160, of which 60 are over."""
    yearly = incident_scheme(
        "s", tier('brackets = [{ over = "100.00", rate = "1" }]'), settings='accumulates = "household_year"'
    )
    facts = [member("P1"), member("P2"), coverage_from(coverage_id="C2", person_id="P2")]
    facts += [incident("I2", verified_loss="80"), incident("I1", "2020-05-01", verified_loss="80", person_id="P2")]
    assert [("80.00", "60.00", None), ("80.00", "0.00", "NOTHING_DUE")] == outcome(policy(yearly), *facts)


# Sums assured for stays ---------------------------------------------------------------------------------------------


def test_a_sum_assured_leaves_the_bill_as_it_is() -> None:
    """5,000 fixed on a bill of 10: brackets after it see all 10, and the patient pays what they leave."""
    layers = [
        stay_scheme("fixed", FIXED),
        scheme("half", 'measured_on = "remaining"', '[{ over = "0", rate = "0.5" }]'),
    ]
    (claim,) = decide(policy(*layers), coverage_from(), *stay_of("E1", "2020-01-01", "10.00")).values()
    assert [("0.00", "5000.00", None), ("10.00", "5.00", None)] == results(claim)
    assert ("5005.00", "5.00") == (claim["total_benefit"], claim["patient_pays"])


def test_one_scheme_may_have_both_kinds_of_tier() -> None:
    """Only the tier that applies decides whether the bill is used up."""
    both = stay_scheme("s", tier('fixed = "7.00"', "poor"), BRACKETS)
    rest = scheme("rest", 'measured_on = "remaining"', FULL, tier(f"brackets = {FULL}", "poor") + BRACKETS)
    (claim,) = decide(policy(both, rest), coverage_from(), *stay_of("E1", "2020-01-01", "10.00")).values()
    assert [("10.00", "10.00", None), ("0.00", "0.00", "NOTHING_DUE")] == results(claim)
    (claim,) = decide(
        policy(both, rest), coverage_from(category="poor"), *stay_of("E1", "2020-01-01", "10.00")
    ).values()
    assert [("0.00", "7.00", None), ("10.00", "10.00", None)] == results(claim)


def test_limits_hold_for_sums_assured() -> None:
    """Caps and floors apply, and a cap counts what other tiers paid too; nothing is left of a bill of 0 either way."""
    text = policy(stay_scheme("s", FIXED, settings='cap_per_stay = "3000"\ncap_per_year = "4000"'))
    stays = [
        *stay_of("E1", "2020-01-01", "0.00"),
        *stay_of("E2", "2020-01-02", "0.00"),
        *stay_of("E3", "2020-01-03", "0"),
    ]
    paid = [("0.00", "3000.00", None), ("0.00", "1000.00", None), ("0.00", "0.00", "CAP_REACHED")]
    assert paid == outcome(text, *stays)
    floor = policy(stay_scheme("s", FIXED, settings='floor_per_stay = "5000.01"'))
    assert [("0.00", "0.00", "BELOW_FLOOR")] == outcome(floor, *stays[:2])


@pytest.mark.parametrize(
    ("admitted_on", "discharged_on", "settings", "expected"),
    [
        ("2020-01-01", "2020-01-01", "", "150.00"),  # at least one day
        ("2020-01-01", "2020-01-02", "", "150.00"),
        ("2020-02-28", "2020-03-01", "", "300.00"),
        ("2020-01-01", "2020-01-11", "from_day = 4\ndays_max = 5", "750.00"),  # the 4th to the 8th of ten days
        ("2020-01-01", "2020-01-07", "from_day = 4\ndays_max = 5", "450.00"),
        ("2020-01-01", "2020-01-04", "from_day = 4", "0.00"),
        ("2020-01-01", "2020-01-01", "from_day = 2", "0.00"),
    ],
)
def test_days_of_a_stay(admitted_on: str, discharged_on: str, settings: str, expected: str) -> None:
    reason = "NOTHING_DUE" if expected == "0.00" else None
    assert [("0.00", expected, reason)] == outcome(daily(settings), *stay("E1", admitted_on, discharged_on))


def test_a_day_counts_once_for_the_first_claim_in_order() -> None:
    """1 to 10 January, and 6 to 12, of which 11 and 12 were not counted before; a third within has nothing left."""
    stays = [*stay("E1", "2020-01-01", "2020-01-11"), *stay("E2", "2020-01-06", "2020-01-13")]
    assert [("0.00", "1500.00", None), ("0.00", "300.00", None)] == outcome(daily(), *stays)
    inside = stay("E3", "2020-01-10", "2020-01-13")  # E3 comes after E2 on one day
    assert ("0.00", "0.00", "NOTHING_DUE") == outcome(daily(), *stays, *inside)[2]
    others = [coverage_from(coverage_id="C2", person_id="P2"), *stay("F", "2020-01-01", "2020-01-11", person_id="P2")]
    assert ("0.00", "1500.00", None) == outcome(daily(), *stays, *others)[2]


def test_a_days_number_is_its_own_stays() -> None:
    """E1 is paid for the 4th to the 8th. Of E2, from the 6th, the 9th is the fourth day, and the first that is paid."""
    stays = [*stay("E1", "2020-01-01", "2020-01-11"), *stay("E2", "2020-01-06", "2020-01-13")]
    text = daily("from_day = 4\ndays_max = 5")
    assert [("0.00", "750.00", None), ("0.00", "600.00", None)] == outcome(text, *stays)


def test_the_most_days_are_the_first_that_are_free() -> None:
    """E1 was counted for 1 and 2 January; E2, from the 1st, has 3 and 4, not just what is left of its first two."""
    stays = [*stay("E1", "2020-01-01", "2020-01-09"), *stay("E2", "2020-01-01", "2020-01-10")]
    assert [("0.00", "300.00", None), ("0.00", "300.00", None)] == outcome(daily("days_max = 2"), *stays)


def test_days_count_whatever_the_limits_left() -> None:
    """E1's six days cost 900, of which a yearly cap of 200 leaves 200; next year's E2 has only the day after them."""
    stays = [*stay("E1", "2019-12-25", "2019-12-31"), *stay("E2", "2019-12-25", "2020-01-01")]
    text = daily(more='cap_per_year = "200.00"')
    assert [("0.00", "200.00", None), ("0.00", "150.00", None)] == outcome(text, *stays)


def test_days_are_each_schemes_own() -> None:
    """Two schemes both pay one day; a claim out of one's scope was not counted there."""
    inpatients = stay_scheme("a", tier('per_day = "10"'), settings='care_types = ["inpatient"]')
    text = policy(inpatients, stay_scheme("b", tier('per_day = "1"')))
    stays = stay("E1", "2020-01-01", "2020-01-03")
    course = discharge_of("E0", "2020-01-03", "2020-01-01", care_type="outpatient_special")
    claims = decide(text, coverage_from(), *stays, course, bill_of("E0", "1"))
    assert [("0.00", "0.00", "NOT_IN_SCOPE"), ("0.00", "2.00", None)] == results(claims["E0"])
    assert [("0.00", "20.00", None), ("0.00", "0.00", "NOTHING_DUE")] == results(claims["E1"])


# Once ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("once", "expected"),
    [
        ("", [None, None, None, None]),
        ('once_per = "claim"', [None, None, None, None]),
        ('once_per = "year"', [None, "ALREADY_PAID", None, "ALREADY_PAID"]),
        ('once_per = "life"', [None, "ALREADY_PAID", "ALREADY_PAID", "ALREADY_PAID"]),
    ],
)
def test_once(once: str, expected: list[str | None]) -> None:
    """Two in one policy year, and two in the next."""
    days = ("2020-06-01", "2020-06-30", "2020-07-01", "2021-06-30")
    text = policy(incident_scheme("s", FIXED, settings=once), year_starts="07-01")
    facts = [incident(f"I{number}", day) for number, day in enumerate(days)]
    assert expected == [reason for _, _, reason in outcome(text, *facts)]


def test_only_a_claim_that_pays_uses_up_the_once() -> None:
    """Not one with nothing due, nor one below the floor; and it is the person's, not the household's."""
    text = policy(incident_scheme("s", DEGREES, settings='once_per = "life"\nfloor_per_stay = "7000"'))
    degrees = {"I1": "9", "I2": "2", "I3": "1", "I4": "9", "I5": "1"}
    facts = [incident(name, degree=degree) for name, degree in degrees.items()]
    facts += [member("P1"), member("P2"), coverage_from(coverage_id="C2", person_id="P2")]
    facts.append(incident("I6", degree="1", person_id="P2"))
    expected = ["NOTHING_DUE", "BELOW_FLOOR", None, "NOTHING_DUE", "ALREADY_PAID", None]
    assert expected == [reason for _, _, reason in outcome(text, *facts)]


def test_what_was_measured_stays_in_the_running_sum() -> None:
    """80 pays nothing, 80 pays 60, 80 is paid already; the next release pays from 240 to 320, at half."""
    over = tier('brackets = [{ over = "100.00", rate = "1" }, { over = "240.00", rate = "0.5" }]')
    once = stay_scheme("s", over, settings='accumulates = "person_year"\nonce_per = "year"')
    free = stay_scheme("s", over, settings='accumulates = "person_year"')
    releases = [policy(once, end="2020-07-01", name="old"), policy(free, start="2020-07-01", name="new")]
    stays = [line for month in (1, 2, 3, 7) for line in stay_of(f"E{month}", f"2020-0{month}-01", "80.00")]
    expected = [
        ("80.00", "0.00", "NOTHING_DUE"),
        ("80.00", "60.00", None),
        ("80.00", "0.00", "ALREADY_PAID"),
        ("80.00", "40.00", None),
    ]
    assert expected == outcome(releases, *stays)


# Acceptance ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([incident("I1", degree="1", verified_loss="0", days=0, event_code="X", evidence=["0a" * 32])], []),
        ([incident("I1", verified_loss="-0.01")], ["NEGATIVE_AMOUNT"]),
        ([incident("I1", days=-1)], ["SCHEMA_INVALID"]),
        ([incident("I1", days="3")], ["SCHEMA_INVALID"]),
        ([incident("I1", degree=1)], ["SCHEMA_INVALID"]),
        ([incident("I1", verified_by=None)], ["SCHEMA_INVALID"]),
        ([incident("I1"), incident("I1", kind="flood")], ["VERSION_CONFLICT"]),
        ([incident("I1"), incident("I1", version=2, person_id="P2")], ["PERSON_MISMATCH"]),
        ([incident("I1", version=2), incident("I1")], []),
    ],
)
def test_acceptance(facts: list[bytes], expected: list[str]) -> None:
    assert expected == codes(*facts)
