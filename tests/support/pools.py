"""A village whose pool pays half of what its members bear of a stay over 2,000 yuan."""

from __future__ import annotations

from tests.support.builders import Json, bill, coverage, discharge, policy_text

FUNDED = """
[[scheme]]
id = "village_mutual_aid"
programme = "village_mutual_aid"
basis = "copay"
measured_on = "billed"
accumulates = "stay"
funded_by = "pool"
[[scheme.tier]]
name = "member"
categories = ["member"]
brackets = [{ over = "2000.00", rate = "0.50" }]
"""
POOL_POLICY = policy_text("pools", "2020-01-01", None, FUNDED)


def villager(person: str, day: str, due: int, pool_id: str = "V1") -> list[Json]:
    """A member with a stay that ended on a day, for which ``due`` yuan are due; claims are called like persons."""
    return [
        coverage(f"C-{person}", person_id=person, pool_id=pool_id),
        discharge(f"E-{person}", day, admitted_on=day, person_id=person),
        bill(f"S-{person}", f"E-{person}", 2000 + 2 * due, person_id=person),
    ]
