"""`huzhu policy check` and `huzhu policy diff` as a person calls them: output and exit status."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.builders import VILLAGE, policy_text
from tests.support.paths import REPOSITORY, WUXI
from tests.support.processes import CHINESE, huzhu, rows, squeezed
from tests.support.succession import successor

POLICIES = [WUXI, *(REPOSITORY / "docs" / "policies" / f"{name}.toml" for name in ("graduated", "nine-layers"))]


def test_check_works_the_village_scheme_out_at_every_edge() -> None:
    """One fen below, at and above the threshold, a round amount, and the cap's last and first fen."""
    told = huzhu("policy", "check", WUXI, "--language", "en")
    assert 0 == told.returncode
    expected = [
        ["1,999.99", "0.00", "not over the threshold"],
        ["2,000.00", "0.00", "not over the threshold"],
        ["2,000.01", "0.00", "0.01 × 30%; works out at 0"],
        ["10,000.00", "2,400.00", "8,000.00 × 30%"],
        ["35,333.34", "10,000.00", "33,333.34 × 30%"],
        ["35,333.35", "10,000.00", "33,333.35 × 30%; at most 10,000.00 a stay"],
        ["100,000.00", "10,000.00", "98,000.00 × 30%; at most 10,000.00 a stay"],
    ]
    assert expected == rows(told.stdout)[: len(expected)]


def test_check_says_filters_and_limits_in_words(tmp_path: Path) -> None:
    """Areas, diagnoses, waiting, deadline, floor and yearly cap are sentences, in both languages."""
    text = WUXI.read_text("utf-8").replace('care_types = ["inpatient"]', FILTERS, 1)
    file = tmp_path / "filters.toml"
    file.write_text(text, "utf-8")
    told = squeezed(huzhu("policy", "check", file).stdout)
    for sentence in (
        "诊断编码以 C50 或 N18 开头的病",
        "diagnoses whose code starts with C50 or N18",
        "登记地区是 320206,而且入院时已经参加满 90 天",
        "recorded in area 320206, and had for 90 days when admitted",
        "出院后 365 天以内要做完最后结算",
        "The final bill is settled at most 365 days after discharge",
        "算出来不到 50.00 元的不发",
        "A benefit of less than 50.00 yuan is not paid.",
        "每人每个方案年度最多补 100,000.00 元",
        "超过 2,000.00 元才补;正好 2,000.00 元不补",
    ):
        assert squeezed(sentence) in told
    floor = [row[:2] for row in rows(huzhu("policy", "check", file, "--language", "zh").stdout)][3:5]
    assert [["2,166.64", "0.00"], ["2,166.65", "50.00"]] == floor


FILTERS = """facility_levels = ["county"]
diagnoses_any = ["C50", "N18"]
areas = ["320206"]
waiting_days = 90
file_within_days = 365
floor_per_stay = "50.00\""""


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.stem)
def test_check_is_readable_at_any_width(file: Path, columns: int) -> None:
    """Nothing is cut off, no line is wider than the terminal, and no amount is broken in two."""
    shown = huzhu("policy", "check", file, columns=columns, TTY_COMPATIBLE="1", TERM="xterm").stdout
    told = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert told != shown
    assert "…" not in told
    widths = [sum(2 if ord(sign) > 0x2E7F else 1 for sign in line.rstrip()) for line in told.splitlines()]
    assert max(widths) <= columns
    assert [] == re.findall(r"\d[,.]\s*\n\s*\d", told)


@pytest.mark.parametrize(("language", "chinese"), [("zh", True), ("en", False)])
def test_check_speaks_one_language_when_asked(language: str, chinese: bool, tmp_path: Path) -> None:
    """With English alone only titles are Chinese, and here there are none."""
    file = tmp_path / "untitled.toml"
    file.write_text(policy_text("untitled", "2024-01-01", None, VILLAGE), "utf-8")
    told = huzhu("policy", "check", file, "--language", language).stdout
    assert chinese == bool(CHINESE.search(told))
    assert chinese != ("threshold" in told)


