"""What is said about a policy file that is wrong: file, line, field, what is wrong and what to write instead."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.policy_file import PolicyError, parse_policy, read_policies, read_policy, warnings
from schemas.toml_lines import Path as TomlPath
from schemas.toml_lines import line_of, lines_of

SAMPLE = """\
[policy]
id = "sample-2024"
status = "sample"
effective_from = 2024-01-01

[[scheme]]
id = "village"
programme = "village"
basis = "copay"
measured_on = "billed"
accumulates = "stay"
care_types = ["inpatient"]
threshold = "2000.00"
[[scheme.tier]]
name = "member"
categories = ["member"]
brackets = [{ over = "2000.00", rate = "0.30" }]

[[scheme]]
id = "aid"
programme = "aid"
basis = "out_of_catalogue"
measured_on = "remaining"
accumulates = "person_year"
waiting_days = 90
cap_per_year = "100000.00"
[[scheme.tier]]
name = "specific"
categories = ["dibao", "tekun"]
brackets = [
    { over = "0.00", rate = "0.80" },
    { over = "5000.00", rate = "0.85" },
]
[[scheme.tier]]
name = "ordinary"
categories = ["ordinary"]
brackets = [{ over = "0.00", rate = "0.60" }]
"""
RATE = 'write a rate from "0" to "1", such as "0.80" for 80 %'
DAY = "is not a day: write it as 2024-07-01, without quotes and without a time"
DAYS = "is not a number of days: write a whole number from 0 to 100000 without quotes, such as 365"
BASES = 'write one of "copay", "out_of_catalogue", "personal_burden"'
TWICE = "this table stands twice: write [policy] once, [[scheme]] and [[scheme.tier]] with two brackets"
YUAN = 'write yuan in quotes, such as "2000.00"'
DECIMALS = "an amount is a decimal number of yuan with at most two decimals"

WRONG = [
    ('rate = "0.85"', 'rate = "85"', '32: scheme.2.tier.1.brackets.2.rate: is above 1: 80 % is written "0.80", and all of it "1"'),
    ('rate = "0.80"', 'rate = "-0.80"', f"31: scheme.2.tier.1.brackets.1.rate: is below 0: {RATE}"),
    (
        'rate = "0.30"',
        'rate = "30%"',
        '17: scheme.1.tier.1.brackets.1.rate: is not a rate: write a decimal from "0" to "1", such as "0.80" for 80 %',
    ),
    (
        '"5000.00"',
        '"0.00"',
        '32: scheme.2.tier.1.brackets.2.over: is "0.00", not higher than the "0.00" of the bracket before it: '
        "write the brackets in ascending order, each `over` once",
    ),
    ('over = "2000.00"', 'over = "-1"', '17: scheme.1.tier.1.brackets.1.over: is below 0: write an amount of "0.00" yuan or more'),
    ('"100000.00"', '"1.005"', f"26: scheme.2.cap_per_year: is not an amount ({DECIMALS}): {YUAN}"),
    (
        "waiting_days",
        "waitin_days",
        "25: scheme.2.waitin_days: is not a field of [[scheme]]: did you mean waiting_days? Correct it or delete it",
    ),
    ("basis = ", "bassis = ", "9: scheme.1.bassis: is not a field of [[scheme]]: did you mean basis? Correct it or delete it"),
    (
        'status = "sample"',
        'status = "sample"\ncap_per_year = "1"',
        "4: cap_per_year: is a field of [[scheme]], not of [policy]: move it there",
    ),
    (
        'name = "ordinary"',
        'name = "ordinary"\nzzz = 1',
        "36: scheme.2.tier.2.zzz: is not a field of [[scheme.tier]]: delete it, or correct its spelling; "
        "docs/policies.md lists the fields",
    ),
    (
        "waiting_days = 90",
        'threshold = "500.00"',
        '25: scheme.2.threshold: goes only with accumulates = "stay": for a yearly deductible delete it and let the first '
        'bracket start at it; to test every stay by itself write accumulates = "stay"',
    ),
    ('basis = "copay"\n', "", '6: scheme.1.basis: is missing: add basis = "copay"'),
    ('categories = ["ordinary"]\n', "", '34: scheme.2.tier.2.categories: is missing: add categories = ["member"]'),
    ('over = "2000.00", ', "", '17: scheme.1.tier.1.brackets.1.over: is missing: add over = "2000.00"'),
    ('"copay"', '"copy"', f'9: scheme.1.basis: "copy" is not allowed: {BASES}; did you mean copay?'),
    ('"copay"', "5", f"9: scheme.1.basis: this is not allowed: {BASES}"),
    (
        '["inpatient"]',
        '["inpatient", "surgery"]',
        '12: scheme.1.care_types.2: "surgery" is not allowed: write one of "inpatient", "outpatient_special"',
    ),
    ('["inpatient"]', "[]", '12: scheme.1.care_types: is empty: list at least one, such as care_types = ["inpatient"]'),
    ('["inpatient"]', '"inpatient"', '12: scheme.1.care_types: is not a list: write it in square brackets, such as care_types = ["inpatient"]'),
    ("2024-01-01", "2024-02-30", f"4: effective_from: {DAY}"),
    ("2024-01-01", "2024-1-1", f"4: effective_from: {DAY}"),
    ("2024-01-01", '"next year"', f"4: effective_from: {DAY}"),
    ("2024-01-01", "2024-01-01T00:00:00", f"4: effective_from: {DAY}"),
    (
        "2024-01-01",
        "2024-01-01\neffective_to = 2024-01-01",
        "5: effective_to: is not after effective_from = 2024-01-01: write the first day on which the policy is no longer "
        "in force",
    ),
    (
        "2024-01-01",
        '2024-01-01\nyear_starts = "02-29"',
        '5: year_starts: is not a day that every year has: write "MM-DD", such as "01-01" or "07-01"',
    ),
    ("waiting_days = 90", 'waiting_days = "90"', f"25: scheme.2.waiting_days: {DAYS}"),
    ("waiting_days = 90", "waiting_days = -1", f"25: scheme.2.waiting_days: {DAYS}"),
    ('id = "aid"', 'id = "village"', '20: scheme.2.id: "village" is the id of an earlier scheme too: give each scheme an id of its own'),
    (
        'status = "sample"',
        'status = "enacted"',
        "1: source: is missing: an enacted policy names its published regulation; add it, or status = \"sample\"",
    ),
    (
        'status = "sample"',
        'status = "enacted"\nsource = " "',
        "4: source: is missing: an enacted policy names its published regulation; add it, or status = \"sample\"",
    ),
    ('id = "sample-2024"', 'id = ""', "2: id: is not a text: write 1 to 200 printable characters in quotes"),
    ("[policy]", "[polcy]", "1: policy: is missing: a policy file starts with one [policy] table, with single brackets"),
    ("[policy]", "x = 1\n[policy]", "1: x: stands outside the tables: move it below [policy], or delete it"),
    ("[[scheme.tier]]\nname = \"member\"", "[scheme.tier]\nname = \"member\"", "14: scheme.1.tier: is not a list of tables: write [[scheme.tier]] with two brackets, as there may be several"),
    ('[[scheme]]\nid = "aid"', '[scheme]\nid = "aid"', f"19: heading: {TWICE}"),
    ('["member"]', '["member"', "17: brackets: a list is not closed here or above: add the missing ]"),
    ('id = "aid"', "id = “aid”", '20: id: no value can be read here: write texts, amounts and rates in straight quotes, such as "0.80"'),
    ('"copay"', '"copay', "9: basis: a text is not closed on its line: add the missing quotation mark"),
    ('"copay"', '"copay"\nbasis = "copay"', "10: basis: this field stands twice in its table: keep one of the two"),
    ("basis = ", "basis ", "9: TOML: a field is written as `name = value`: add what is missing, or put # before a remark"),
]  # fmt: skip


def problems(text: str) -> list[str]:
    """All that is said about a text."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "city.toml")
    return [str(problem) for problem in caught.value.problems]


