"""The console about members of households: what was decided with a household's sums is shown as it was decided."""

from __future__ import annotations

import re

import pytest

from tests.support.household import FAMILY, POLICY, SON
from tests.web.desk import Desk
from tests.web.town import post, publish_text
from tests.web.words import words


@pytest.fixture
def home(desk: Desk) -> Desk:
    """A mother who used up most of what her household may get in a year, and her son, who got the rest."""
    publish_text(desk.engine, POLICY)
    post(desk.engine, FAMILY)
    desk.catch_up()
    return desk


def person_path(desk: Desk, person_id: str) -> str:
    return f"/persons/{desk.keys.token(person_id, 'person')}"


def test_a_member_s_year_is_what_the_household_left(home: Desk) -> None:
    """The person page shows what was paid, not what the person alone would have got; the claim names the cap."""
    visitor = home.visitor("finance")
    row = re.search(
        r"2024-01-01 village_mutual_aid 1 ([\d,.]+) ([\d,.]+)", words(visitor.get(person_path(home, SON)).text)
    )
    assert row is not None
    assert ("3,000.00", "300.00") == row.groups()
    for language, name in (("zh", "全户年度上限"), ("en", "household's cap per year")):
        assert name in words(home.visitor("finance", language).get("/claims/E-son").text)
