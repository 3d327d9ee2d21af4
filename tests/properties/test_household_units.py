"""Whom a claim counts with: alone, at the edges of memberships, over releases; and what members hear of each other."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handlers.offline.book import Book
from schemas.decisions import to_json
from tests.oracle.cases import Case, random_person_years
from tests.properties.household_strategies import GroupLedger, crowded_years, member_of, of, person_of, towns
from tests.properties.strategies import (
    AMOUNTS,
    DAYS,
    Body,
    Decision,
    History,
    brackets,
    coverage_from,
    decide,
    discharge_of,
    fen,
    newest,
    policy,
    results,
    scheme,
    stay_of,
    tried,
    yuan,
)
from tests.support.builders import encode, policies
from tests.support.length import times

PERSON_YEARS = times(300, 20_000, "HUZHU_TEST_PERSON_YEARS")


# Alone --------------------------------------------------------------------------------------------------------------


def alone(rng: Random, person_id: str) -> list[bytes]:
    """Memberships by which nobody counts with anybody: none, 单人户 and 集体户 in turn, or a household of one."""

    def since(day: str, **fields: Any) -> bytes:
        return encode(member_of(person_id, valid_from=day, **fields))

    kind = rng.choice(("none", "single", "collective", "both in turn", "a household of one"))
    if kind == "none":
        return []
    if kind == "both in turn":
        day = rng.choice(("2019-07-01", "2020-02-29", "2023-12-31", "2024-07-01"))
        first = since("1990-01-01", valid_to=day, unit="single")
        return [first, since(day, membership_id=f"M2-{person_id}", unit="collective")]
    if kind == "a household of one":
        return [since("1990-01-01", household_id=f"HH-{person_id}")]
    return [since("1990-01-01", unit=kind)]


def decided(texts: list[str], lines: list[bytes]) -> list[Any]:
    """The decisions without their sentences; what is a person's and what a household's have one name."""
    book = Book()
    for line in lines:
        book.take(line)
    found: list[Any] = [to_json(decision) for decision in book.decide(policies(*texts))]
    for decision in found:
        for line in decision["explanation"]:
            del line["zh"], line["en"]
            for name in ("step", "rule"):
                line[name] = line[name].replace("cap_per_household_year", "cap_per_year")
    return found


def person_years(case: Case, decisions: list[Any]) -> int:
    """How many persons there are in each calendar year in which they have a claim that reached a policy."""
    book = Book()
    for line in case.lines:
        book.take(line)
    reached = [each for each in decisions if each["policy_id"] is not None]
    accounts = book.accounts
    days = [accounts[each["person_id"]].discharges[each["claim_id"]].discharged_on for each in reached]
    return len({(each["person_id"], day.year) for each, day in zip(reached, days, strict=True)})


@pytest.mark.long
def test_with_every_person_alone_households_are_persons() -> None:
    """household_year is person_year, and the household's cap the yearly cap, on random policies and people."""
    met = 0
    for seed in count():
        case = random_person_years(seed)
        rng = Random(seed)
        by_household = [
            text.replace('"person_year"', '"household_year"').replace("cap_per_year", "cap_per_household_year")
            for text in case.policy_texts
        ]
        memberships = [line for number in range(1, 7) for line in alone(rng, f"P{number}")]
        expected = decided(case.policy_texts, case.lines)
        assert expected == decided(by_household, [*case.lines, *memberships]), f"seed {seed}"
        met += person_years(case, expected)
        if met >= PERSON_YEARS:
            return