def changed(before: str, after: str) -> str:
    """The sample with its first ``before`` replaced."""
    assert before in SAMPLE
    return SAMPLE.replace(before, after, 1)


@pytest.mark.parametrize(("before", "after", "said"), WRONG, ids=[f"{after!r}"[:40] for _, after, _ in WRONG])
def test_one_mistake_gives_one_message(before: str, after: str, said: str) -> None:
    """The message names file, line, field and remedy, and no other message follows from the same mistake."""
    assert [f"city.toml:{said}"] == problems(changed(before, after))


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    """An editor on Windows may save the file: the policy and the lines are the same."""
    windows = "\ufeff" + SAMPLE.replace("\n", "\r\n")
    assert parse_policy(SAMPLE).sha256 == parse_policy(windows).sha256
    assert problems(changed('"0.60"', '"6"')) == problems(windows.replace('"0.60"', '"6"'))


def test_several_mistakes_are_all_told_in_order_of_their_lines() -> None:
    """Whoever corrects a file sees everything at once, from the top."""
    text = (
        changed('"copay"', '"copy"').replace('"0.85"', '"1.85"').replace("sample-2024", "").replace("2024-01-01", "5")
    )
    lines = [said.split(":")[1] for said in problems(text)]
    assert ["2", "4", "9", "32"] == lines


