"""Synthetic patients, whose total is known: hundreds of claims in the repository, thousands in the shared data."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.claims.admit import Disposition
from handlers.offline.book import Book
from schemas.decisions import to_json
from schemas.money import format_yuan
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy
from tests.oracle.calculator import adjudicate
from tests.support.paths import REPOSITORY, SYNTHEA, WUXI

SHARED = REPOSITORY.parent / "shared"


def decided(facts: Path) -> tuple[int, str]:
    """How many claims a file of facts gives and what they are paid; each is as the oracle calculates it by itself."""
    lines, book = facts.read_bytes().splitlines(), Book()
    assert {Disposition.ACCEPTED} == {book.take(line) for line in lines}
    decisions = book.decide(Policies((parse_policy(WUXI.read_text("utf-8")),)))
    expected, refusals = adjudicate([WUXI.read_text("utf-8")], lines)
    assert [] == refusals
    shown = [{name: value for name, value in to_json(each).items() if name != "explanation"} for each in decisions]
    assert expected == shown
    return len(decisions), format_yuan(sum(decision.total_benefit for decision in decisions))


def test_the_synthetic_patients_are_paid_what_the_oracle_says() -> None:
    """388 claims get 51,787.79 yuan in all, and each claim what an independent calculation gives it."""
    assert (388, "51787.79") == decided(SYNTHEA)


@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not part of the repository; the sample in tests/data is")
def test_all_synthetic_patients_are_paid_what_the_oracle_says() -> None:
    """4,265 claims get 187,641.44 yuan in all; the sample in the repository is part of them, under the same policy."""
    facts = SHARED / "data" / "synthea-facts.jsonl"
    assert (4_265, "187641.44") == decided(facts)
    assert set(SYNTHEA.read_bytes().splitlines()) < set(facts.read_bytes().splitlines())
    assert (SHARED / "policies" / WUXI.name).read_bytes() == WUXI.read_bytes()
