"""Worked examples of grace, by hand from time.md, section 6, that pin its oracle."""

import json
from datetime import date

import pytest

from .builders import codes, coverage_from, decide, policy, results, scheme, stay_of
from .calculator import adjudicate
from .grace import months_after
from .grace_cases import random_grace_case

FULL = '[{ over = "0.00", rate = "1" }]'


def graced(months: int, *reasons: str, name: str = "s", more: str = "") -> str:
    """A scheme that pays all, with so many months of grace, for some reasons or for all."""
    listed = f"\ngrace_reasons = {json.dumps(reasons)}" if reasons else ""
    return scheme(name, f"grace_months = {months}{listed}\n{more}", FULL)


def ended(valid_to: str, reason: str | None = "income", category: str = "member", **fields: object) -> bytes:
    if reason is not None:
        fields["ended_reason"] = reason
    return coverage_from("2000-01-01", category, valid_to=valid_to, **fields)


@pytest.mark.parametrize(
    ("valid_to", "months", "last_day", "day_after"),
    [
        ("2024-03-15", 1, "2024-04-14", "2024-04-15"),
        ("2024-01-31", 1, "2024-02-28", "2024-02-29"),  # clamped to 29 February, which is the first day without
        ("2023-01-31", 1, "2023-02-27", "2023-02-28"),
        ("2024-03-31", 1, "2024-04-29", "2024-04-30"),
        ("2023-12-01", 3, "2024-02-29", "2024-03-01"),
        ("2024-02-29", 12, "2025-02-27", "2025-02-28"),
        ("2024-02-29", 48, "2028-02-28", "2028-02-29"),
        ("2024-11-30", 3, "2025-02-27", "2025-02-28"),
        ("2024-12-31", 2, "2025-02-27", "2025-02-28"),
    ],
)
def test_the_last_day_of_grace(valid_to: str, months: int, last_day: str, day_after: str) -> None:
    """Calendar months from the first day without coverage, clamped to the month's end; that day is out again."""
    facts = [ended(valid_to), *stay_of("E1", valid_to, "1.00"), *stay_of("E2", last_day, "1.00")]
    claims = decide(policy(graced(months)), *facts, *stay_of("E3", day_after, "1.00"))
    assert ["adjudicated", "adjudicated", "not_covered"] == [claims[name]["status"] for name in ("E1", "E2", "E3")]


def test_months_go_past_the_last_year() -> None:
    """A coverage that ends with the calendar has its grace all the same; and months subtract."""
    assert (10000, 2, 29) == months_after(date(9999, 12, 31), 2)
    assert (2024, 2, 29) == months_after(date(2024, 3, 31), -1)
    assert (2023, 12, 31) == months_after(date(2024, 12, 31), -12)
    assert (0, 12, 1) == months_after(date(1, 1, 1), -1)
    last = [ended("9999-12-31"), *stay_of("E1", "9999-12-31", "1.00")]
    far = [line.replace(b"2030-01-01", b"9999-12-31") for line in last]
    assert "adjudicated" == decide(policy(graced(1)), *far)["E1"]["status"]


@pytest.mark.parametrize(
    ("listed", "reason", "expected"),
    [
        (("income", "assets"), "assets", "adjudicated"),
        (("income", "assets"), "moved", "not_covered"),
        (("income", "assets"), None, "not_covered"),
        ((), "fraud", "adjudicated"),
        ((), None, "adjudicated"),
    ],
)
def test_reasons(listed: tuple[str, ...], reason: str | None, expected: str) -> None:
    """A list lets in those reasons alone; without one every ending counts, one without a reason too."""
    claims = decide(policy(graced(6, *listed)), ended("2020-01-01", reason), *stay_of("E1", "2020-06-30", "1.00"))
    assert expected == claims["E1"]["status"]


def test_grace_is_each_schemes_own() -> None:
    """The scheme beside it without grace has no coverage; one whose reasons are others neither."""
    layers = [graced(3, name="a"), scheme("b", "", FULL), graced(3, "moved", name="c"), graced(1, name="d")]
    claims = decide(policy(*layers), ended("2020-01-01"), *stay_of("E1", "2020-02-01", "5.00"))
    assert "adjudicated" == claims["E1"]["status"]
    assert [None, "NO_COVERAGE", "NO_COVERAGE", "NO_COVERAGE"] == [reason for _, _, reason in results(claims["E1"])]


