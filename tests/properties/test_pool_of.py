"""Whose pool pays a claim (groups.md, section 3): the rule in words, over coverages drawn at random."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.strategies import Body, bill_of, coverage_from, decide, discharge_of, policy, scheme, tried

DAYS = ("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04")
ADMITTED, DISCHARGED = "2024-01-03", "2024-01-04"
TIERS = ("poor", "member")
AREAS = ("north", "south")


@st.composite
def coverages(draw: st.DrawFn, coverage_id: str) -> Body:
    """Begins around the stay, and may end before its last day or after it."""
    start, end = draw(st.sampled_from(DAYS)), draw(st.sampled_from((None,) * 9 + (DAYS[-1], "2024-01-05")))
    fields = {
        "coverage_id": coverage_id,
        "programme": draw(st.sampled_from(("aid",) * 5 + ("other",))),
        "area": draw(st.sampled_from((None, *AREAS))),
        "pool_id": draw(st.sampled_from((None, "V1", "V2", "V3"))),
        "valid_to": None if end is None or end <= start else end,
    }
    given_ = {name: value for name, value in fields.items() if value is not None}
    return coverage_from(start, draw(st.sampled_from(("poor", "member", "member", "member", "unlisted"))), **given_)


def pool_in_words(held: list[Body], waiting_days: int | None, areas: list[str] | None) -> str | None:
    """The pool that the contract names; None where the scheme has no tier, or the coverage names no pool."""
    able = []
    for each in held:
        holds = each["valid_from"] <= DISCHARGED < each.get("valid_to", "9999-12-31")
        age = (date.fromisoformat(ADMITTED) - date.fromisoformat(each["valid_from"])).days
        old_enough = waiting_days is None or age >= waiting_days
        if holds and each["programme"] == "aid" and (areas is None or each.get("area") in areas) and old_enough:
            able.append(each)
    for category in TIERS:
        if gave := [each for each in able if each["category"] == category]:
            latest = max(each["valid_from"] for each in gave)
            greatest = max(each["coverage_id"] for each in gave if each["valid_from"] == latest)
            (counts,) = (each for each in gave if each["coverage_id"] == greatest)
            pool_id = counts.get("pool_id")
            assert pool_id is None or isinstance(pool_id, str)
            return pool_id
    return None


LIMITS = st.sampled_from((None, 0, 1, 2)), st.sampled_from((None, None, ["north"], ["north", "south"]))


@tried
@given(st.lists(st.sampled_from(("C1", "C10", "C2", "c1", "C9")), min_size=1, unique=True), *LIMITS, st.data())
def test_the_pool_of_a_claim_is_that_of_the_coverage_that_gave_the_tier(
    names: list[str], waiting_days: int | None, areas: list[str] | None, data: st.DataObject
) -> None:
    """Of several with the tier's categories, valid and old enough: the latest first day, then the greatest id."""
    held = [data.draw(coverages(name)) for name in names]
    given_: dict[str, Any] = {"waiting_days": waiting_days, "areas": areas}
    limits = {name: value for name, value in given_.items() if value is not None}
    funded = policy(scheme(tiers={name: {"0.00": "1"} for name in TIERS}, funded_by="pool", **limits))
    stay = [discharge_of("E1", DISCHARGED, ADMITTED), bill_of("E1", "10.00")]
    (benefit,) = decide(funded, *held, *stay)["E1"]["benefits"]
    assert pool_in_words(held, waiting_days, areas) == benefit.get("pool_id")


HELD = {"C1": ("2024-01-02", "V1"), "C2": ("2024-01-01", "V2"), "C3": ("2024-01-01", "V3")}


@pytest.mark.parametrize(("names", "pool_id"), [("C1 C2 C3", "V1"), ("C2 C1", "V1"), ("C3 C2", "V3"), ("C2", "V2")])
def test_the_latest_first_day_counts_and_then_the_greatest_id(names: str, pool_id: str) -> None:
    """The one that began last has the smallest id; of the two that began on one day the greater id counts."""
    held = [coverage_from(HELD[name][0], coverage_id=name, pool_id=HELD[name][1]) for name in names.split()]
    stay = [discharge_of("E1", DISCHARGED, ADMITTED), bill_of("E1", "10.00")]
    (benefit,) = decide(policy(scheme(funded_by="pool")), *held, *stay)["E1"]["benefits"]
    assert pool_id == benefit["pool_id"]


def test_without_the_field_no_pool_is_named() -> None:
    """Whatever coverages say."""
    facts = [coverage_from(pool_id="V1"), discharge_of("E1", DISCHARGED, ADMITTED), bill_of("E1", "10.00")]
    (benefit,) = decide(policy(scheme()), *facts)["E1"]["benefits"]
    assert "pool_id" not in benefit


def test_a_claim_that_gets_nothing_from_its_tier_names_the_pool_all_the_same() -> None:
    """Under the threshold it is still that pool's scheme; where there is no tier, there is no pool."""
    funded = policy(scheme(funded_by="pool", threshold="20.00"))
    stay = [discharge_of("E1", DISCHARGED, ADMITTED), bill_of("E1", "10.00")]
    (benefit,) = decide(funded, coverage_from(pool_id="V1"), *stay)["E1"]["benefits"]
    assert ("UNDER_THRESHOLD", "V1") == (benefit["reason"], benefit["pool_id"])
    (benefit,) = decide(funded, coverage_from(pool_id="V1", category="unlisted"), *stay)["E1"].get("benefits") or [{}]
    assert "pool_id" not in benefit
