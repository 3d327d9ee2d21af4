"""The product and the oracle agree on whom watches find: who crosses which step with what sum (time.md, section 4)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.oracle.cases import Case
from tests.oracle.watch_cases import random_watch_case
from tests.oracle.watches import crossings
from tests.support.length import times
from tests.support.oracle_runs import Found, disagreement, ran, written

pytestmark = pytest.mark.skip(reason="there is no `huzhu watch` yet: delete this mark once there is")

CASES = times(60, 2_000, "HUZHU_TEST_EXAMPLES")


@pytest.mark.long
def test_the_oracle_agrees_on_who_crosses_which_step() -> None:
    """Every line in its order, and every refusal."""
    for seed in range(CASES):
        drawn, watches = random_watch_case(seed)

        def by_oracle(case: Case, watches: str = watches) -> Found:
            lines, refusals = crossings(watches, case.policy_texts, case.lines)
            return list(lines), [(refusal["line"], refusal["code"]) for refusal in refusals]

        def by_product(case: Case, watches: str = watches) -> Found:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "watches.toml")
                file.write_text(watches, encoding="utf-8")
                return ran("watch", ["--watches", str(file), *written(case, Path(folder))])

        found = disagreement(drawn, by_oracle, by_product)
        assert found is None, f"{found}\n{watches}"
