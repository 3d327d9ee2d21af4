"""The product and the oracle agree on which claims have which alerts, and which are held (time.md, section 2)."""

from __future__ import annotations

import pytest

from tests.oracle.alerts import flagged
from tests.oracle.flag_cases import random_flag_case
from tests.support.length import times
from tests.support.oracle_runs import adjudicated, by_oracle, disagreement

CASES = times(60, 400, "HUZHU_TEST_EXAMPLES")
ADVANCES = ("advances", "payees")
"""What hospitals took off, and who is paid, which have an oracle of their own."""


@pytest.mark.long
def test_the_oracle_agrees_on_alerts_and_held_claims() -> None:
    """Every field of every claim and every refusal, where invoices are shared and stays overlap."""
    for seed in range(CASES):
        found = disagreement(
            random_flag_case(seed),
            lambda case: by_oracle(*flagged(case.policy_texts, case.lines)),
            lambda case: adjudicated(case, ADVANCES),
        )
        assert found is None, found
