"""Treaties that are in force together: which one covers a scheme on a day, and which cannot be joined."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from schemas.treaty.treaty_conflicts import TreatiesConflict
from schemas.treaty.treaty_model import Share, Treaties, Treaty, identified


def treaty(name: str, first: str, end: str | None, *schemes: str, title: str = "") -> Treaty:
    days = date.fromisoformat(first), None if end is None else date.fromisoformat(end)
    shares = (Share("insurer-a", Decimal("1")),)
    return identified(Treaty(name, title, "sample", *days, schemes, "insurer-a", shares, None, ""))


EARLY = treaty("early", "2024-01-01", "2025-01-01", "aid", "village")
LATE = treaty("late", "2025-03-01", None, "aid")
OTHER = treaty("other", "2024-06-01", "2024-07-01", "third")


def said(treaties: Treaties, joining: Treaty) -> tuple[str, str]:
    """Why a treaty cannot be joined, in Chinese and in English."""
    with pytest.raises(TreatiesConflict) as caught:
        treaties.joined(joining)
    (conflict,) = caught.value.conflicts
    assert conflict.message.en == str(caught.value)
    return conflict.message


def test_a_treaty_covers_its_schemes_from_its_first_day_to_its_last() -> None:
    """The end is the first day that is not covered; between treaties, and of other schemes, the fund pays."""
    treaties = Treaties((LATE, OTHER, EARLY))
    expected = {
        ("aid", "2023-12-31"): None,
        ("aid", "2024-01-01"): EARLY,
        ("village", "2024-12-31"): EARLY,
        ("aid", "2025-01-01"): None,
        ("village", "2025-03-01"): None,
        ("aid", "2025-02-28"): None,
        ("aid", "2025-03-01"): LATE,
        ("aid", "9999-12-31"): LATE,
        ("third", "2024-06-30"): OTHER,
        ("third", "2024-07-01"): None,
        ("unheard", "2024-06-30"): None,
    }
    assert expected == {(name, day): treaties.covering(name, date.fromisoformat(day)) for name, day in expected}
    assert Treaties().covering("aid", date(2024, 1, 1)) is None


def test_every_day_is_covered_as_a_search_through_all_treaties_finds() -> None:
    """However many treaties follow each other."""
    starts = [date(2020, 1, 1) + timedelta(days=40 * number) for number in range(20)]
    many = [
        treaty(f"t{number}", start.isoformat(), (start + timedelta(days=20 + number)).isoformat(), "aid")
        for number, start in enumerate(starts)
    ]
    treaties = Treaties(many[::-1])
    for number in range(900):
        day = date(2019, 12, 1) + timedelta(days=number)
        assert next((each for each in many if each.holds(day)), None) == treaties.covering("aid", day)


def test_a_treaty_joins_where_no_scheme_is_covered_twice() -> None:
    """One that begins on the other's end, one for other schemes, and one that is there already."""
    follower = treaty("follower", "2025-01-01", "2025-03-01", "aid", "village")
    treaties = Treaties((EARLY,)).joined(LATE).joined(OTHER).joined(follower)
    assert [EARLY, OTHER, follower, LATE] == list(treaties.releases)
    assert treaties.joined(EARLY) is treaties


def test_an_overlap_names_both_treaties_the_scheme_and_the_days() -> None:
    """In both languages, with remedies that change the new treaty alone, as the other one is published."""
    zh, en = said(Treaties((EARLY,)), treaty("new", "2024-12-01", "2025-12-01", "aid"))
    assert en == (
        '"early" and "new" both cover the scheme "aid" from 2024-12-01 to 2024-12-31 inclusive: let "new" start on '
        '2025-01-01, or take "aid" out of the schemes of "new"'
    )
    assert zh == (
        "“early”和“new”都承保保障层“aid”,2024-12-01 到 2024-12-31(含)重叠:让“new”从 2025-01-01 起生效,"
        '或者从“new”的 schemes 中删去 "aid"'
    )


def test_an_overlap_with_a_later_treaty_asks_for_an_earlier_end() -> None:
    """Without an end on either side the days go on."""
    zh, en = said(Treaties((LATE,)), treaty("new", "2025-01-01", None, "village", "aid"))
    assert en == (
        '"new" and "late" both cover the scheme "aid" from 2025-03-01 on: end "new" with effective_to = 2025-03-01, '
        'or take "aid" out of the schemes of "new"'
    )
    assert "自 2025-03-01 起重叠" in zh


def test_one_day_is_an_overlap_and_the_end_is_none() -> None:
    """The last day of the one is the first of the other; a day later it is not."""
    said(Treaties((EARLY,)), treaty("new", "2024-12-31", "2026-01-01", "village"))
    assert Treaties((EARLY,)).joined(treaty("new", "2025-01-01", "2026-01-01", "village"))


def test_a_treaty_within_another_overlaps_on_its_own_days() -> None:
    """And can only leave the scheme out."""
    _, en = said(Treaties((EARLY,)), treaty("new", "2024-02-01", "2024-03-01", "aid", "village"))
    assert en == (
        '"early" and "new" both cover the schemes "aid", "village" from 2024-02-01 to 2024-02-29 inclusive: '
        'take "aid", "village" out of the schemes of "new"'
    )


def test_an_id_is_published_once() -> None:
    """With other content it is refused, wherever its days are; only that is said."""
    zh, en = said(Treaties((EARLY,)), treaty("early", "2024-01-01", "2025-01-01", "aid", "village", title="again"))
    assert en == (
        '"early" is already published with other content, and a published treaty never changes: give the new one an id '
        "of its own"
    )
    assert "“early”已经公布过" in zh
    said(Treaties((EARLY,)), treaty("early", "2030-01-01", None, "third"))


def test_treaties_that_overlap_cannot_be_made() -> None:
    """Whatever their order."""
    new = treaty("new", "2024-12-31", None, "village")
    for both in ((EARLY, new), (new, EARLY)):
        with pytest.raises(TreatiesConflict, match="from 2024-12-31 to 2024-12-31 inclusive"):
            Treaties(both)
