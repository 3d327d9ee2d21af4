"""Households, by hand: sums and caps of the unit of a claim, beside those of the person (groups.md, section 2)."""

import random
from collections import Counter

import pytest

from .builders import bill_of, codes, coverage_from, decide, discharge_of, fact, member, policy, results, scheme
from .calculator import Ledger, RefusalError, UnusableError, adjudicate, claims_of, read_event
from .cases import random_household_case, random_household_years

FULL = '[{ over = "0.00", rate = "1" }]'
OVER_100 = '[{ over = "100.00", rate = "1" }]'
COVERED = [coverage_from(coverage_id=f"C-{person}", person_id=person) for person in ("P1", "P2", "P3")]

Stay = tuple[str, str, str, str]  # claim, person, day, yuan


def by_household(settings: str = "", brackets: str = OVER_100) -> str:
    return scheme("s", f'accumulates = "household_year"\n{settings}', brackets)


def by_person(settings: str = "", brackets: str = OVER_100) -> str:
    return scheme("s", f'accumulates = "person_year"\n{settings}', brackets)


def paid(policies: list[str] | str, memberships: list[bytes], *stays: Stay) -> list[object]:
    """What each stay gets, or why nothing, in the order in which the stays are given."""
    facts = [*COVERED, *memberships]
    for claim, person, day, yuan in stays:
        facts += [discharge_of(claim, day, person_id=person), bill_of(claim, yuan, person_id=person)]
    claims = decide(policies, *facts)
    assert claims == decide(policies, *facts[::-1])
    found = [results(claims[claim])[0] for claim, _, _, _ in stays]
    return [reason or benefit for _, benefit, reason in found]


# Running sums -------------------------------------------------------------------------------------------------------


def test_the_claims_of_all_members_are_laid_end_to_end() -> None:
    """A deductible of 100.00 is met by 80.00 of one and 20.00 of another; a neighbour has one of their own."""
    stays = [("E1", "P1", "2020-03-01", "80.00"), ("E2", "P2", "2020-03-02", "80.00"), ("E3", "P3", "2020-03-03", "80")]
    together = [member("P1"), member("P2")]
    assert ["NOTHING_DUE", "60.00", "NOTHING_DUE"] == paid(policy(by_household()), together, *stays)
    assert ["NOTHING_DUE", "60.00", "80.00"] == paid(policy(by_household()), [*together, member("P3")], *stays)
    assert ["NOTHING_DUE"] * 3 == paid(policy(by_person()), [*together, member("P3")], *stays)


def test_on_one_day_the_claim_id_decides_whoever_is_ill() -> None:
    """E10 of the second member comes before E9 of the first, by code point."""
    stays = [("E9", "P1", "2020-03-01", "80.00"), ("E10", "P2", "2020-03-01", "90.00")]
    assert ["70.00", "NOTHING_DUE"] == paid(policy(by_household()), [member("P1"), member("P2")], *stays)


def test_the_household_does_not_drift() -> None:
    """Three bills of 1.00 at 0.333, of three members, make 0.999, which is 1.00."""
    thirds = by_household(brackets='[{ over = "0.00", rate = "0.333" }]')
    stays = [(f"E{number}", f"P{number}", "2020-03-01", "1.00") for number in (1, 2, 3)]
    assert ["0.33", "0.34", "0.33"] == paid(policy(thirds), [member(f"P{number}") for number in (1, 2, 3)], *stays)


@pytest.mark.parametrize("unit", ["single", "collective", "none"])
def test_who_counts_alone_has_a_sum_of_their_own(unit: str) -> None:
    """单人户, 集体户 and no membership are one unit, the person, though the household's id is the same."""
    alone = [] if unit == "none" else [member("P2", unit=unit)]
    stays = [
        ("E1", "P1", "2020-03-01", "150.00"),
        ("E2", "P2", "2020-03-02", "80.00"),
        ("E3", "P2", "2020-03-03", "80.00"),
    ]
    assert ["50.00", "NOTHING_DUE", "60.00"] == paid(policy(by_household()), [member("P1"), *alone], *stays)


