"""The product and the oracle agree on aids, incidents and sums assured (time.md, sections 5 and 7)."""

from __future__ import annotations

import pytest

from tests.oracle import calculator
from tests.oracle.occasion_cases import random_occasion_case
from tests.support.length import times
from tests.support.oracle_runs import adjudicated, by_oracle, disagreement

CASES = times(100, 500, "HUZHU_TEST_EXAMPLES")


@pytest.mark.long
def test_the_oracle_agrees_on_aids_incidents_and_sums_assured() -> None:
    """Every field of every claim and every refusal, also where days of stays overlap and a claim was paid already."""
    for seed in range(CASES):
        found = disagreement(
            random_occasion_case(seed),
            lambda case: by_oracle(*calculator.adjudicate(case.policy_texts, case.lines)),
            adjudicated,
        )
        assert found is None, found
