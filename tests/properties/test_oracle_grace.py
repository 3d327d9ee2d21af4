"""The product and the oracle agree on coverages that ended: who has grace, for how long, and why (time.md, 6)."""

from __future__ import annotations

import pytest

from tests.oracle import calculator
from tests.oracle.grace_cases import random_grace_case
from tests.support.length import times
from tests.support.oracle_runs import adjudicated, by_oracle, disagreement

CASES = times(60, 400, "HUZHU_TEST_EXAMPLES")


@pytest.mark.long
def test_the_oracle_agrees_on_grace() -> None:
    """Every field of every claim and every refusal, where coverages end before, on and after the days of grace."""
    for seed in range(CASES):
        found = disagreement(
            random_grace_case(seed),
            lambda case: by_oracle(*calculator.adjudicate(case.policy_texts, case.lines)),
            adjudicated,
        )
        assert found is None, found