def test_single_collective_and_no_membership_are_one_unit() -> None:
    """Who is alone by 单人户, then 集体户, then by nothing, goes on with one sum."""
    memberships = [
        member("P1", valid_to="2020-02-01", unit="single"),
        member("P1", "HH2", "2020-02-01", valid_to="2020-03-01", unit="collective", membership_id="M2"),
    ]
    stays = [(f"E{month}", "P1", f"2020-0{month}-15", "80.00") for month in (1, 2, 3)]
    assert ["NOTHING_DUE", "60.00", "80.00"] == paid(policy(by_household()), memberships, *stays)


def test_only_claims_of_one_policy_year_share_a_sum() -> None:
    """The household's year starts where the policy says."""
    stays = [("E1", "P1", "2020-06-30", "80.00"), ("E2", "P2", "2020-07-01", "80.00")]
    both = [member("P1"), member("P2")]
    assert ["NOTHING_DUE", "NOTHING_DUE"] == paid(policy(by_household(), year_starts="07-01"), both, *stays)
    assert ["NOTHING_DUE", "60.00"] == paid(policy(by_household()), both, *stays)


# The unit of a claim ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "day", "expected"),
    [
        ("2020-03-02", "2020-03-05", "2020-03-01", "80.00"),
        ("2020-03-02", "2020-03-05", "2020-03-02", "NOTHING_DUE"),  # begins on the day of discharge
        ("2020-03-02", "2020-03-05", "2020-03-04", "NOTHING_DUE"),
        ("2020-03-02", "2020-03-05", "2020-03-05", "80.00"),
        ("2020-02-29", "2020-03-01", "2020-02-29", "NOTHING_DUE"),
        ("2020-02-29", "2020-03-01", "2020-03-01", "80.00"),
        ("2020-02-01", "2020-02-29", "2020-02-29", "80.00"),
        ("2020-01-01", "2021-01-01", "2020-12-31", "NOTHING_DUE"),
    ],
)
def test_a_membership_is_half_open(valid_from: str, valid_to: str, day: str, expected: str) -> None:
    """Who has used up the own deductible is paid in full, unless the household of the day has not used up its."""
    mine = [member("P1", valid_from=valid_from, valid_to=valid_to)]
    stays = [("E1", "P1", "2020-01-01", "100.00"), ("E2", "P1", day, "80.00")]
    if valid_from <= "2020-01-01":
        mine = [member("P1", valid_from="2020-01-02", valid_to=valid_to)]
    assert ["NOTHING_DUE", expected] == paid(policy(by_household()), mine, *stays)


def test_the_stay_may_have_begun_before_the_membership() -> None:
    """Only the day of discharge counts, not that of admission."""
    facts = [*COVERED, member("P1", valid_from="2020-03-05"), member("P2")]
    facts += [discharge_of("E1", "2020-03-01", person_id="P2"), bill_of("E1", "100.00", person_id="P2")]
    facts += [discharge_of("E2", "2020-03-05", "2020-02-01"), bill_of("E2", "80.00")]
    assert [("80.00", "80.00", None)] == results(decide(policy(by_household()), *facts)["E2"])


def three(*, firsts: tuple[str, str, str], unit: str = "household") -> list[bytes]:
    """P1 in HH1, HH2 and HH3 at once, by the memberships M1, M2 and M10 with these first days; `unit` is M2's."""
    return [
        member("P1", "HH1", firsts[0], membership_id="M1"),
        member("P1", "HH2", firsts[1], membership_id="M2", unit=unit),
        member("P1", "HH3", firsts[2], membership_id="M10"),
    ]