def test_check_ends_with_the_messages_of_unusable_files(tmp_path: Path) -> None:
    """Exit status 2, and file, line, field and remedy on standard error."""
    file = tmp_path / "wrong.toml"
    file.write_text(WUXI.read_text("utf-8").replace('rate = "0.80"', 'rate = "80"'), "utf-8")
    told = huzhu("policy", "check", file)
    assert (2, "") == (told.returncode, told.stdout)
    place = f"{file}:40: scheme.2.tier.1.brackets.1.rate: "
    zh, en = told.stderr.splitlines()
    assert zh.startswith(f"{place}大于 1:80%")
    assert en.startswith(f"{place}is above 1: 80 %")
    for language, line in (("zh", zh), ("en", en)):
        assert f"{line}\n" == huzhu("policy", "check", file, "--language", language).stderr


@pytest.mark.parametrize("command", [["explain", "E1", "--facts", "-"], ["simulate", "--facts", "-"]])
def test_other_commands_say_in_chinese_too_what_is_wrong_with_a_policy(command: list[str], tmp_path: Path) -> None:
    """As they speak Chinese unless told otherwise."""
    file = tmp_path / "wrong.toml"
    file.write_text(WUXI.read_text("utf-8").replace('rate = "0.80"', 'rate = "80"'), "utf-8")
    told = huzhu(*command, "--policy", file)
    assert (2, "") == (told.returncode, told.stdout)
    assert "大于 1:80%" in told.stderr
    assert "is above" not in told.stderr


def test_check_takes_a_policy_and_its_successor_in_any_order(tmp_path: Path) -> None:
    """It shows when the one ends and the other begins; alone, the successor is refused, as what it names is missing."""
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(policy_text("old", "2024-01-01", None, VILLAGE), "utf-8")
    new.write_text(successor("new", "2025-01-01", "old"), "utf-8")
    shown = {huzhu("policy", "check", *files, "--language", "en").stdout for files in ((old, new), (new, old))}
    (told,) = shown
    assert "discharges from 2024-01-01 to 2024-12-31 inclusive" in told
    assert re.search(r"Succeeded by\s+new, from 2025-01-01 on", told)
    assert re.search(r"Succeeds\s+old\s*\n", told)
    alone = huzhu("policy", "check", new, "--language", "zh")
    assert 2 == alone.returncode
    assert alone.stderr.startswith(f"{new}:5: succeeds: “old”不在这些方案之中")
    compared = huzhu("policy", "diff", old, new, "--language", "en")
    assert 1 == compared.returncode
    assert ["succeeds", "not set", "old"] in [
        re.split(r"\s{2,}", line.strip()) for line in compared.stdout.splitlines()
    ]


def test_check_refuses_files_that_overlap() -> None:
    """Two files in force on one day are both named."""
    first, second = (REPOSITORY / "docs" / "policies" / f"{name}.toml" for name in ("graduated", "rates-2024-2"))
    told = huzhu("policy", "check", first, second)
    assert 2 == told.returncode
    assert f"{first}:6: effective_to:" in told.stderr
    assert f"({second}:6) are both in force on 2024-07-01" in told.stderr


def test_check_warns_and_goes_on(tmp_path: Path) -> None:
    """A shared category is a warning on standard error; the policy is explained, and the status is 0."""
    file = tmp_path / "shared.toml"
    file.write_text(WUXI.read_text("utf-8").replace('["ordinary"]', '["ordinary", "dibao"]'), "utf-8")
    told = huzhu("policy", "check", file)
    assert 0 == told.returncode
    place = f"{file}:44: scheme.2.tier.2.categories.2: "
    zh, en = told.stderr.splitlines()
    assert zh.startswith(f"提醒:{place}类别")
    assert en.startswith(f"warning: {place}category")
    assert "SHA-256" in told.stdout


def test_diff_of_equal_policies_is_silent_success(tmp_path: Path) -> None:
    """Comments and another spelling of a rate make no difference: exit status 0."""
    file = tmp_path / "same.toml"
    file.write_text("# again\n" + WUXI.read_text("utf-8").replace('"0.80"', '"0.8"'), "utf-8")
    told = huzhu("policy", "diff", WUXI, file)
    assert 0 == told.returncode
    assert "The two policies are the same." in told.stdout


