"""The product and the oracle agree on whom watches find: who crosses which step with what sum (time.md, section 4)."""

from __future__ import annotations

import pytest

from tests.oracle.watch_cases import random_watch_case
from tests.oracle.watches import crossings
from tests.support.length import times
from tests.support.oracle_runs import by_oracle, disagreement, watched

CASES = times(60, 400, "HUZHU_TEST_EXAMPLES")


@pytest.mark.long
def test_the_oracle_agrees_on_who_crosses_which_step() -> None:
    """Every line in its order, and every refusal."""
    for seed in range(CASES):
        drawn, watches = random_watch_case(seed)
        found = disagreement(
            drawn,
            lambda case, file=watches: by_oracle(*crossings(file, case.policy_texts, case.lines)),  # type: ignore[misc]
            lambda case, file=watches: watched(case, file),  # type: ignore[misc]
        )
        assert found is None, f"{found}\n{watches}"
