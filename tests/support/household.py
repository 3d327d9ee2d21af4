"""A household of two, whose scheme pays it at most 1,000.00 yuan a year: the second one gets what the first left."""

from __future__ import annotations

from infra.sharding import shard_of
from tests.support.builders import SHARDS, Json, bill, coverage, discharge, membership, policy_text

HOUSEHOLD = """
[[scheme]]
id = "village_mutual_aid"
programme = "village_mutual_aid"
basis = "copay"
measured_on = "billed"
accumulates = "household_year"
cap_per_household_year = "1000.00"
[[scheme.tier]]
name = "member"
categories = ["member"]
brackets = [{ over = "2000.00", rate = "0.50" }]
"""
POLICY = policy_text("households", "2020-01-01", None, HOUSEHOLD)
MOTHER = "32020219620105002X"
SON = next(each for n in range(10, 99) if shard_of(each := f"320202198901050{n}1", SHARDS) != shard_of(MOTHER, SHARDS))
"""Who lies on another shard than the mother."""
HOUSEHOLD_ID = "HH-320202-0042"


def stay(person: str, name: str, day: str, copay: int, diagnosis: str) -> list[Json]:
    """A person's stay E-name and its bill."""
    return [
        discharge(f"E-{name}", day, admitted_on=day, person_id=person, diagnoses=[diagnosis]),
        bill(f"S-{name}", f"E-{name}", copay, person_id=person),
    ]


def member(person: str, name: str) -> list[Json]:
    """A person's coverage and membership."""
    return [
        coverage(f"C-{name}", person_id=person),
        membership(f"M-{name}", HOUSEHOLD_ID, person_id=person),
    ]


FAMILY: list[Json] = [
    *member(MOTHER, "mother"),
    *member(SON, "son"),
    *stay(MOTHER, "mother", "2024-03-10", 3400, "C50.9"),
    *stay(SON, "son", "2024-04-10", 3000, "F20.0"),
]
"""The mother is paid 700.00 of the scheme's cap, the son the 300.00 that are left of his 1,500.00."""