def test_diff_says_each_field_and_what_it_means_in_yuan(tmp_path: Path) -> None:
    """A rate, a moved category and a new threshold, with the benefits before and after; exit status 1."""
    text = WUXI.read_text("utf-8").replace('threshold = "2000.00"', 'threshold = "1500.00"')
    text = text.replace('"dibao_edge", ', "").replace('["ordinary"]', '["ordinary", "dibao_edge"]')
    file = tmp_path / "new.toml"
    file.write_text(text.replace('rate = "0.60"', 'rate = "0.65"').replace("2010-01-01", "2025-01-01"), "utf-8")
    told = huzhu("policy", "diff", WUXI, file, "--language", "en", columns=120)
    assert 1 == told.returncode
    lines = [re.split(r"\s{2,}", line.strip()) for line in told.stdout.splitlines()]
    assert ["in force from", "2010-01-01", "2025-01-01"] in lines
    assert ["threshold", "2,000.00 yuan", "1,500.00 yuan"] in lines
    assert ["ordinary: brackets", "60% of all of it", "65% of all of it"] in lines
    assert ["10,000.00", "6,000.00", "6,500.00", "+500.00"] in lines
    assert ["10,000.00", "8,000.00", "6,500.00", "-1,500.00"] in lines
    assert "…" not in told.stdout


def test_diff_shows_schemes_that_come_go_and_change_places(tmp_path: Path) -> None:
    """A new scheme pays from nothing, one taken away pays nothing more, and the order of layers is a change."""
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    other = VILLAGE.replace('id = "village_mutual_aid"', 'id = "city_aid"', 1)
    third = VILLAGE.replace('id = "village_mutual_aid"', 'id = "fund"', 1)
    old.write_text(policy_text("p", "2024-01-01", None, VILLAGE, other), "utf-8")
    new.write_text(policy_text("p", "2024-01-01", None, third, other, VILLAGE), "utf-8")
    there = huzhu("policy", "diff", old, new, "--language", "en").stdout
    back = huzhu("policy", "diff", new, old, "--language", "en").stdout
    assert "New scheme  fund" in there
    assert "Scheme removed  fund" in back
    assert "order" in there
    assert ["10,000.00", "0.00", "2,400.00", "+2,400.00"] in rows(there)
    assert ["10,000.00", "2,400.00", "0.00", "-2,400.00"] in rows(back)


def test_diff_of_an_unusable_file_is_status_2(tmp_path: Path) -> None:
    """An error and a difference have different exit statuses."""
    assert 2 == huzhu("policy", "diff", WUXI, tmp_path / "gone.toml").returncode


HOUSEHOLDS = REPOSITORY / "docs" / "policies" / "household.toml"


def test_check_says_what_counts_by_household_in_words_and_an_example() -> None:
    """How sums and caps belong to the household, and what the second of two members gets, in both languages."""
    told = squeezed(huzhu("policy", "check", HOUSEHOLDS).stdout)
    for sentence in (
        "每户每个方案年度累计计算,没有登记在户内的人单独累计",
        "the stays of all members of a household in a policy year laid end to end; whoever is in none counts alone",
        "每户每个方案年度最多补 9,000.00 元",
        "At most 9,000.00 yuan for all members of a household together in one policy year.",
        "一户两人,各看一次病",
        "Two members of a household, a stay each",
    ):
        assert squeezed(sentence) in told
    wide = squeezed(huzhu("policy", "check", HOUSEHOLDS, "--language", "en", columns=160).stdout)
    assert squeezed("7,000.00  2,000.00  12,000.00 × 70%; at most 2,000.00 a household and year") in wide
    document = json.loads(huzhu("policy", "check", HOUSEHOLDS, "--json").stdout)
    (member,) = document["policies"][0]["household"]["benefits"]
    assert {"scheme_id": "self_pay_assistance", "first": "7000.00", "second": "2000.00"} == member


POOL = REPOSITORY / "docs" / "policies" / "village-pool.toml"
WITHOUT_POOL = REPOSITORY / "docs" / "policies" / "village-deductible.toml"


def test_check_says_that_a_pool_pays() -> None:
    """In words of both languages, and in the fields of the file for programs."""
    told = squeezed(huzhu("policy", "check", POOL).stdout)
    for sentence in (
        "资金来源",
        "由参保记录写明的资金池支付。补多少不看池里有多少钱",
        "Funded by",
        "The pool that the coverage names pays. What is due does not depend on its money",
    ):
        assert squeezed(sentence) in told
    (document,) = json.loads(huzhu("policy", "check", POOL, "--json").stdout)["policies"]
    assert ["pool"] == [scheme["funded_by"] for scheme in document["policy"]["scheme"]]