# Edges --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "day", "held"),
    [
        ("2020-03-02", "2020-03-05", "2020-03-01", False),
        ("2020-03-02", "2020-03-05", "2020-03-02", True),
        ("2020-03-02", "2020-03-05", "2020-03-04", True),
        ("2020-03-02", "2020-03-05", "2020-03-05", False),
        ("2020-03-02", None, "2024-12-31", True),
        ("2020-02-29", "2020-03-01", "2020-02-28", False),
        ("2020-02-29", "2020-03-01", "2020-02-29", True),
        ("2020-02-29", "2020-03-01", "2020-03-01", False),
        ("2019-02-28", "2020-02-29", "2020-02-29", False),
        ("2020-01-01", "2021-01-01", "2020-01-01", True),
        ("2020-01-01", "2021-01-01", "2020-12-31", True),
        ("2020-01-01", "2021-01-01", "2021-01-01", False),
    ],
)
def test_a_membership_is_half_open(valid_from: str, valid_to: str | None, day: str, held: bool) -> None:
    """Its first day belongs to it and its last date does not, on leap days and New Year's too, whenever one came in."""
    ends = {} if valid_to is None else {"valid_to": valid_to}
    shared = policy(scheme(cap_per_household_year="100.00"))
    facts = of("P2", coverage_from(coverage_id="C2"), *stay_of("E2", day, "100.00"))
    facts += [coverage_from(), discharge_of("E1", day, "2019-01-01"), *stay_of("E1", day, "100.00")[1:]]
    facts += [member_of("P2"), member_of("P1", valid_from=valid_from, **ends)]
    found = decide(shared, *facts)
    assert [("100.00", "100.00", None)] == results(found["E1"])
    assert [("100.00", "0.00", "CAP_REACHED") if held else ("100.00", "100.00", None)] == results(found["E2"])


@pytest.mark.parametrize(
    ("year_starts", "first", "second", "one_year"),
    [
        ("01-01", "2020-12-31", "2021-01-01", False),
        ("01-01", "2020-01-01", "2020-12-31", True),
        ("03-01", "2020-02-29", "2020-03-01", False),
        ("03-01", "2019-03-01", "2020-02-29", True),
        ("07-01", "2020-06-30", "2020-07-01", False),
        ("07-01", "2020-07-01", "2021-06-30", True),
    ],
)
def test_the_year_of_a_household_starts_where_the_policy_says(
    year_starts: str, first: str, second: str, one_year: bool
) -> None:
    """A deductible of 100.00 that one member met is met for another in the same policy year only."""
    yearly = policy(scheme(brackets={"100.00": "1"}, accumulates="household_year"), year_starts=year_starts)
    facts = [coverage_from(), *stay_of("E1", first, "100.00"), member_of("P1"), member_of("P2")]
    facts += of("P2", coverage_from(coverage_id="C2"), *stay_of("E2", second, "80.00"))
    reason = None if one_year else "NOTHING_DUE"
    assert [("80.00", "80.00" if one_year else "0.00", reason)] == results(decide(yearly, *facts)["E2"])


@pytest.mark.parametrize(
    ("firsts", "alone_by", "expected"),
    [
        (("2020-01-01", "2019-01-01", "2018-01-01"), "", "HH1"),
        (("2018-01-01", "2019-01-01", "2020-01-01"), "", "HH3"),
        (("2019-01-01", "2019-01-01", "2019-01-01"), "", "HH2"),  # "M2" is greater than "M10" and "M1"
        (("2019-01-01", "2018-01-01", "2019-01-01"), "", "HH3"),
        (("2019-01-01", "2019-01-01", "2019-01-01"), "single", None),
        (("2019-01-01", "2020-01-01", "2019-01-01"), "collective", None),
        (("2019-01-01", "2018-01-01", "2018-01-01"), "single", "HH1"),
    ],
)
def test_of_three_memberships_the_latest_counts(
    firsts: tuple[str, str, str], alone_by: str, expected: str | None
) -> None:
    """The latest first day, then the greatest id; being alone counts like a household; and there is one alert."""
    ledger = GroupLedger(policy(scheme(accumulates="household_year")))
    ledger.take(coverage_from(), *stay_of("E1", "2020-06-01", "100.00"))
    for number, first, unit in zip(("1", "2", "10"), firsts, ("", alone_by, ""), strict=True):
        household = {"1": "HH1", "2": "HH2", "10": "HH3"}[number]
        ledger.take(member_of("P1", household, first, membership_id=f"M{number}", unit=unit or "household"))
    row = next(iter(ledger.world.claims.values()))
    assert (expected, True) == (row.household_id, row.overlapping)
    alerts = [row.value for row in ledger.sent if row.topic == "alerts"]
    assert [True] == [b"MEMBERSHIPS_OVERLAP" in value and b"alert.raised" in value for value in alerts]


