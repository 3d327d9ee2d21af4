"""The product and the oracle agree where all that time.md adds meets: every part at once, claims and watches."""

from __future__ import annotations

import pytest

from tests.oracle.alerts import flagged
from tests.oracle.mixed_cases import random_mixed_case
from tests.oracle.watches import crossings
from tests.support.length import times
from tests.support.oracle_runs import adjudicated, by_oracle, disagreement, watched

CASES = times(100, 500, "HUZHU_TEST_EXAMPLES")
ADVANCES = ("advances", "payees")
"""What hospitals took off, and who is paid, which have an oracle of their own."""


@pytest.mark.long
def test_the_oracle_agrees_on_claims() -> None:
    """Every field of every claim but those of advances, and every refusal."""
    for seed in range(CASES):
        found = disagreement(
            random_mixed_case(seed)[0],
            lambda case: by_oracle(*flagged(case.policy_texts, case.lines)),
            lambda case: adjudicated(case, ADVANCES),
        )
        assert found is None, found


@pytest.mark.long
def test_the_oracle_agrees_on_watches() -> None:
    """Every line in its order, and every refusal."""
    for seed in range(CASES):
        drawn, watches = random_mixed_case(seed)
        found = disagreement(
            drawn,
            lambda case, file=watches: by_oracle(*crossings(file, case.policy_texts, case.lines)),  # type: ignore[misc]
            lambda case, file=watches: watched(case, file),  # type: ignore[misc]
        )
        assert found is None, f"{found}\n{watches}"
