"""Watches at their edges: windows, steps, days, units, categories, statuses (time.md, section 4)."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.dates import months_later
from tests.support.builders import VILLAGE, bill, coverage, death, discharge, membership, policies, policy_text, void
from tests.support.watches import found_in, stay, watch_text, watches_of

ONE = watches_of(watch_text())


def claims(found: list[tuple[str, str, str, str, str]]) -> list[tuple[str, str, str]]:
    """Claim, step and sum."""
    return [(claim, step, total) for _, claim, _, step, total in found]


def test_exactly_a_step_is_not_over_it() -> None:
    """1,000.00 does not cross the step of 1,000.00, also where another watch has a lower one; one fen more does."""
    lower = watches_of(watch_text(), watch_text("lower", "out_of_catalogue", steps='"0.00"'))
    for watches in (ONE, lower):
        assert [] == found_in(stay("E1", "2024-03-10", 1000), watches)
    fen_more = {**bill(), "copay": "1000.01", "total_charge": "1000.01", "out_of_catalogue": "0.00"}
    assert [("E1", "1000.00", "1000.01")] == claims(found_in([discharge(), fen_more], ONE))


def test_a_step_is_crossed_once_and_again_after_the_sum_fell() -> None:
    """A later claim over the same step crosses nothing, unless the claim before it was no longer over it."""
    events = [
        *stay("E1", "2023-01-10", 1500),
        *stay("E2", "2023-02-10", 300),
        *stay("E3", "2024-06-10", 200),
        *stay("E4", "2024-07-10", 900),
    ]
    assert [("E1", "1000.00", "1500.00"), ("E4", "1000.00", "1100.00")] == claims(found_in(events, ONE))


def test_a_sum_that_fell_between_two_claims_and_rose_again_is_no_crossing() -> None:
    """What counts is the unit's claim before, with its own window, not the days in between."""
    events = [*stay("E1", "2023-01-10", 1500), *stay("E2", "2024-06-10", 1200)]
    assert [("E1", "1000.00", "1500.00")] == claims(found_in(events, ONE))


def test_several_steps_at_once_are_several_crossings_by_amount() -> None:
    """In the order of their amounts, not of their digits or of the file."""
    steps = watches_of(watch_text(steps='"10000.00", "2000", 500'))
    found = claims(found_in(stay("E1", "2024-03-10", 12_000), steps))
    assert [("E1", step, "12000.00") for step in ("500.00", "2000.00", "10000.00")] == found


def test_a_step_of_zero_is_crossed_by_the_first_fen() -> None:
    """A unit without a claim before had zero, which is not over zero."""
    zero = watches_of(watch_text(steps='"0.00"'))
    events = [*stay("E1", "2024-03-10", 0), *stay("E2", "2024-03-11", 1), *stay("E3", "2024-03-12", 1)]
    assert [("E2", "0.00", "1.00")] == claims(found_in(events, zero))


@pytest.mark.parametrize(
    ("earlier", "later", "months", "together"),
    [
        ("2023-03-10", "2024-03-10", 12, False),
        ("2023-03-11", "2024-03-10", 12, True),
        ("2023-02-28", "2024-02-29", 12, False),
        ("2023-03-01", "2024-02-29", 12, True),
        ("2024-02-29", "2025-02-28", 12, True),
        ("2024-02-29", "2025-03-01", 12, False),
        ("2024-02-29", "2024-03-31", 1, False),
        ("2024-03-01", "2024-03-31", 1, True),
        ("2024-12-31", "2025-01-31", 1, False),
        ("2025-01-01", "2025-01-31", 1, True),
    ],
)
def test_a_window_begins_after_the_same_day_some_months_before(
    earlier: str, later: str, months: int, together: bool
) -> None:
    """The day itself is out, the next one is in; of a shorter month it is the last day."""
    events = [*stay("E1", earlier, 600), *stay("E2", later, 600)]
    assert together == bool(found_in(events, watches_of(watch_text(months=months))))