def test_a_group_that_is_too_large_is_told_of_and_decided_all_the_same() -> None:
    """512 persons are a household; whoever is the 513th raises the alert, and shares the cap like everybody."""
    ledger = GroupLedger(policy(scheme(cap_per_household_year="100.00")), at_once=False)
    ledger.take(coverage_from(), *stay_of("E1", "2020-06-01", "70.00"), *(member_of(f"P{n}") for n in range(1, 513)))
    ledger.decide_groups()
    assert [] == [row.value for row in ledger.sent if row.topic == "alerts"]
    ledger.take(*of("P513", coverage_from(coverage_id="C2"), *stay_of("E2", "2020-06-02", "70.00")))
    ledger.take(member_of("P513"))
    ledger.decide_groups()
    (alert,) = (row for row in ledger.sent if row.topic == "alerts")
    assert (b"P513", True) == (alert.key, b"GROUP_TOO_LARGE" in alert.value)
    assert {("E1", "s"): 7_000, ("E2", "s"): 3_000} == ledger.net


# Whom a fact reaches ------------------------------------------------------------------------------------------------

SHARED = policy(scheme(cap_per_year="100.00", cap_per_household_year="100.00"))


def covered(person_id: str, *facts: Body) -> list[Body]:
    return of(person_id, coverage_from(coverage_id=f"C-{person_id}"), *facts)


def test_a_bill_reaches_over_somebody_who_moved_to_strangers() -> None:
    """What a member gets leaves a mover less here and more there, and so less to somebody whom the first never met."""
    ledger = GroupLedger(SHARED)
    ledger.take(*covered("P1", discharge_of("E1", "2020-03-01")))
    ledger.take(*covered("P2", *stay_of("E2", "2020-03-02", "100.00"), *stay_of("E3", "2020-07-02", "70.00")))
    ledger.take(*covered("P3", *stay_of("E4", "2020-07-03", "70.00")))
    ledger.take(member_of("P1"), member_of("P2", valid_to="2020-07-01"), member_of("P3", "HH2"))
    ledger.take(member_of("P2", "HH2", "2020-07-01", membership_id="M2"))
    assert {("E2", "s"): 10_000, ("E4", "s"): 7_000} == ledger.net
    ledger.take(stay_of("E1", "2020-03-01", "60.00")[1])
    assert {("E1", "s"): 6_000, ("E2", "s"): 4_000, ("E3", "s"): 6_000, ("E4", "s"): 4_000} == ledger.net


def test_those_who_stay_are_decided_again_when_somebody_leaves() -> None:
    """What the one who left got is no longer taken from the household, and comes back with them."""
    ledger = GroupLedger(SHARED)
    ledger.take(*covered("P1", *stay_of("E1", "2020-03-01", "70.00")), member_of("P1"))
    ledger.take(*covered("P2", *stay_of("E2", "2020-03-02", "70.00")), member_of("P2"))
    assert {("E1", "s"): 7_000, ("E2", "s"): 3_000} == ledger.net
    ledger.take(member_of("P1", "HH2", version=2))
    assert {("E1", "s"): 7_000, ("E2", "s"): 7_000} == ledger.net
    ledger.take(member_of("P1", version=3))
    assert {("E1", "s"): 7_000, ("E2", "s"): 3_000} == ledger.net


def test_a_policy_decides_members_together() -> None:
    """Where all claims waited for a policy, its household's cap is shared from the first payment on."""
    ledger = GroupLedger()
    ledger.take(*covered("P1", *stay_of("E1", "2020-03-01", "70.00")), member_of("P1"))
    ledger.take(*covered("P2", *stay_of("E2", "2020-03-02", "70.00")), member_of("P2"))
    assert ["payment", "payment"] == [row.kind for row in ledger.publish(SHARED)]
    assert {("E1", "s"): 7_000, ("E2", "s"): 3_000} == ledger.net


# Releases -----------------------------------------------------------------------------------------------------------

WAYS = ("stay", "person_year", "household_year")


@st.composite
def two_releases(draw: st.DrawFn) -> History:
    """A household whose scheme counts in one way until July 2020, and in another one from then on, uncapped."""
    ways = draw(st.permutations(WAYS))
    old, new = (scheme(brackets=draw(brackets()), accumulates=way) for way in ways[:2])
    texts = (policy(old, end="2020-07-01", name="old"), policy(new, start="2020-07-01", name="new"))
    facts: list[Body] = []
    for number, claim in enumerate(("E1", "E10", "E2", "e3", "E4", "E5")):
        facts += of(
            f"P{number % 3}", *stay_of(claim, draw(st.sampled_from(DAYS)), yuan(draw(st.sampled_from(AMOUNTS))))
        )
    for number in range(3):
        facts += of(f"P{number}", coverage_from(coverage_id=f"C{number}"), member_of(f"P{number}"))
    return History(texts, tuple(facts))