def test_check_says_nothing_of_pools_where_none_pays() -> None:
    """A policy without the field reads as before."""
    told = squeezed(huzhu("policy", "check", WITHOUT_POOL).stdout)
    assert squeezed("资金池") not in told
    assert squeezed("pool") not in told


def test_diff_says_that_a_pool_now_pays() -> None:
    """The field with both values, in words and as the file spells it; no benefit changes."""
    told = squeezed(huzhu("policy", "diff", WITHOUT_POOL, POOL).stdout)
    for sentence in ("资金来源", "funded by", "参保记录写明的资金池", "the pool that the coverage names"):
        assert squeezed(sentence) in told
    document = json.loads(huzhu("policy", "diff", WITHOUT_POOL, POOL, "--json").stdout)
    (change,) = (each for each in document["changes"] if each["scheme_id"] is not None)
    assert ("funded_by", None, "pool") == (change["field"], change["before"], change["after"])
    assert [] == [each for each in document["examples"] if each["before"] != each["after"]]


def test_check_has_no_household_where_nothing_counts_by_one() -> None:
    """Neither in words nor for programs."""
    assert "household" not in huzhu("policy", "check", WUXI, "--language", "en").stdout
    assert None is json.loads(huzhu("policy", "check", WUXI, "--json").stdout)["policies"][0]["household"]


def test_diff_says_that_a_scheme_now_counts_by_household(tmp_path: Path) -> None:
    """The way of adding up and the cap, in words and in the values of the file."""
    text = HOUSEHOLDS.read_text("utf-8")
    before = tmp_path / "before.toml"
    before.write_text(
        text.replace("household_year", "person_year").replace("cap_per_person_year", "cap_per_year"), "utf-8"
    )
    told = squeezed(huzhu("policy", "diff", before, HOUSEHOLDS).stdout)
    for sentence in ("每户年度上限", "cap per household and year", "每户每个方案年度累计计算", "9,000.00 yuan"):
        assert squeezed(sentence) in told
    document = json.loads(huzhu("policy", "diff", before, HOUSEHOLDS, "--json").stdout)
    changed = {each["field"]: (each["before"], each["after"]) for each in document["changes"]}
    assert {
        "accumulates": ("person_year", "household_year"),
        "cap_per_year": ("9000.00", None),
        "cap_per_household_year": (None, "9000.00"),
    } == changed


def test_check_says_what_follows_where_a_claim_may_be_there_twice(tmp_path: Path) -> None:
    """Every policy says it in words, also where its file does not; programs see what the file says."""
    held = tmp_path / "held.toml"
    held.write_text(WUXI.read_text("utf-8") + '[checks]\nduplicate_invoice = "hold"\n', "utf-8")
    hold = ("票据重复", "提醒工作人员核对,并暂缓支付,两人复核后解除", "it is paid once two people have released it")
    for file, held_too in ((WUXI, False), (held, True)):
        told = squeezed(huzhu("policy", "check", file).stdout)
        for sentence in (
            "住院时间重叠",
            "提醒工作人员核对,照常支付",
            "Stays overlap",
            "the claim is paid all the same",
        ):
            assert squeezed(sentence) in told
        assert [held_too] * 2 == [squeezed(sentence) in told for sentence in hold[1:]]
    (document,) = json.loads(huzhu("policy", "check", held, "--json").stdout)["policies"]
    assert {"duplicate_invoice": "hold"} == document["policy"]["checks"]


def test_diff_says_that_claims_are_now_held(tmp_path: Path) -> None:
    """The check with both values, in words and as the file spells it; no benefit changes."""
    held = tmp_path / "held.toml"
    held.write_text(WUXI.read_text("utf-8") + '[checks]\noverlapping_stays = "hold"\n', "utf-8")
    told = squeezed(huzhu("policy", "diff", WUXI, held).stdout)
    for sentence in ("住院时间重叠", "提醒工作人员核对,照常支付", "两人复核后解除", "the claim is held"):
        assert squeezed(sentence) in told
    document = json.loads(huzhu("policy", "diff", WUXI, held, "--json").stdout)
    change = {"scheme_id": None, "tier": None, "field": "overlapping_stays", "before": "alert", "after": "hold"}
    assert [change] == document["changes"]
    assert [] == [each for each in document["examples"] if each["before"] != each["after"]]
