"""What is said about a mapping file that is wrong: file, line, field, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.national.mapping import NationalMapping
from schemas.national.mapping_file import MappingError, parse_mapping, read_mappings
from tests.support.national_lists import SAMPLE_MAPPING
from tests.support.paths import MAPPING_FILE


def problems(text: str) -> list[str]:
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, "m.toml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('amt = "copay"', 'amt = "copy"', "18: counts_as.preselfpay_amt: is not allowed: write one of 'copay' or"),
        ('facility_level = "county"', 'levels = "x"', "9: levels: is not a field here: Correct it or delete it;"),
        ('id = "sample', 'idd = "sample', "5: idd: is not a field here: did you mean id?"),
        ('"sample"', '"confirmed"', "4: source: is missing: a confirmed mapping says who confirmed it"),
        ("2020-01-01", "2020-01-01\neffective_to = 2020-01-01", "11: effective_to: is not after effective_from"),
        ("2020-01-01", '"1 January"', "10: effective_from: is not a day: write it as 2024-07-01"),
        ("[mapping.counts_as]", "[counts_as]", "17: counts_as: is outside [mapping]"),
        ("[mapping]", "[mappings]", "4: mappings: is outside [mapping]"),
        ("facility_id = ", "facility_id ", "8: TOML: is not TOML"),
        ('["preselfpay_amt"]', '"preselfpay_amt"', "13: psn_selfpay_contains: is not a list: write it in square"),
        ('["preselfpay_amt"]', '["acct_pay"]', "13: psn_selfpay_contains.1: is not allowed: write one of"),
        (
            "[mapping.c",
            '[mapping.funds]\nacct_pay = "other_fund_paid"\n[mapping.c',
            "18: funds.acct_pay: acct_pay is the",
        ),
        (
            "[mapping.c",
            '[mapping.advances]\nothfund_pay = "s"\n[mapping.c',
            "18: advances.othfund_pay: othfund_pay is read as something else already",
        ),
        (
            "[mapping.c",
            '[mapping.advances]\na_amt = "s"\nb_amt = "s"\n[mapping.c',
            "18: advances.a_amt: s has two fields",
        ),
        ("[mapping.c", '[mapping.hosp_lv]\n"3" = "big"\n[mapping.c', "18: hosp_lv.3: is not allowed: write one of"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(before: str, after: str, said: str) -> None:
    """The first message names line, field and what to write."""
    assert before in SAMPLE_MAPPING
    first = [each for each in problems(SAMPLE_MAPPING.replace(before, after, 1)) if each.startswith(f"m.toml:{said}")]
    assert len(first) == 1, problems(SAMPLE_MAPPING.replace(before, after, 1))


def test_the_hash_is_of_what_counts() -> None:
    """Comments, titles and defaults written out change nothing; whatever can change an event does."""

    def sha256(*changes: tuple[str, str]) -> str:
        text = SAMPLE_MAPPING
        for before, after in changes:
            assert before in text
            text = text.replace(before, after, 1)
        return parse_mapping(text).sha256

    same = [
        (),
        (("# What", "# what"),),
        (("示例医院", "某医院"),),
        (("[mapping.c", '[mapping.med_type]\n"021" = "inpatient"\n[mapping.c'),),
        (("\n# On which", '\nburden = "psn_selfpay"\n# On which'),),
    ]
    other = [
        (('amt = "copay"', 'amt = "out_of_catalogue"'),),
        (('"county"', '"city"'),),
        (('["preselfpay_amt"]', "[]"),),
        (("2020-01-01", "2020-01-02"),),
        (("[mapping.c", '[mapping.med_type]\n"11" = "inpatient"\n[mapping.c'),),
    ]
    assert {sha256(*changes) for changes in same} == {parse_mapping(SAMPLE_MAPPING).sha256}
    assert len({sha256(*changes) for changes in [(), *other]}) == 1 + len(other)


def written(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    text = SAMPLE_MAPPING
    for before, after in changes:
        text = text.replace(before, after, 1)
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def said_of(*files: Path) -> list[str]:
    with pytest.raises(MappingError) as caught:
        read_mappings(files)
    return [str(problem).replace(f"{files[0].parent}/", "") for problem in caught.value.problems]


def test_two_releases_of_a_facility_may_not_share_a_day(tmp_path: Path) -> None:
    """Both are named, with the day and the remedy; releases that touch are fine, and so are two facilities."""
    one = written(tmp_path, "one.toml")
    two = written(tmp_path, "two.toml", ("sample-hospital-2020", "second"), ("2020-01-01", "2024-01-01"))
    assert said_of(one, two) == [
        'one.toml:10: effective_to: "sample-hospital-2020" and "second" (two.toml:10) are both in force on 2024-01-01 '
        "for this facility: end this one with effective_to = 2024-01-01"
    ]
    ended = written(tmp_path, "one.toml", ("2020-01-01", "2020-01-01\neffective_to = 2024-01-01"))
    assert len(read_mappings([ended, two]).releases) == 2
    elsewhere = written(tmp_path, "three.toml", ("sample-hospital-2020", "third"), ("H32020600001", "H2"))
    assert read_mappings([ended, elsewhere]).facilities() == ["H2", "H32020600001"]


def test_two_releases_need_two_ids(tmp_path: Path) -> None:
    one = written(tmp_path, "one.toml")
    two = written(tmp_path, "two.toml", ("H32020600001", "H2"))
    assert said_of(one, two) == [
        "two.toml:5: id: is also the id of another mapping (one.toml): give each release its own id"
    ]


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    """And a folder without any, like a file that is not there, is a message."""
    assert said_of(tmp_path / "gone") == [
        "gone:1: file: cannot be read (No such file or directory): check the name and the permissions"
    ]
    assert said_of(tmp_path)[0].endswith("is a folder without *.toml files: put a mapping into it")
    written(tmp_path, "one.toml")
    assert read_mappings([tmp_path]).releases == read_mappings([MAPPING_FILE]).releases
    assert isinstance(read_mappings([tmp_path]).releases[0], NationalMapping)
