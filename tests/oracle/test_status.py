"""Who is not covered, which status comes first, and what each status lists: section 4 and 8, by hand."""

import pytest

from .builders import bill_of, coverage_from, decide, discharge_of, fact, policy, results, scheme, stay_of, void_of

FULL = '[{ over = "0.00", rate = "1" }]'
OUT_OF_SCOPE = 'care_types = ["outpatient_special"]'
DIED = fact("person.died", died_on="2009-01-01")


def scheme_of(programme: str, settings: str = "", category: str = "member") -> str:
    """A scheme that pays everything, for one category of a programme."""
    written = scheme(f"{programme}-{category}", settings, FULL)
    return written.replace('"aid"', f'"{programme}"').replace('["member"]', f'["{category}"]')


@pytest.mark.parametrize(
    ("settings", "coverages", "expected", "reason"),
    [
        # The stay is out of scope, or the coverage too young, or both: the person is covered all the same.
        (OUT_OF_SCOPE, [coverage_from()], "adjudicated", "NOT_IN_SCOPE"),
        ('facility_levels = ["city"]', [coverage_from()], "adjudicated", "NOT_IN_SCOPE"),
        ('diagnoses_any = ["C"]', [coverage_from()], "adjudicated", "NOT_IN_SCOPE"),
        ("waiting_days = 1", [coverage_from("2020-01-01")], "adjudicated", "WAITING_PERIOD"),
        (f"{OUT_OF_SCOPE}\nwaiting_days = 1", [coverage_from("2020-01-01")], "adjudicated", "NOT_IN_SCOPE"),
        ("waiting_days = 0", [coverage_from("2020-01-01")], "adjudicated", None),
        # A coverage of another category, programme, area or day, or a voided one, covers nobody.
        ("", [coverage_from(category="guest")], "not_covered", "NO_TIER"),
        ("waiting_days = 1", [coverage_from("2020-01-01", category="guest")], "not_covered", "WAITING_PERIOD"),
        (OUT_OF_SCOPE, [coverage_from(category="guest")], "not_covered", "NOT_IN_SCOPE"),
        (OUT_OF_SCOPE, [], "not_covered", "NOT_IN_SCOPE"),
        (OUT_OF_SCOPE, [coverage_from(programme="other")], "not_covered", "NOT_IN_SCOPE"),
        ("", [coverage_from(programme="other")], "not_covered", "NO_COVERAGE"),
        (OUT_OF_SCOPE, [coverage_from("2020-01-02")], "not_covered", "NOT_IN_SCOPE"),
        (OUT_OF_SCOPE, [coverage_from(valid_to="2020-01-01")], "not_covered", "NOT_IN_SCOPE"),
        (f'{OUT_OF_SCOPE}\nareas = ["A1"]', [coverage_from(area="A1")], "adjudicated", "NOT_IN_SCOPE"),
        (f'{OUT_OF_SCOPE}\nareas = ["A1"]', [coverage_from(area="A2")], "not_covered", "NOT_IN_SCOPE"),
        ('areas = ["A1"]', [coverage_from()], "not_covered", "NO_COVERAGE"),
        (
            OUT_OF_SCOPE,
            [coverage_from(), fact("coverage.voided", coverage_id="C1", version=2, reason="r")],
            "not_covered",
            "NOT_IN_SCOPE",
        ),
    ],
)
def test_scope_and_waiting_time_say_nothing_about_cover(
    settings: str, coverages: list[bytes], expected: str, reason: str | None
) -> None:
    """The scheme's reason is what it was; only programme, area, category and day say who is covered."""
    claim = decide(policy(scheme("s", settings, FULL)), *coverages, *stay_of("E1", "2020-01-01", "5.00"))["E1"]
    benefit = measured = "5.00" if reason is None else "0.00"  # a reason of step 1 comes before the measuring
    assert (expected, "p", "5.00") == (claim["status"], claim["policy_id"], claim["personal_burden"])
    assert [(measured, benefit, reason)] == results(claim)
    assert (benefit, "0.00" if reason is None else "5.00") == (claim["total_benefit"], claim["patient_pays"])


@pytest.mark.parametrize(
    ("schemes", "expected", "reasons"),
    [
        # The category is listed, but by a scheme of another programme.
        ([("aid", "", "guest"), ("other", "", "member")], "not_covered", ["NO_TIER", "NO_COVERAGE"]),
        # One scheme is enough, wherever it stands and though it pays nothing.
        ([("aid", "", "guest"), ("aid", OUT_OF_SCOPE, "member")], "adjudicated", ["NO_TIER", "NOT_IN_SCOPE"]),
        ([("aid", "waiting_days = 99999", "member"), ("other", "", "member")], "adjudicated", None),
        # The area must be right in the scheme that lists the category.
        ([("aid", "", "guest"), ("aid", 'areas = ["A2"]', "member")], "not_covered", ["NO_TIER", "NO_COVERAGE"]),
    ],
)
def test_programme_area_and_category_must_meet_in_one_scheme(
    schemes: list[tuple[str, str, str]], expected: str, reasons: list[str] | None
) -> None:
    """The person is a member of `aid` in A1."""
    text = policy(*[scheme_of(*each) for each in schemes])
    claim = decide(text, coverage_from(area="A1"), *stay_of("E1", "2020-01-01", "5.00"))["E1"]
    assert (expected, "p", "0.00") == (claim["status"], claim["policy_id"], claim["total_benefit"])
    given = ["WAITING_PERIOD", "NO_COVERAGE"] if reasons is None else reasons
    assert [("0.00", "0.00", reason) for reason in given] == results(claim)