def test_only_a_coverage_that_would_have_counted_has_grace() -> None:
    """Not of another programme, another area, another category, before it began, or once it is voided."""
    stay = stay_of("E1", "2020-02-01", "5.00")
    other = scheme("o", 'areas = ["A1"]\ngrace_months = 3', FULL)
    for held, areas in (
        (ended("2020-01-01", programme="other"), False),
        (ended("2020-01-01", category="other"), False),
        (ended("2020-01-01", area="A2"), True),
    ):
        assert "not_covered" == decide(policy(other if areas else graced(3)), held, *stay)["E1"]["status"]
    early = coverage_from("2020-03-01", valid_to="2020-04-01", ended_reason="income")
    assert "not_covered" == decide(policy(graced(3)), early, *stay)["E1"]["status"]
    void = json.loads(ended("2020-01-01", version=2)) | {"event_type": "coverage.voided", "reason": "r"}
    facts = [ended("2020-01-01"), json.dumps(void).encode(), *stay]
    assert "not_covered" == decide(policy(graced(3)), *facts)["E1"]["status"]


def test_waiting_time_runs_from_the_coverages_first_day() -> None:
    """From 1 January 2000 to the stay are more than 7,000 days, the months of grace among them."""
    waiting = graced(3, more="waiting_days = 7336")  # 2000-01-01 to 2020-02-01: 20 years, 5 leap days, 31 days
    claims = decide(policy(waiting), ended("2020-01-01"), *stay_of("E1", "2020-02-01", "5.00"))
    assert [("5.00", "5.00", None)] == results(claims["E1"])
    longer = graced(3, more="waiting_days = 7337")
    claims = decide(policy(longer), ended("2020-01-01"), *stay_of("E1", "2020-02-01", "5.00"))
    assert [("0.00", "0.00", "WAITING_PERIOD")] == results(claims["E1"])


def test_a_coverage_in_grace_gives_a_tier_like_any_other() -> None:
    """The first tier of the policy applies, though the coverage that gives it is the one in grace."""
    tiers = "".join(
        f'[[scheme.tier]]\nname = "{name}"\ncategories = ["{name}"]\nbrackets = [{{ over = "0", rate = "{rate}" }}]\n'
        for name, rate in (("poor", "0.9"), ("member", "0.1"))
    )
    facts = [ended("2020-01-01", category="poor"), coverage_from(coverage_id="C2"), *stay_of("E1", "2020-02-01", "10")]
    for months, expected in ((2, ("10.00", "9.00", None)), (1, ("10.00", "1.00", None))):
        graceful = scheme("s", f"grace_months = {months}", "", tiers)
        assert [expected] == results(decide(policy(graceful), *facts)["E1"])


def test_the_newest_version_says_when_and_why_it_ended() -> None:
    """A correction of the reason or of the day decides again."""
    stay = stay_of("E1", "2020-02-01", "5.00")
    for newer, expected in (
        (ended("2020-01-01", "moved", version=2), "not_covered"),
        (ended("2019-12-01", "income", version=2), "not_covered"),
        (ended("2020-01-02", "income", version=2), "adjudicated"),
    ):
        claims = decide(policy(graced(2, "income")), ended("2020-01-01"), newer, *stay)
        assert expected == claims["E1"]["status"]


def test_why_a_coverage_ended_is_one_of_seven_words() -> None:
    """Any other is refused with its pointer; a reason without an end is accepted and means nothing."""
    for word in ("income", "assets", "employment", "moved", "death", "fraud", "request"):
        assert [] == codes(ended("2020-01-01", word))
    for wrong in ("Income", "illness", ""):
        assert ["SCHEMA_INVALID"] == codes(ended("2020-01-01", wrong))
    wrong_kind = coverage_from(ended_reason=7)
    refusals = adjudicate([policy(graced(1))], [wrong_kind])[1]
    assert [["/ended_reason"]] == [refusal["pointers"] for refusal in refusals]
    endless = coverage_from(ended_reason="income")
    assert "adjudicated" == decide(policy(graced(1)), endless, *stay_of("E1", "2029-01-01", "1"))["E1"]["status"]


def test_random_cases_are_about_grace() -> None:
    """In many of them grace decides otherwise than none would, and lists of reasons otherwise than no list."""
    by_grace, by_reason = 0, 0
    for seed in range(60):
        case = random_grace_case(seed)
        claims = adjudicate(case.policy_texts, case.lines)[0]

        def without(setting: str, texts: list[str] = case.policy_texts) -> list[str]:
            return ["\n".join(line for line in text.split("\n") if not line.startswith(setting)) for text in texts]

        by_grace += claims != adjudicate(without("grace_"), case.lines)[0]
        by_reason += claims != adjudicate(without("grace_reasons"), case.lines)[0]
    assert by_grace >= 20
    assert by_reason >= 5