@pytest.mark.parametrize(
    ("memberships", "expected"),
    [
        (three(firsts=("2020-01-01", "2019-01-01", "2018-01-01")), ("household", "HH1")),
        (three(firsts=("2018-01-01", "2019-01-01", "2020-01-01")), ("household", "HH3")),
        (three(firsts=("2019-01-01", "2019-01-01", "2019-01-01")), ("household", "HH2")),  # "M2" > "M10" > "M1"
        (three(firsts=("2019-01-01", "2018-01-01", "2019-01-01")), ("household", "HH3")),
        (three(firsts=("2019-01-01", "2019-01-01", "2019-01-01"), unit="single"), ("person", "P1")),
        (three(firsts=("2019-01-01", "2020-01-01", "2019-01-01"), unit="collective"), ("person", "P1")),
        (three(firsts=("2019-01-01", "2018-01-01", "2018-01-01"), unit="single"), ("household", "HH1")),
    ],
)
def test_of_several_memberships_the_latest_counts(memberships: list[bytes], expected: tuple[str, str]) -> None:
    """Of three at once the latest first day wins, then the greatest id; if that one is alone, so is the person."""
    ledger = Ledger()
    for line in [discharge_of("E1", "2020-06-01"), *memberships]:
        assert "accepted" == ledger.consider(read_event(line))
    (claim,) = claims_of(ledger)
    assert (expected, 3) == (claim.unit, len(claim.memberships_held))


def test_a_correction_and_a_void_of_a_membership_decide_again() -> None:
    """The newest version counts alone: another household, another unit, other days, or none at all."""
    stays = [("E1", "P1", "2020-03-01", "80.00"), ("E2", "P2", "2020-03-02", "80.00")]
    together = [member("P1"), member("P2")]
    void = fact("membership.voided", membership_id="M-P2", person_id="P2", version=2, reason="r")
    for change in (
        void,
        member("P2", "HH2", version=2),
        member("P2", version=2, unit="single"),
        member("P2", version=2, valid_from="2020-03-03"),
    ):
        assert ["NOTHING_DUE", "NOTHING_DUE"] == paid(policy(by_household()), [*together, change], *stays)
    again = member("P2", version=3)
    assert ["NOTHING_DUE", "60.00"] == paid(policy(by_household()), [*together, void, again], *stays)


def test_the_household_of_a_coverage_means_nothing() -> None:
    """`household_id` of a coverage is kept, and nobody is counted with anybody by it."""
    facts = [coverage_from(coverage_id=f"C-{who}", person_id=who, household_id="HH1") for who in ("P1", "P2")]
    for number in (1, 2):
        who = f"P{number}"
        facts += [discharge_of(f"E{number}", "2020-03-01", person_id=who), bill_of(f"E{number}", "80", person_id=who)]
    assert "0.00" == decide(policy(by_household()), *facts)["E2"]["total_benefit"]


# Caps ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accumulates", ["stay", "person_year", "household_year"])
def test_the_cap_of_a_household_is_shared(accumulates: str) -> None:
    """100.00 for the household: 80.00, then 20.00, then nothing; a stranger and the next year have all of it."""
    capped = scheme("s", f'accumulates = "{accumulates}"\ncap_per_household_year = "100.00"', FULL)
    stays = [
        ("E1", "P1", "2020-03-01", "80.00"),
        ("E2", "P2", "2020-03-02", "80.00"),
        ("E3", "P1", "2020-03-03", "1.00"),
        ("E4", "P3", "2020-03-04", "101.00"),
        ("E5", "P1", "2021-01-01", "80.00"),
    ]
    expected = ["80.00", "20.00", "CAP_REACHED", "100.00", "80.00"]
    assert expected == paid(policy(capped), [member("P1"), member("P2")], *stays)


def test_the_caps_of_the_person_and_of_the_household_both_hold() -> None:
    """A person has 60.00 and the household 100.00; whoever moves takes along what the person has had."""
    capped = scheme("s", 'cap_per_year = "60.00"\ncap_per_household_year = "100.00"', FULL)
    stays = [
        ("E1", "P1", "2020-03-01", "50.00"),
        ("E2", "P2", "2020-03-02", "80.00"),
        ("E3", "P1", "2020-07-01", "50.00"),
        ("E4", "P3", "2020-07-02", "95.00"),
    ]
    moved = [
        member("P1", valid_to="2020-07-01"),
        member("P2"),
        member("P1", "HH2", "2020-07-01", membership_id="M2"),
        member("P3", "HH2"),
    ]
    assert ["50.00", "50.00", "10.00", "60.00"] == paid(policy(capped), moved, *stays)


