"""What a file of watches gives, and what is said about one that is wrong: file, line, field, what to write instead."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path

import pytest

from schemas.policy.policy_file import FileProblem
from schemas.watch.watch_file import WatchError, parse_watches, read_watches
from schemas.watch.watch_model import WatchRule
from tests.support.paths import WATCHES
from tests.unit.watch_mistakes import BOTH, SAMPLE, WRONG


def problems(text: str) -> list[FileProblem]:
    """All that is said about a text."""
    with pytest.raises(WatchError) as caught:
        parse_watches(text, "watches.toml")
    return caught.value.problems


def changed(before: str, after: str) -> str:
    """The sample with its first ``before`` replaced."""
    assert before in SAMPLE
    return SAMPLE.replace(before, after, 1)


def test_watches_are_what_their_file_says() -> None:
    """Amounts in fen; what need not be there is empty."""
    watches = parse_watches(SAMPLE)
    assert ("watches-2024", "主动发现", "sample") == (watches.id, watches.title, watches.status)
    assert (date(2024, 1, 1), date(2025, 1, 1)) == (watches.effective_from, watches.effective_to)
    one = WatchRule(
        "person-burden", "个人负担较高", "personal_burden", "person", 12, (10_000_00, 30_000_00), ("dibao", "tekun")
    )
    assert (one, WatchRule("household-pays", "", "patient_pays", "household", 6, (20_000_00,), ())) == watches.watches


def test_only_the_id_of_the_file_need_be_there() -> None:
    """Without days it holds always."""
    watches = parse_watches(f'[watches]\nid = "w"\n{BOTH}')
    assert ("", "", None, None) == (watches.title, watches.status, watches.effective_from, watches.effective_to)
    assert watches.holds(date.min)
    assert watches.holds(date.max)


def test_watches_are_identified_by_their_canonical_form() -> None:
    """The SHA-256 is that of these bytes, whatever the order of keys and steps and the spelling of amounts and days."""
    watches = parse_watches(SAMPLE)
    canonical = (
        '{"watch":[{"categories":["dibao","tekun"],"id":"person-burden","measure":"personal_burden",'
        '"steps":["10000.00","30000.00"],"title":"个人负担较高","unit":"person","window_months":12},'
        '{"id":"household-pays","measure":"patient_pays","steps":["20000.00"],"unit":"household","window_months":6}],'
        '"watches":{"effective_from":"2024-01-01","effective_to":"2025-01-01","id":"watches-2024","status":"sample",'
        '"title":"主动发现"}}'
    ).encode()
    assert canonical == watches.canonical
    assert hashlib.sha256(canonical).hexdigest() == watches.sha256
    spelled = "\ufeff# again\n" + SAMPLE.replace('["10000.00", "30000.00"]', '["30000", 10000.0]')
    spelled = spelled.replace("2024-01-01", '"2024-01-01"').replace('unit = "household"\nwindow_months = 6', "")
    spelled = spelled.replace('id = "household-pays"', 'window_months = 6\nunit = "household"\nid = "household-pays"')
    assert watches.sha256 == parse_watches(spelled.replace("\n", "\r\n")).sha256


@pytest.mark.parametrize(("before", "after", "said"), WRONG, ids=[f"{after!r}"[:40] for _, after, _ in WRONG])
def test_one_mistake_in_a_file_of_watches_gives_one_message(before: str, after: str, said: str) -> None:
    """The message names file, line, field and remedy, and no other message follows from the same mistake."""
    assert [f"watches.toml:{said}"] == list(map(str, problems(changed(before, after))))


def test_all_mistakes_are_told_in_order_of_their_lines() -> None:
    """Whoever corrects a file sees everything at once, from the top."""
    text = changed('"watches-2024"', "1").replace('"person"', '"me"').replace('["20000.00"]', "[]")
    assert [2, 12, 22] == [problem.line for problem in problems(text)]


def test_another_file_is_told_what_it_lacks() -> None:
    """An empty file, a policy, and a list of tables have no watches in them."""
    said = "is missing: a file of watches starts with one [watches] table, with single brackets"
    for text in ("", '[policy]\nid = "wuxi"\n', "[[watches]]\n"):
        assert [f"watches.toml:1: watches: {said}"] == list(map(str, problems(text)))


STRANGE = (
    *("1", "-1", "1.5", "nan", "1e400", "0x10", "true", "9" * 5000, "'x'", "'\uff11'", '"\\ud800"', '"\\u0000"'),
    *("[]", "[[]]", "[{}]", "['a', 1]", "{}", "12:00:00", "2024-01-01", "'2024-01-01'", "", "'"),
)


@pytest.mark.parametrize("number", [number for number, line in enumerate(SAMPLE.splitlines()) if "=" in line])
def test_whatever_stands_in_a_field_of_watches_is_a_value_or_a_message(number: int) -> None:
    """No text makes the reader fail with anything else."""
    lines = SAMPLE.splitlines()
    name = lines[number].partition("=")[0]
    for strange in STRANGE:
        said = unusable("\n".join([*lines[:number], f"{name}= {strange}", *lines[number + 1 :]]))
        assert said is None or said, strange


def unusable(text: str) -> list[FileProblem] | None:
    """What is wrong with a text; None if it holds watches."""
    try:
        parse_watches(text)
    except WatchError as error:
        return error.problems
    return None


def test_every_message_about_watches_is_chinese_too() -> None:
    """A reader of Chinese gets no English sentence, only the words that he has to write."""
    quoted = re.compile(r'"[^"]*"|\[\[?[\w.]+\]\]?|[\w./-]*[_./=][\w./-]*')
    for before, after, _ in WRONG:
        for problem in problems(changed(before, after)):
            assert re.search("[\u4e00-\u9fff]", problem.message.zh), problem
            assert not re.search("[a-z]{2,} [a-z]{2,}", quoted.sub("", problem.message.zh)), problem.message.zh


def test_the_sample_says_that_it_is_one(tmp_path: Path) -> None:
    """In its first line, in its status and in every title, in both languages."""
    watches = read_watches(WATCHES)
    assert WATCHES.read_text("utf-8").startswith("# SAMPLE 示例")
    assert "sample" == watches.status
    titles = [watches.title, *(watch.title for watch in watches.watches)]
    assert [] == [title for title in titles if "(示例)" not in title or "(sample)" not in title]
    with pytest.raises(WatchError, match="cannot be read"):
        read_watches(tmp_path / "gone.toml")
