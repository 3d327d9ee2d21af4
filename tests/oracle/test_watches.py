"""Worked examples of watches, by hand from time.md, section 4, that pin their oracle."""

import json
import random
from collections import Counter

import pytest

from .alerts import take
from .builders import bill_of, coverage_from, discharge_of, fact, member, policy, scheme, void_of
from .calculator import RefusalError, read_event
from .occasion_builders import aid, incident
from .watch_cases import random_watch_case
from .watches import crossings

HALF = policy(scheme("s", "", '[{ over = "0.00", rate = "0.5" }]'))


def watch(*steps: str, name: str = "w", **settings: object) -> str:
    """A watch over twelve months of a person's burden, unless it says otherwise."""
    said: dict[str, object] = {"id": name, "title": "t", "measure": "personal_burden", "unit": "person"}
    said |= {"window_months": 12, "steps": list(steps), **settings}
    return "\n".join(["[[watch]]", *(f"{key} = {json.dumps(value)}" for key, value in said.items())])


def file(*watches: str, more: str = "") -> str:
    return f'[watches]\nid = "sample"\n{more}\n' + "\n".join(watches)


def stay(claim: str, day: str, copay: str, out: str = "0.00", person: str = "P1") -> list[bytes]:
    return [discharge_of(claim, day, person_id=person), bill_of(claim, copay, out, person_id=person)]


def found(text: str, *facts: bytes, policy_text: str = HALF) -> list[tuple[str, str, str]]:
    """Claim, step and sum of each crossing."""
    lines, refusals = crossings(text, [policy_text], list(facts))
    assert [] == refusals
    return [(line["claim_id"], line["step"], line["sum"]) for line in lines]


def test_a_line_says_who_went_over_which_step() -> None:
    lines, _ = crossings(file(watch("10")), [HALF], stay("E1", "2020-01-01", "10.01", person="P2"))
    line = {"watch": "w", "claim_id": "E1", "person_id": "P2", "unit": "P2", "step": "10.00", "sum": "10.01"}
    assert [line] == lines
    # word for word, in this order
    assert ["watch", "claim_id", "person_id", "unit", "step", "sum"] == list(lines[0])


@pytest.mark.parametrize(("amount", "expected"), [("10.00", []), ("10.01", [("E1", "10.00", "10.01")])])
def test_a_step_is_crossed_only_above_it(amount: str, expected: list[tuple[str, str, str]]) -> None:
    assert expected == found(file(watch("10.00")), *stay("E1", "2020-01-01", amount))


def test_the_claim_that_takes_the_sum_over_a_step_crosses_it_and_no_later_one() -> None:
    """4 + 6 = 10 is not over 10; one fen more is; then 20.01 is over 20 also. Both steps at once, the smaller first."""
    stays = [*stay("E1", "2020-01-01", "4"), *stay("E2", "2020-02-01", "6"), *stay("E3", "2020-03-01", "0.01")]
    stays += stay("E4", "2020-04-01", "5")
    assert [("E3", "10.00", "10.01")] == found(file(watch("20.00", "10.00")), *stays)
    last = [("E3", "10.00", "10.01"), ("E5", "20.00", "20.01")]
    assert last == found(file(watch("20.00", "10.00")), *stays, *stay("E5", "2020-05-01", "5"))
    at_once = found(file(watch("20.00", "9.00", "100")), *stay("E1", "2020-01-01", "20.01"))
    assert [("E1", "9.00", "20.01"), ("E1", "20.00", "20.01")] == at_once


def test_on_one_day_the_claim_ids_decide() -> None:
    """E10 comes before E9, which takes the sum over; and a later day's claim comes after both."""
    stays = [*stay("E9", "2020-01-02", "6"), *stay("E10", "2020-01-02", "6"), *stay("E1", "2020-01-03", "6")]
    assert [("E9", "10.00", "12.00")] == found(file(watch("10")), *stays)


@pytest.mark.parametrize(
    ("first", "months", "second", "is_in"),
    [
        ("2020-01-15", 1, "2020-02-14", True),
        ("2020-01-15", 1, "2020-02-15", False),
        ("2020-02-29", 1, "2020-03-28", True),
        ("2020-02-29", 1, "2020-03-29", False),
        ("2020-02-29", 1, "2020-03-31", False),  # back to 29 February, the last of the shorter month
        ("2020-03-01", 1, "2020-03-31", True),
        ("2021-02-28", 1, "2021-03-28", False),
        ("2020-02-29", 12, "2021-02-28", True),  # back to 28 February 2020
        ("2020-02-29", 12, "2021-03-01", False),
        ("2020-02-28", 12, "2021-02-28", False),
        ("2019-12-31", 2, "2020-02-29", True),  # back to 29 December
        ("2019-12-29", 2, "2020-02-29", False),
    ],
)
def test_the_window(first: str, months: int, second: str, is_in: bool) -> None:
    """It begins after the same day so many months before, or after the last of a shorter month."""
    stays = [*stay("E1", first, "6"), *stay("E2", second, "6")]
    assert ([("E2", "10.00", "12.00")] if is_in else []) == found(file(watch("10", window_months=months)), *stays)


