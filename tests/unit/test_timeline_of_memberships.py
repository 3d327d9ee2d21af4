"""What a claim's timeline says of memberships of households: the days, and neither household nor role."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.ledger.timeline import Happened
from tests.support.builders import Json, encode, membership, membership_void
from web.console.timeline_sentences import words_of


def told(event: Json) -> str:
    happened = Happened(1, 0, datetime(2024, 1, 1, tzinfo=UTC), "membership", "M1", event["version"], encode(event))
    words, name = words_of(happened, clear=False)
    assert "M1" == name
    return f"{words.zh} | {words.en}"


def test_memberships_are_told_without_household_and_role() -> None:
    """In both languages, with the version."""
    recorded = told(membership(version=2, role="Li Na", valid_to="2024-06-01"))
    assert "户内登记 v2:2020-01-01 – 2024-06-01 | Membership of a household v2: 2020-01-01 – 2024-06-01" == recorded
    assert "户内登记作废 v3 | Membership of a household voided v3" == told(membership_void(version=3))
