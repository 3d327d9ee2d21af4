"""What a claim's timeline says of coverages: programme, category and days, and why they ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handlers.words.coverage_sentences import ENDED_REASONS
from infra.ledger.timeline import Happened
from schemas.facts import EndedReason
from tests.support.builders import Json, coverage, encode
from web.console.timeline_sentences import words_of


def told(event: Json) -> str:
    happened = Happened(1, 0, datetime(2024, 1, 1, tzinfo=UTC), "coverage", "C1", event["version"], encode(event))
    words, _ = words_of(happened, clear=False)
    return f"{words.zh} | {words.en}"


def test_a_coverage_that_does_not_say_why_it_ended_is_told_with_its_days() -> None:
    """In both languages."""
    days = "village_mutual_aid / member, 2020-01-01 – 2024-06-01"
    assert f"身份登记:{days} | Coverage: {days}" == told(coverage(valid_to="2024-06-01"))


@pytest.mark.parametrize("reason", EndedReason)
def test_each_reason_has_its_words(reason: EndedReason) -> None:
    """After the days."""
    said = ENDED_REASONS[reason]
    words = told(coverage(valid_to="2024-06-01", ended_reason=reason.value))
    assert f"– 2024-06-01,退出原因:{said.zh} | " in words
    assert words.endswith(f"– 2024-06-01, ended because of: {said.en}")