def test_a_unit_crosses_again_once_a_claim_had_a_sum_that_was_not_over() -> None:
    """12 in January, then 1 in May, whose month holds nothing else, then 12 in June."""
    monthly = file(watch("10", window_months=1))
    stays = [*stay("E1", "2020-01-01", "12"), *stay("E2", "2020-05-20", "1"), *stay("E3", "2020-06-10", "12")]
    assert [("E1", "10.00", "12.00"), ("E3", "10.00", "13.00")] == found(monthly, *stays)


def test_the_claim_before_may_lie_before_the_window() -> None:
    """12 in January and 12 in June: the unit's claim before had a sum over 10 as well, so June crosses nothing."""
    monthly = file(watch("10", window_months=1))
    assert [("E1", "10.00", "12.00")] == found(
        monthly, *stay("E1", "2020-01-01", "12"), *stay("E2", "2020-06-10", "12")
    )


@pytest.mark.parametrize(
    ("measure", "expected"),
    [("copay", "3.00"), ("out_of_catalogue", "7.00"), ("personal_burden", "10.00"), ("patient_pays", "5.00")],
)
def test_measures(measure: str, expected: str) -> None:
    """Of 3 copay and 7 outside half is paid; where nobody is covered the patient pays all."""
    facts = stay("E1", "2020-01-01", "3", "7")
    assert [("E1", "1.00", expected)] == found(file(watch("1", measure=measure)), coverage_from(), *facts)
    uncovered = "10.00" if measure == "patient_pays" else expected
    assert [("E1", "1.00", uncovered)] == found(file(watch("1", measure=measure)), *facts)


def test_only_adjudicated_and_not_covered_claims_count() -> None:
    """Not one that waits, is voided, has no policy or began after death: it neither crosses nor is in a sum."""
    small, last = stay("E1", "2020-01-01", "6"), stay("E9", "2020-03-01", "6")
    text = file(watch("10"))
    assert [("E9", "10.00", "12.00")] == found(text, *small, *last)
    assert [] == found(text, small[0], *last)
    assert [] == found(text, small[0], bill_of("E1", "6", final=False), *last)
    assert [] == found(text, *small, void_of("E1", 2), *last)
    assert [] == found(
        text, *small, *last, policy_text=policy(scheme("s", "", '[{ over = "0", rate = "1" }]'), start="2020-02-01")
    )
    assert [] == found(text, *small, *last, fact("person.died", died_on="2020-02-29"))


def test_watches_look_at_stays_only() -> None:
    """A loss of 99 crosses nothing, and is in no sum."""
    facts = [incident("I1", "2020-01-01", verified_loss="99"), aid("A1", "99"), *stay("E1", "2020-01-02", "6")]
    assert [] == found(file(watch("10")), *facts, coverage_from())


def test_a_household_is_counted_together() -> None:
    """Each claim with the household of its own day; who has none, or is single, is counted alone."""
    facts = [member("P1"), member("P2", valid_to="2020-02-01"), member("P3", unit="single")]
    facts += [*stay("E1", "2020-01-01", "6"), *stay("E2", "2020-01-02", "6", person="P2")]
    facts += [*stay("E3", "2020-02-01", "6", person="P2"), *stay("E4", "2020-02-02", "12", person="P3")]
    lines, _ = crossings(file(watch("10", unit="household"), watch("10", name="alone")), [HALF], facts)
    assert [
        ("alone", "E3", "P2", "P2", "12.00"),
        ("alone", "E4", "P3", "P3", "12.00"),
        ("w", "E2", "P2", "HH1", "12.00"),
        ("w", "E4", "P3", "P3", "12.00"),
    ] == [(line["watch"], line["claim_id"], line["person_id"], line["unit"], line["sum"]) for line in lines]


def test_a_household_and_a_person_of_one_name_are_two_units() -> None:
    facts = [member("P2", "P1"), *stay("E1", "2020-01-01", "6"), *stay("E2", "2020-01-02", "6", person="P2")]
    assert [] == found(file(watch("10", unit="household")), *facts)