def test_who_leaves_a_household_leaves_what_it_was_paid() -> None:
    """What P1 had in HH1 stays HH1's; the cap of P1's own unit is whole, and so is HH1's the other way about."""
    capped = policy(scheme("s", 'cap_per_household_year = "100.00"', FULL))
    left = [member("P1", valid_to="2020-07-01"), member("P2")]
    stays = [
        ("E1", "P1", "2020-06-30", "90.00"),
        ("E2", "P1", "2020-07-01", "90.00"),
        ("E3", "P2", "2020-07-02", "90.00"),
        ("E4", "P1", "2020-07-03", "90.00"),
    ]
    assert ["90.00", "90.00", "10.00", "10.00"] == paid(capped, left, *stays)


def test_the_household_cap_comes_before_the_floor() -> None:
    """10.00 are left of the cap, below the floor of 20.00: nothing is paid, and the 10.00 stay."""
    capped = policy(scheme("s", 'cap_per_household_year = "100.00"\nfloor_per_stay = "20.00"', FULL))
    stays = [("E1", "P1", "2020-03-01", "90.00"), ("E2", "P2", "2020-03-02", "90.00")]
    assert ["90.00", "BELOW_FLOOR"] == paid(capped, [member("P1"), member("P2")], *stays)


# Releases -----------------------------------------------------------------------------------------------------------


def test_a_running_sum_holds_only_claims_that_count_that_way() -> None:
    """What was counted by person before July is in no household's sum after it; and back again in October."""
    releases = [
        policy(by_person(), end="2020-07-01", name="old"),
        policy(by_household(), start="2020-07-01", end="2020-10-01", name="new"),
        policy(by_person(), start="2020-10-01", name="old-again"),
    ]
    stays = [
        ("E1", "P1", "2020-06-30", "100.00"),
        ("E2", "P1", "2020-07-01", "60.00"),
        ("E3", "P2", "2020-07-02", "60.00"),
        ("E4", "P1", "2020-10-01", "5.00"),
        ("E5", "P2", "2020-10-01", "100.00"),
    ]
    expected = ["NOTHING_DUE", "NOTHING_DUE", "20.00", "5.00", "NOTHING_DUE"]
    assert expected == paid(releases, [member("P1"), member("P2")], *stays)


def test_caps_count_all_payments() -> None:
    """The household's cap counts what the release before paid by stay, and the person's what was paid by household."""
    releases = [
        policy(scheme("s", "", FULL), end="2020-07-01", name="old"),
        policy(
            by_household('cap_per_household_year = "100.00"', FULL), start="2020-07-01", end="2020-10-01", name="new"
        ),
        policy(scheme("s", 'cap_per_year = "95.00"', FULL), start="2020-10-01", name="last"),
    ]
    stays = [
        ("E1", "P1", "2020-06-30", "90.00"),
        ("E2", "P2", "2020-07-01", "90.00"),
        ("E3", "P1", "2020-07-02", "90.00"),
        ("E4", "P1", "2020-10-01", "90.00"),
        ("E5", "P2", "2020-10-01", "90.00"),
    ]
    assert ["90.00", "10.00", "CAP_REACHED", "5.00", "85.00"] == paid(releases, [member("P1"), member("P2")], *stays)


def test_releases_that_share_a_scheme_have_one_policy_year() -> None:
    """Another first day of the year under the same scheme id is refused; with another scheme it is not."""
    old = policy(by_person(), end="2020-07-01", name="old")
    new = policy(by_household(), start="2020-07-01", name="new", year_starts="07-01")
    for order in ([old, new], [new, old]):
        with pytest.raises(UnusableError, match="policy year"):
            adjudicate(order, [])
    other = policy(scheme("other", "", FULL), start="2020-07-01", name="new", year_starts="07-01")
    assert ([], []) == adjudicate([old, other], [])


