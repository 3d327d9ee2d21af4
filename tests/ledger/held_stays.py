"""Stays under a policy that holds what may be there twice."""

from __future__ import annotations

from typing import Any

from tests.support.builders import POLICY, Json, bill, coverage, discharge

HOLDING = '[checks]\nduplicate_invoice = "hold"\noverlapping_stays = "hold"\n\n[[scheme]]'
POLICY_THAT_HOLDS = POLICY.replace("[[scheme]]", HOLDING, 1)


def stay(
    person: str, first: str = "2024-03-01", last: str = "2024-03-10", claim: str | None = None, **fields: Any
) -> list[Json]:
    """A covered person's stay with a bill of 3,000.00, of which 300.00 are due."""
    claim = claim or f"E-{person}"
    return [
        coverage(f"C-{person}", person_id=person),
        discharge(claim, last, admitted_on=first, person_id=person),
        bill(f"S-{claim}", claim, person_id=person, **fields),
    ]