def test_categories_say_who_may_cross_and_not_what_is_summed() -> None:
    """A coverage of any programme, on the day itself; the sum before was the unit's, whoever's claim it was."""
    text = file(watch("10", unit="household", categories=["poor"]))
    poor = coverage_from("2020-02-01", "poor", programme="other", valid_to="2020-03-01")
    facts = [member("P1"), member("P2"), poor, *stay("E1", "2020-01-15", "6", person="P2")]
    assert [("E2", "10.00", "12.00")] == found(text, *facts, *stay("E2", "2020-02-01", "6"))
    assert [] == found(text, *facts, *stay("E2", "2020-01-31", "6"))
    assert [] == found(text, *facts, *stay("E2", "2020-03-01", "6"))
    assert [] == found(text, *facts, *stay("E2", "2020-02-01", "6", person="P2"))
    over_before = stay("E1b", "2020-01-20", "6", person="P2")
    assert [] == found(text, *facts, *over_before, *stay("E2", "2020-02-01", "6"))
    void = fact("coverage.voided", coverage_id="C1", version=2, reason="r")
    assert [] == found(text, *facts, void, *stay("E2", "2020-02-01", "6"))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("effective_from = 2020-02-01", ["E2"]),
        ("effective_from = 2020-02-02", []),
        ("effective_to = 2020-02-02", ["E2"]),
        ("effective_to = 2020-02-01", []),
        ("effective_from = 2020-02-01\neffective_to = 2020-02-02", ["E2"]),
    ],
)
def test_the_file_is_in_force_on_some_days(more: str, expected: list[str]) -> None:
    """Half-open, by the day of discharge. Claims of other days cross nothing, and are in the sums."""
    stays = [*stay("E1", "2020-01-01", "6"), *stay("E2", "2020-02-01", "6"), *stay("E3", "2020-03-01", "6")]
    assert expected == [claim for claim, _, _ in found(file(watch("10"), more=more), *stays)]


def test_who_was_over_a_step_before_the_first_day_does_not_cross_it() -> None:
    stays = [*stay("E1", "2020-01-01", "12"), *stay("E2", "2020-02-01", "6")]
    assert [] == found(file(watch("10"), more="effective_from = 2020-02-01"), *stays)


def test_lines_are_sorted_by_watch_claim_and_step() -> None:
    """Names by code point, steps by amount: 9 before 10, and B before a."""
    stays = [*stay("E2", "2020-01-01", "99", person="P2"), *stay("E10", "2021-06-01", "11")]
    lines, _ = crossings(file(watch("10", "9"), watch("10", name="a"), watch("98", name="B")), [HALF], stays)
    assert [
        ("B", "E2", "98.00"),
        ("a", "E10", "10.00"),
        ("a", "E2", "10.00"),
        ("w", "E10", "9.00"),
        ("w", "E10", "10.00"),
        ("w", "E2", "9.00"),
        ("w", "E2", "10.00"),
    ] == [(line["watch"], line["claim_id"], line["step"]) for line in lines]


def test_a_correction_withdraws_what_it_undoes() -> None:
    """A fen less and E2 no longer crosses; a bill before it, and it does again, or the other does."""
    stays = [*stay("E1", "2020-01-01", "6"), *stay("E2", "2020-02-01", "4.01")]
    text = file(watch("10"))
    assert [("E2", "10.00", "10.01")] == found(text, *stays)
    less = [*stays, bill_of("E2", "4.00", version=2)]
    assert [] == found(text, *less)
    assert [("E2", "10.00", "10.01")] == found(text, *less, *stay("E0", "2019-12-31", "0.01"))
    assert [("E1", "10.00", "11.00")] == found(text, *less, *stay("E0", "2019-12-31", "5.00"))


def test_the_order_and_repetition_of_facts_change_nothing() -> None:
    for seed in range(20):
        case, text = random_watch_case(seed)
        facts = []
        ledger = take([])[0]
        for line in case.lines:
            try:
                if line.strip() and ledger.consider(read_event(line)) == "accepted":
                    facts.append(line)
            except RefusalError:
                continue
        expected, _ = crossings(text, case.policy_texts, case.lines)
        shuffled = facts + facts[::3]
        random.Random(seed).shuffle(shuffled)
        assert (expected, []) == crossings(text, case.policy_texts, shuffled), f"seed {seed}"


def test_random_cases_cross_all_kinds_of_steps() -> None:
    """Every measure and unit crosses, households of two cross, and some cross one step more than once."""
    met: Counter[str] = Counter()
    for seed in range(60):
        case, text = random_watch_case(seed)
        lines, _ = crossings(text, case.policy_texts, case.lines)
        met["case"] += bool(lines)
        met["household"] += sum(line["unit"] != line["person_id"] for line in lines)
        met.update(line["watch"].split("-")[0] for line in lines)
        again = Counter((line["watch"], line["unit"], line["step"]) for line in lines)
        met["again"] += sum(count > 1 for count in again.values())
    kinds = ("copay", "out_of_catalogue", "personal_burden", "patient_pays", "household", "again", "case")
    assert {} == {kind: met[kind] for kind in kinds if met[kind] < 15}