def test_months_are_subtracted_to_the_same_day_or_the_last_of_a_shorter_month() -> None:
    """Over the ends of years; before the year 1 there is no day."""
    assert date(2023, 12, 31) == months_later(date(2024, 1, 31), -1)
    assert date(2024, 2, 29) == months_later(date(2024, 3, 31), -1)
    assert date(2023, 2, 28) == months_later(date(2024, 2, 29), -12)
    assert date(1, 1, 28) == months_later(date(1, 2, 28), -1)
    assert months_later(date(1, 12, 31), -12) is None


def test_a_window_that_begins_before_all_days_holds_every_claim() -> None:
    """A hundred years before the year 50."""
    old = policies(policy_text("old", "0001-01-01", None, VILLAGE))
    events = [*stay("E1", "0001-01-01", 600), *stay("E2", "0050-01-01", 600)]
    assert [("E2", "1000.00", "1200.00")] == claims(found_in(events, watches_of(watch_text(months=1200)), old))


def test_claims_of_one_day_count_in_the_order_of_their_ids() -> None:
    """The sum of a claim holds those of its day before it, and not those after it."""
    day = "2024-03-10"
    events = [*stay("E3", day, 600), *stay("E1", day, 600), *stay("E2", day, 600)]
    two = watches_of(watch_text(steps='"1000.00", "1500.00"'))
    assert [("E2", "1000.00", "1200.00"), ("E3", "1500.00", "1800.00")] == claims(found_in(events, two))


@pytest.mark.parametrize(
    ("measure", "total"),
    [
        ("copay", "3000.00"),
        ("out_of_catalogue", "2000.00"),
        ("personal_burden", "5000.00"),
        ("patient_pays", "4700.00"),
    ],
)
def test_each_measure_is_what_its_name_says(measure: str, total: str) -> None:
    """Of the contract's example: 3,000 of copay, 2,000 out of catalogue, and a benefit of 300."""
    village = policies(policy_text("wuxi", "2019-01-01", None, VILLAGE))
    events = [coverage(), *stay("E1", "2024-03-10", 3000, 2000)]
    found = found_in(events, watches_of(watch_text(measure=measure)), village)
    assert [("E1", "1000.00", total)] == claims(found)


def test_days_outside_a_watch_count_and_cross_nothing() -> None:
    """By the day of discharge, half-open; what was paid before its first day is in the sums."""
    head = "effective_from = 2024-03-10\neffective_to = 2024-04-10"
    dated = watches_of(watch_text(months=1, steps='"500.00", "1000.00"'), head=head)
    before = [*stay("E1", "2024-03-09", 600), *stay("E2", "2024-03-10", 600)]
    assert [("E2", "1000.00", "1200.00")] == claims(found_in(before, dated))
    assert [("E1", "500.00", "600.00")] == claims(found_in(stay("E1", "2024-04-09", 600), dated))
    assert [] == found_in(stay("E1", "2024-04-10", 600), dated)


def test_a_category_says_who_may_cross_and_the_sums_hold_all_claims() -> None:
    """A coverage of one of them, of any programme, on the day of discharge; one that ends on it does not count."""
    poor = watches_of(watch_text(steps='"500.00", "1000.00"', more='categories = ["tekun", "dibao"]'))
    covered = coverage("C1", "dibao", programme="other", valid_from="2024-03-01", valid_to="2024-04-01")
    events = [covered, *stay("E1", "2024-02-10", 600), *stay("E2", "2024-03-31", 600), *stay("E3", "2024-04-01", 600)]
    assert [("E2", "1000.00", "1200.00")] == claims(found_in(events, poor))
    assert [] == found_in([{**covered, "valid_from": "2024-04-01", "valid_to": "2024-05-01"}, *events[1:5]], poor)