def test_a_second_tier_and_a_young_coverage_cover_too() -> None:
    """The old coverage is in no tier and the listed one too young: covered, whatever the scheme pays."""
    tiers = "".join(
        f'[[scheme.tier]]\nname = "{name}"\ncategories = ["{name}"]\nbrackets = {FULL}\n' for name in ("vip", "member")
    )
    coverages = [coverage_from(category="guest"), coverage_from("2020-01-01", coverage_id="C2")]
    text = policy(scheme("s", "waiting_days = 30", "", tiers))
    assert "adjudicated" == decide(text, *coverages, *stay_of("E1", "2020-01-01", "5.00"))["E1"]["status"]
    assert "not_covered" == decide(text, coverages[0], *stay_of("E1", "2020-01-01", "5.00"))["E1"]["status"]


def test_a_coverage_that_comes_later_decides_anew() -> None:
    """The claim that was not covered is paid in full once the coverage is there."""
    facts = stay_of("E1", "2020-01-01", "5.00")
    text = policy(scheme("s", "", FULL))
    before, after = decide(text, *facts)["E1"], decide(text, *facts, coverage_from())["E1"]
    assert ("not_covered", "0.00", "5.00") == (before["status"], before["total_benefit"], before["patient_pays"])
    assert ("adjudicated", "5.00", "0.00") == (after["status"], after["total_benefit"], after["patient_pays"])


BEFORE_ALL = discharge_of("E1", "2009-12-31")  # before the policy, and after the death
AFTER_ALL = discharge_of("E1", "2020-01-01")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([void_of("E1", 2), BEFORE_ALL, DIED], "voided"),
        ([void_of("E1", 2)], "voided"),
        ([BEFORE_ALL, DIED], "incomplete"),
        ([bill_of("E1", "5.00"), DIED], "incomplete"),
        ([bill_of("E1", "5.00", final=False), BEFORE_ALL, DIED], "incomplete"),
        ([bill_of("E1", "5.00"), BEFORE_ALL, DIED], "after_death"),
        ([bill_of("E1", "5.00"), AFTER_ALL, DIED], "after_death"),
        ([bill_of("E1", "5.00"), AFTER_ALL, DIED, coverage_from()], "after_death"),
        ([bill_of("E1", "5.00"), BEFORE_ALL], "no_policy"),
        ([bill_of("E1", "5.00"), BEFORE_ALL, coverage_from()], "no_policy"),
        ([bill_of("E1", "5.00"), AFTER_ALL], "not_covered"),
        ([bill_of("E1", "5.00"), AFTER_ALL, coverage_from(category="visitor")], "not_covered"),
        ([bill_of("E1", "5.00"), AFTER_ALL, coverage_from(category="guest")], "adjudicated"),
        ([bill_of("E1", "5.00"), AFTER_ALL, coverage_from()], "adjudicated"),
    ],
)
def test_the_first_status_that_holds_is_the_claims(facts: list[bytes], expected: str) -> None:
    """Only a claim that is not covered or adjudicated has a policy and lists its schemes, all, in order."""
    text = policy(scheme_of("zoo"), scheme_of("aid"), scheme_of("aid", OUT_OF_SCOPE, "guest"))
    claim = decide(text, *facts)["E1"]
    benefits = claim["benefits"]
    assert isinstance(benefits, list)
    listed = ["zoo-member", "aid-member", "aid-guest"] if expected in ("not_covered", "adjudicated") else []
    assert (expected, listed) == (claim["status"], [benefit["scheme_id"] for benefit in benefits])
    assert ("p" if listed else None) == claim["policy_id"]
    paid = "5.00" if facts[-1] == coverage_from() and expected == "adjudicated" else "0.00"  # a guest is out of scope
    assert paid == claim["total_benefit"]


def test_what_is_not_reached_is_printed_as_nothing() -> None:
    """A claim that is not covered: no tier, nothing measured, nothing paid, and the patient pays it all."""
    claim = decide(policy(scheme("s", "", FULL)), *stay_of("E1", "2020-01-01", "3.00", "2.00"))["E1"]
    zero = {"tier": None, "basis": "personal_burden", "measured": "0.00", "benefit": "0.00"}
    expected = {
        "claim_id": "E1",
        "person_id": "P1",
        "status": "not_covered",
        "policy_id": "p",
        "personal_burden": "5.00",
        "benefits": [{"scheme_id": "s", **zero, "reason": "NO_COVERAGE"}],
        "total_benefit": "0.00",
        "patient_pays": "5.00",
    }
    assert expected == claim
