"""The console about a coverage that ended and still counts (渐退期)."""

from __future__ import annotations

import pytest

from tests.support.builders import VILLAGE, bill, coverage, discharge, policy_text
from tests.web.desk import Desk
from tests.web.town import post, publish_text
from tests.web.words import words

POLICY = policy_text("with-grace", "2020-01-01", None, VILLAGE.replace("care_types", "grace_months = 6\ncare_types", 1))


@pytest.fixture
def leaver(desk: Desk) -> Desk:
    """A villager who left on 1 February 2024 and was in hospital in March."""
    publish_text(desk.engine, POLICY)
    post(desk.engine, [coverage(valid_to="2024-02-01", ended_reason="moved"), discharge(), bill()])
    desk.catch_up()
    return desk


@pytest.mark.parametrize(
    ("language", "reason", "said"),
    [
        ("zh", "户籍或居住地迁出", "退出后有 6 个月的渐退期,到 2024 年 7 月 31 日为止"),
        ("en", "moved away", "it still pays in the grace of 6 months after that, until 2024-07-31"),
    ],
)
def test_the_person_page_says_why_and_the_claim_page_that_it_is_grace(
    leaver: Desk, language: str, reason: str, said: str
) -> None:
    """In both languages."""
    visitor = leaver.visitor("finance", language)
    person = words(visitor.get(f"/persons/{leaver.keys.token('P1', 'person')}").text)
    assert f"2020-01-01 2024-02-01 {reason}" in person
    assert said in words(visitor.get("/claims/E1").text)
