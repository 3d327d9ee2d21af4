"""The pure parts of the API: cutting bodies, choosing a language, counting events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import unhurried
from web.accept_language import language_of
from web.api.json_slices import array_items, object_members
from web.api.limits import RateLimit
from web.api.problems import CODES, Problem, problem

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.decimals(allow_nan=False).map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
BLANKS = st.text(" \t\r\n", max_size=3)


@unhurried
@given(st.lists(st.tuples(VALUES, BLANKS, BLANKS, st.booleans()), max_size=6), BLANKS, BLANKS)
def test_the_items_of_an_array_are_its_very_text(items: list[tuple[Any, str, str, bool]], start: str, end: str) -> None:
    """However it is spaced and escaped, each slice is what stood between the commas, without the blanks around."""
    texts = [json.dumps(value, ensure_ascii=escaped, indent=1) for value, _, _, escaped in items]
    spaced = [before + text + after for text, (_, before, after, _) in zip(texts, items, strict=True)]
    assert texts == array_items(start + "[" + ",".join(spaced) + "]" + end)


@unhurried
@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5), BLANKS)
def test_the_members_of_an_object_are_their_very_text(members: dict[str, Any], blank: str) -> None:
    """By their names as read, with the values as written."""
    texts = {name: json.dumps(value) for name, value in members.items()}
    body = ",".join(f"{blank}{json.dumps(name)}{blank}:{blank}{text}{blank}" for name, text in texts.items())
    assert texts == object_members(blank + "{" + body + "}" + blank)


@pytest.mark.parametrize(
    "text", ["", "[", "[1", "[1,", "[1,]", "[,1]", "[1]]", "[1] x", "{}", "[1 2]", "[" * 100_000, '["\\x"]', "[01]"]
)
def test_what_is_no_array_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=r"expected|nested|follows|Expecting|Invalid|Unterminated"):
        array_items(text)


@pytest.mark.parametrize("text", ["", "{", '{"a"}', '{"a":1,}', '{"a":1,"a":2}', "{a:1}", '{"a":1}}', "[]", "{1:2}"])
def test_what_is_no_object_is_refused(text: str) -> None:
    """A repeated name too: two readers could see two bills."""
    with pytest.raises(ValueError, match=r"expected|member|follows|Expecting|Invalid"):
        object_members(text)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("*", "zh"),
        ("fr", "zh"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.5, zh;q=0.4", "en"),
        ("en;q=0", "zh"),
        ("en;q=x", "zh"),
        ("zh, en", "zh"),
    ],
)
def test_the_language_is_the_preferred_one_and_chinese_if_there_is_none(header: str | None, language: str) -> None:
    """As Accept-Language weighs them."""
    assert language == language_of(header)


def test_a_bucket_holds_a_burst_and_fills_at_its_rate() -> None:
    """Ten at once, then two a second; Retry-After is when there will be enough; callers do not share."""
    now = 0.0
    limit = RateLimit(2, 10, lambda: now)
    limit.take("a", 10)
    with pytest.raises(Problem) as told:
        limit.take("a", 3)
    assert "2" == told.value.headers["Retry-After"]
    limit.take("b", 10)
    now = 1.5
    limit.take("a", 3)
    with pytest.raises(Problem):
        limit.take("a")
    now = 1000.0
    limit.take("a", 10)
    with pytest.raises(Problem):
        limit.take("a")


@pytest.mark.parametrize("name", sorted(CODES))
def test_every_problem_speaks_both_languages(name: str) -> None:
    """And its detail is the reader's."""
    made = problem(name)
    zh, en = made.document("zh"), made.document("en")
    assert zh["detail"] == zh["zh"] == en["zh"] != en["detail"] == en["en"]
    assert f"urn:huzhu:problem:{name}" == zh["type"]