# Acceptance ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([member("P1", role="户主", valid_to="2000-01-02")], []),
        ([member("P1", unit="family")], ["SCHEMA_INVALID"]),
        ([member("P1", unit=None)], ["SCHEMA_INVALID"]),
        ([member("P1", role=7)], ["SCHEMA_INVALID"]),
        ([fact("membership.recorded", household_id=7)], ["SCHEMA_INVALID"]),
        ([member("P1", valid_from="2019-02-29")], ["SCHEMA_INVALID"]),
        ([member("P1", version=0)], ["SCHEMA_INVALID"]),
        ([fact("membership.voided", membership_id="M1")], ["SCHEMA_INVALID"]),
        ([member("P1", valid_to="2000-01-01")], ["DATES_OUT_OF_ORDER"]),
        ([member("P1", valid_to="1999-12-31")], ["DATES_OUT_OF_ORDER"]),
        ([member("P1"), member("P1", event_id="again")], []),
        ([member("P1"), member("P1", unit="single")], ["VERSION_CONFLICT"]),
        ([member("P1"), fact("membership.voided", membership_id="M-P1", reason="r")], ["VERSION_CONFLICT"]),
        ([member("P1", version=2), member("P1", "HH2")], []),
        ([member("P1"), member("P2", membership_id="M-P1", version=2)], ["PERSON_MISMATCH"]),
        (
            [member("P1"), fact("membership.voided", membership_id="M-P1", person_id="P2", version=2, reason="r")],
            ["PERSON_MISMATCH"],
        ),
        ([member("P1"), coverage_from(coverage_id="M-P1", person_id="P2")], []),
    ],
)
def test_a_membership_is_accepted_like_a_coverage(facts: list[bytes], expected: list[str]) -> None:
    """Fields, dates, versions and whose it is, each with its code; an id is only one among those of its kind."""
    assert expected == codes(*facts)


# Random cases -------------------------------------------------------------------------------------------------------


def accepted(lines: list[bytes]) -> tuple[Ledger, list[bytes]]:
    """The ledger after some lines, and those of them that were accepted."""
    ledger, kept = Ledger(), []
    for line in lines:
        try:
            if line.strip() and ledger.consider(read_event(line)) == "accepted":
                kept.append(line)
        except RefusalError:
            continue
    return ledger, kept


def test_the_order_and_repetition_of_accepted_facts_change_nothing() -> None:
    """Whatever set of facts was accepted, memberships among them, decides the same in every order."""
    for seed in range(60):
        case = random_household_case(seed)
        facts = accepted(case.lines)[1]
        expected, _ = adjudicate(case.policy_texts, case.lines)
        shuffled = facts + facts[::3]
        random.Random(seed).shuffle(shuffled)
        assert (expected, []) == adjudicate(case.policy_texts, shuffled), f"seed {seed}"


def test_random_cases_meet_what_households_are_about() -> None:
    """Shared units, overlaps of two and three, all kinds of units, moves, and decisions that memberships change."""
    met: Counter[str] = Counter()
    for seed in range(80):
        for case in (random_household_case(seed), random_household_years(seed)):
            ledger, facts = accepted(case.lines)
            claims = [claim for claim in claims_of(ledger) if claim.discharge is not None]
            units = {(claim.unit, claim.person_id) for claim in claims if claim.unit[0] == "household"}
            shared = Counter(unit for unit, _ in units)
            moved = Counter(person for _, person in units)
            met["shared"] += sum(count > 1 for count in shared.values())
            met["moved"] += sum(count > 1 for count in moved.values())
            for claim in claims:
                met[f"{len(claim.memberships_held)} at once"] += 1
                met.update(held.text("unit") for held in claim.memberships_held[-1:])
            without = [line for line in facts if b'"membership.' not in line]
            met["changed"] += adjudicate(case.policy_texts, facts) != adjudicate(case.policy_texts, without)
    rare = {"shared", "moved", "0 at once", "1 at once", "2 at once", "3 at once", "household", "single", "collective"}
    assert {} == {name: met[name] for name in (*rare, "changed") if met[name] < 15}