def test_what_pays_nothing_counts_nothing_unless_it_is_not_covered() -> None:
    """Voided, incomplete, after death, no policy: no claim of a sum, and no claim before another."""
    out = [
        *stay("E1", "2024-03-10", 2000),
        void("S-E1", "E1"),
        discharge("E2", "2024-03-11"),
        bill("S-E3", "E3", 2000),
        *stay("E4", "2019-12-31", 2000),
        death("2024-03-11"),
        *stay("E5", "2024-03-12", 2000),
        *stay("E6", "2024-03-10", 600),
    ]
    assert [] == found_in(out, ONE)
    assert [("E7", "1000.00", "1200.00")] == claims(found_in([*out, *stay("E7", "2024-03-11", 600)], ONE))


def test_a_household_adds_up_what_its_members_bear() -> None:
    """The claim that crosses is one member's; the unit is the household on the day of each discharge."""
    home = watches_of(watch_text(unit="household"))
    events = [
        membership("M1", "H1", person_id="P1", valid_from="2024-02-01"),
        membership("M2", "H1", person_id="P2", valid_from="2024-02-01", valid_to="2024-05-01"),
        *stay("E0", "2024-01-31", 600, person_id="P1"),
        *stay("E1", "2024-02-01", 600, person_id="P1"),
        *stay("E2", "2024-04-30", 600, person_id="P2"),
        *stay("E3", "2024-05-01", 600, person_id="P2"),
    ]
    assert [("w", "E2", "H1", "1000.00", "1200.00")] == found_in(events, home)
    assert [("E1", "1000.00", "1200.00"), ("E3", "1000.00", "1200.00")] == claims(found_in(events, ONE))


@pytest.mark.parametrize("unit", ["single", "collective"])
def test_who_counts_alone_is_a_unit_of_their_own(unit: str) -> None:
    """The unit is then the person, also where the membership names the same household as others."""
    home = watches_of(watch_text(unit="household"))
    alone = membership("M1", "H1", person_id="P1", unit=unit)
    events = [alone, membership("M2", "H1", person_id="P2"), *stay("E1", "2024-03-10", 600, person_id="P2")]
    events += [*stay("E2", "2024-03-11", 600, person_id="P1"), *stay("E3", "2024-03-12", 600, person_id="P1")]
    assert [("w", "E3", "P1", "1000.00", "1200.00")] == found_in(events, home)


def test_a_household_and_a_person_of_one_name_are_two_units() -> None:
    """An id of a household may be that of a person elsewhere; their sums have nothing to do with each other."""
    home = watches_of(watch_text(unit="household"))
    events = [membership("M1", "P2", person_id="P1"), *stay("E1", "2024-03-10", 600, person_id="P1")]
    assert [] == found_in([*events, *stay("E2", "2024-03-11", 600, person_id="P2")], home)


def test_a_correction_withdraws_what_it_undoes() -> None:
    """A corrected bill, a voided one, and a later discharge."""
    events = [*stay("E1", "2024-03-10", 600), *stay("E2", "2024-04-10", 600)]
    assert ["E2"] == [claim for claim, _, _ in claims(found_in(events, ONE))]
    smaller = {**events[3], "version": 2, "copay": "400.00", "total_charge": "400.00"}
    later = {**stay("E2", "2025-03-10", 600)[0], "version": 2}
    for correction in (smaller, void("S-E1", "E1"), later):
        assert [] == found_in([*events, correction], ONE)


def test_whom_any_watch_can_find_is_decided() -> None:
    """The lowest step of all watches says whom no watch can find, wherever it stands in the file."""
    two = watches_of(watch_text("high", steps='"9000.00"'), watch_text("low"), watch_text("higher", steps='"9999.00"'))
    assert [("E1", "1000.00", "1200.00")] == claims(found_in(stay("E1", "2024-03-10", 1200), two))


def test_sums_of_persons_are_not_added_up_without_a_household() -> None:
    """Two persons of whom each bears 600."""
    events = [*stay("E1", "2024-03-10", 600, person_id="P1"), *stay("E2", "2024-03-11", 600, person_id="P2")]
    for unit in ("person", "household"):
        assert [] == found_in(events, watches_of(watch_text(unit=unit)))