def test_a_real_empty_list_is_told_beside_a_wrong_element_elsewhere() -> None:
    """Only messages that follow from another one are left out."""
    said = problems(changed('["dibao", "tekun"]', "[]").replace('"0.80"', '"8"'))
    assert ["29: scheme.2.tier.1.categories", "31: scheme.2.tier.1.brackets.1.rate"] == [
        ":".join(each.split(":")[1:3]) for each in said
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there gives its name and what to check."""
    with pytest.raises(PolicyError, match=r"gone\.toml:1: file: cannot be read \(No such file or directory\): check"):
        read_policy(tmp_path / "gone.toml")


def test_text_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 give the line on which they stand."""
    file = tmp_path / "gbk.toml"
    file.write_bytes(b"[policy]\n# " + "方案".encode("gbk"))
    with pytest.raises(PolicyError, match=r"gbk\.toml:2: file: is not UTF-8 text: save it as UTF-8"):
        read_policy(file)


def test_nesting_without_end_is_a_message() -> None:
    """No text makes the reader fail with anything but a message."""
    assert ["city.toml:1: TOML: holds a number that is too long, or lists nested too deeply: correct it"] == problems(
        "x = " + "[" * 5000 + "]" * 5000
    )


def written(folder: Path, name: str, policy_id: str, days: str) -> Path:
    file = folder / name
    file.write_text(SAMPLE.replace("sample-2024", policy_id).replace("effective_from = 2024-01-01", days), "utf-8")
    return file


def said_of(files: list[Path]) -> list[str]:
    """What is said about files that are to be in force together, without the folder."""
    with pytest.raises(PolicyError) as caught:
        read_policies(files)
    return [str(problem).replace(f"{files[0].parent}/", "") for problem in caught.value.problems]


def test_overlapping_policies_are_both_named_with_the_day_and_the_remedy(tmp_path: Path) -> None:
    """The message stands at the file that is to be changed, whichever was given first."""
    one = written(tmp_path, "one.toml", "one", "effective_from = 2024-01-01")
    two = written(tmp_path, "two.toml", "two", "effective_from = 2024-07-01")
    said = 'one.toml:4: effective_to: "one" and "two" (two.toml:4) are both in force on 2024-07-01: end "one" with effective_to = 2024-07-01'
    assert [said] == said_of([one, two]) == said_of([two, one])


def test_an_end_that_is_too_late_can_be_moved_on_either_side(tmp_path: Path) -> None:
    """Where the earlier policy has an end, the later one may also start at it."""
    one = written(tmp_path, "one.toml", "one", "effective_from = 2024-01-01\neffective_to = 2025-01-01")
    two = written(tmp_path, "two.toml", "two", "effective_from = 2024-07-01")
    said = (
        'one.toml:5: effective_to: "one" and "two" (two.toml:4) are both in force on 2024-07-01: end "one" with '
        'effective_to = 2024-07-01, or let "two" start on 2025-01-01'
    )
    assert [said] == said_of([one, two])


def test_policies_that_start_on_one_day_cannot_be_ended_apart(tmp_path: Path) -> None:
    """The remedy is one that can be followed."""
    one = written(tmp_path, "one.toml", "one", "effective_from = 2024-01-01")
    two = written(tmp_path, "two.toml", "two", "effective_from = 2024-01-01")
    assert said_of([one, two])[0].endswith(
        "are both in force on 2024-01-01: both start on that day: use only one of them, or correct the dates"
    )


def test_two_releases_need_two_ids(tmp_path: Path) -> None:
    """The second file of one id is named, with the place of the first."""
    one = written(tmp_path, "one.toml", "one", "effective_from = 2024-01-01\neffective_to = 2024-07-01")
    two = written(tmp_path, "two.toml", "one", "effective_from = 2024-07-01")
    said = 'two.toml:2: id: "one" is the id of another policy too (one.toml:2): give each release an id of its own'
    assert [said] == said_of([one, two])


def test_the_same_policy_twice_is_one(tmp_path: Path) -> None:
    """A copy of a file, with other comments, is no overlap."""
    one = written(tmp_path, "one.toml", "one", "effective_from = 2024-01-01")
    two = written(tmp_path, "two.toml", "one", "# the same\neffective_from = 2024-01-01")
    assert 1 == len(read_policies([one, two]).releases)


def warned(text: str) -> list[str]:
    return [str(warning) for warning in warnings(parse_policy(text), text, "city.toml")]


def test_tiers_that_share_a_category_are_a_warning() -> None:
    """The policy is usable; the warning says which tier applies and where both stand."""
    text = changed('["ordinary"]', '[\n    "ordinary",\n    "tekun",\n]')
    assert [
        'city.toml:38: scheme.2.tier.2.categories.2: category "tekun" stands in tier "specific" on line 29 too, and the '
        "first tier applies: delete it in one of the two"
    ] == warned(text)
    assert [] == warned(SAMPLE)


def test_tiers_of_one_name_and_a_floor_above_the_cap_are_warnings() -> None:
    """What is allowed but cannot be meant is told."""
    text = changed('"ordinary"', '"specific"').replace('"100000.00"', '"10.00"\nfloor_per_stay = "20.00"')
    assert [
        'city.toml:36: scheme.2.tier.2.name: another tier is called "specific" too: rename one, reports show the name',
        "city.toml:27: scheme.2.floor_per_stay: is above the cap, so nothing is ever paid: lower it",
    ] == warned(text)


def paths(value: Any, here: TomlPath = ()) -> Iterator[TomlPath]:
    """The paths of everything inside a parsed TOML document."""
    if here:
        yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from paths(each, (*here, name))


ODD = '''
a.b = 1 # [[no.table]]
"quoted key" = """
[not.a.table]
c = "
"""
'd' = [ 1, # ] one
  { e = "}", f = [[2], ['''
"""An odd text, closed below: comments, quotes and brackets where they mean nothing."""


def test_every_part_of_a_document_has_a_line() -> None:
    """Dotted keys, quoted keys, texts over several lines, lists in lists, tables in tables."""
    text = ODD + "\"#\"]] },\n]\n[[g.h]]\ni = 1\n[g.h.j]\nk = '''\n'''\n[[g.h]]\ni = 2\n"
    lines = lines_of(text)
    assert set(paths(tomllib.loads(text))) == set(lines)
    expected = {("a", "b"): 2, ("quoted key",): 3, ("d",): 7, ("d", 1, "f", 1, 0): 8, ("g", "h", 0, "i"): 11}
    expected |= {("g", "h", 0, "j", "k"): 13, ("g", "h", 1, "i"): 16}
    assert expected == {path: lines[path] for path in expected}
    assert 15 == line_of(lines, ("g", "h", 1, "not", "there"))


@given(st.lists(st.sampled_from(["# c\n", "\n", "\r\n", 'x = "a#]"\n', "y = [1,\n2]\n", "z = {a = 1}\n", "[[t]]\n"])))
def test_no_part_is_ever_missed(parts: list[str]) -> None:
    """Whatever stands above it, a key is found on its line."""
    body = "".join(f"k{number}{part}" if part[0] in "xyz" else part for number, part in enumerate(parts))
    text = body + "last = 1\n"
    lines = lines_of(text)
    assert set(paths(tomllib.loads(text))) == set(lines)
    assert text.count("\n") in lines.values()