@tried
@given(two_releases())
def test_a_running_sum_holds_only_claims_that_count_that_way(history: History) -> None:
    """What was counted otherwise under the release before might as well not be there: nothing changes without it."""
    decisions = decide(history.policies, *history.facts)
    under_new = {name: decision for name, decision in decisions.items() if decision["policy_id"] == "new"}
    kept = [body for body in history.facts if body.get("encounter_id") in (None, *under_new)]
    assert under_new == decide(history.policies, *kept)


@tried
@given(two_releases(), st.sampled_from(AMOUNTS[1:]))
def test_caps_count_all_payments(history: History, cap: int) -> None:
    """The household's cap of a new release leaves what all releases, however they counted, have not paid to it yet."""
    capped = policy(scheme(cap_per_household_year=yuan(cap)), start="2020-07-01", name="new")
    decisions = decide((history.policies[0], capped), *history.facts)
    days = {str(body["encounter_id"]): str(body["discharged_on"]) for body in history.facts if "discharged_on" in body}
    paid: dict[str, int] = {}
    for name in sorted(decisions, key=lambda name: (days[name], name)):
        decision, year = decisions[name], days[name][:4]
        if decision["policy_id"] == "new":
            left = max(0, cap - paid.get(year, 0))
            assert min(left, fen(decision["personal_burden"])) == fen(decision["total_benefit"])
        paid[year] = paid.get(year, 0) + fen(decision["total_benefit"])


# What members hear of each other ------------------------------------------------------------------------------------


def marked(history: History) -> tuple[list[Body], dict[str, set[str]]]:
    """The history with a name of its own for everything of each person, and these names by person."""
    facts, names = list[Body](), dict[str, set[str]]()
    for body in history.facts:
        person_id = str(body["person_id"])
        changed = {**body, "person_id": f"person-{person_id}-"}
        for name in ("encounter_id", "settlement_id", "coverage_id", "membership_id", "facility_id"):
            if name in body:
                changed[name] = f"{name}-{body[name]}-of-{person_id}-"
        if "diagnoses" in body:
            changed["diagnoses"] = [f"Q8{person_id}"]
        strings = {value for name, value in changed.items() if name.endswith("_id") and name != "household_id"}
        names.setdefault(changed["person_id"], set()).update(strings - {body["event_id"]}, changed.get("diagnoses", ()))
        facts.append(changed)
    return facts, names


@tried
@given(towns() | crowded_years())
def test_nobody_hears_of_another_members_stay(history: History) -> None:
    """Decisions, instructions and alerts of a person name no id, claim, facility or diagnosis of anybody else."""
    facts, names = marked(history)
    ledger = GroupLedger(*history.policies)
    ledger.take(*facts)
    said = [row for row in ledger.sent if row.topic in ("claims.decisions", "payouts.instructions", "alerts")]
    for row in said:
        assert row.key is not None
        others = [name for person_id, own in names.items() if person_id.encode() != row.key for name in own]
        assert not [name for name in others if name.encode() in row.value]
    steps = [row.value for row in ledger.sent if row.topic == "audit.events" and b"group.recomputed" in row.value]
    assert not [name for own in names.values() for name in own for value in steps if name.encode() in value]


@tried
@given(crowded_years())
def test_a_decision_depends_on_sums_alone(history: History) -> None:
    """Another member's diagnosis, hospital and bill numbers may be anything: not a byte of the others' differs."""
    facts = newest(history.facts)
    persons = sorted({str(body["person_id"]) for body in facts})
    assume(len(persons) > 1)
    other = persons[-1]
    changed = [
        {**body, "diagnoses": ["Z99"], "facility_id": "H-other", "admitted_on": "2019-12-31"}
        if body["event_type"] == "encounter.discharged" and body["person_id"] == other
        else body
        for body in facts
    ]

    def of_the_rest(bodies: list[Body]) -> dict[str, Decision]:
        found = decide(history.policies, *bodies)
        return {name: decision for name, decision in found.items() if person_of(decision) != other}

    assert of_the_rest(facts) == of_the_rest(changed)
