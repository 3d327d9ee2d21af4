"""The synthetic patients of the shared data: thousands of claims whose total is known, decided a second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.claims.admit import Disposition
from handlers.offline.book import Book
from schemas.decisions import to_json
from schemas.money import format_yuan
from schemas.policy.policy_file import read_policies
from tests.oracle.calculator import adjudicate
from tests.support.paths import WUXI

SHARED = Path(__file__).parents[3] / "shared"
FACTS = SHARED / "data" / "synthea-facts.jsonl"
POLICY = SHARED / "policies" / "wuxi-sample.toml"

pytestmark = pytest.mark.skipif(not FACTS.exists(), reason=f"{FACTS} is not part of the repository")


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return FACTS.read_bytes().splitlines()


def test_the_synthetic_patients_are_paid_what_the_oracle_says(lines: list[bytes]) -> None:
    """4,265 claims get 187,641.44 yuan in all, and each claim what an independent calculation gives it."""
    book = Book()
    assert {Disposition.ACCEPTED} == {book.take(line) for line in lines}
    decisions = book.decide(read_policies([POLICY]))
    total = sum(decision.total_benefit for decision in decisions)
    assert (4_265, "187641.44") == (len(decisions), format_yuan(total))
    expected, refusals = adjudicate([POLICY.read_text("utf-8")], lines)
    assert [] == refusals
    shown = [{name: value for name, value in to_json(each).items() if name != "explanation"} for each in decisions]
    assert expected == shown


def test_the_sample_in_the_repository_is_the_shared_one() -> None:
    """What `huzhu demo` uses by default is the policy that the total belongs to."""
    assert read_policies([POLICY]).releases[0].sha256 == read_policies([WUXI]).releases[0].sha256
