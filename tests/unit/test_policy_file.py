"""What is said about a policy file that is wrong: file, line, field, what is wrong and what to write instead."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from schemas.policy.before_publishing import publishing_warnings
from schemas.policy.doubts import SeenCoverages, warnings
from schemas.policy.model import Policies
from schemas.policy.policy_file import PolicyError, parse_policy, read_policies
from tests.support.paths import SAMPLES, WUXI
from tests.unit.policy_mistakes import SAMPLE, WRONG


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
        read_policies([tmp_path / "gone.toml"])


def test_text_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 give the line on which they stand."""
    file = tmp_path / "gbk.toml"
    file.write_bytes(b"[policy]\n# " + "方案".encode("gbk"))
    with pytest.raises(PolicyError, match=r"gbk\.toml:2: file: is not UTF-8 text: save it as UTF-8"):
        read_policies([file])


def test_nesting_without_end_is_a_message() -> None:
    """No text makes the reader fail with anything but a message."""
    assert ["city.toml:1: TOML: has a number that is too long, or lists nested too deeply: correct it"] == problems(
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
    said = (
        'one.toml:4: effective_to: "one" and "two" (two.toml:4) are both in force on 2024-07-01: '
        'write succeeds = "one" in "two", which ends "one" on that day, or end "one" with effective_to = 2024-07-01'
    )
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
    said = 'two.toml:2: id: "one" is also the id of another policy (one.toml:2): give each release its own id'
    assert [said] == said_of([one, two])


def test_the_same_policy_twice_is_one(tmp_path: Path) -> None:
    """A copy of a file, with other comments, is no overlap."""
    one = written(tmp_path, "one.toml", "one", "effective_from = 2024-01-01")
    two = written(tmp_path, "two.toml", "one", "# the same\neffective_from = 2024-01-01")
    assert 1 == len(read_policies([one, two]).releases)


def warned(text: str) -> list[str]:
    return [str(warning) for warning in warnings(parse_policy(text), text, "city.toml")]


def test_bare_numbers_and_quoted_days_are_the_same_policy() -> None:
    """As docs/policies.md says: they are read from what is written, and the SHA-256 is that of the usual form."""
    text = SAMPLE.replace('"2000.00"', "2000.00").replace('"100000.00"', "100000").replace('"0.30"', "0.30")
    text = text.replace("2024-01-01", '"2024-01-01"')
    assert text.count('"') < SAMPLE.count('"')
    assert parse_policy(SAMPLE).sha256 == parse_policy(text).sha256
    assert "is not an amount" in problems(text.replace("2000.00", "2000.001"))[0]


WORDS_TO_WRITE = re.compile(r'"[^"]*"|\[\[?[\w.]+\]\]?|\{[^}]*\}|[\w./-]*[_./=][\w./-]*')
"""What a Chinese sentence quotes of a policy file: values, headings, brackets, fields."""


def test_every_message_is_chinese_too() -> None:
    """A reader of Chinese gets no English sentence, only the words that he has to write."""
    for before, after, _ in WRONG:
        with pytest.raises(PolicyError) as caught:
            parse_policy(changed(before, after), "city.toml")
        for problem in caught.value.problems:
            assert re.search("[\u4e00-\u9fff]", problem.message.zh), problem
            quoted = WORDS_TO_WRITE.sub("", problem.message.zh)
            assert not re.search("[a-z]{2,} [a-z]{2,}", quoted), problem.message.zh


@pytest.mark.parametrize(
    ("first", "second", "warns"),
    [
        ("special", "specail", True),
        ("special", "specal", True),
        ("special", "speciall", True),
        ("special", "spesial", True),
        ("urban_resident", "rural_resident", False),
        ("member_1", "member_2", False),
        ("member_a", "member_b", False),
        ("poor", "door", True),
        ("dib", "dic", False),
        ("低保对象", "低保对家", False),
        ("dibao", "dibao_edge", False),
    ],
)
def test_a_category_that_differs_by_one_letter_draws_a_warning(first: str, second: str, warns: bool) -> None:
    """Where one place has it and an earlier one has the other; numbers and letters that tell groups apart do not."""
    text = changed('["member"]', f'["{first}"]').replace('["ordinary"]', f'["{second}"]')
    said = (
        f'city.toml:36: scheme.2.tier.2.categories.1: category "{second}" is only here, and line 16 has "{first}": '
        f'did you mean "{first}"?'
    )
    assert ([said] if warns else []) == warned(text)


def test_tiers_that_share_a_category_are_a_warning() -> None:
    """The policy is usable; the warning says which tier applies and where both stand."""
    text = changed('["ordinary"]', '[\n    "ordinary",\n    "tekun",\n]')
    assert [
        'city.toml:38: scheme.2.tier.2.categories.2: category "tekun" is also in tier "specific" on line 29, and '
        "the first tier applies: delete it in one of the two"
    ] == warned(text)
    assert [] == warned(SAMPLE)


def test_tiers_of_one_name_and_a_floor_above_the_cap_are_warnings() -> None:
    """What is allowed but cannot be meant is told."""
    text = changed('"ordinary"', '"specific"').replace('"100000.00"', '"10.00"\nfloor_per_stay = "20.00"')
    assert [
        'city.toml:36: scheme.2.tier.2.name: another tier is also called "specific": rename one, reports show the name',
        "city.toml:27: scheme.2.floor_per_stay: is above the cap, so nothing is ever paid: lower it",
    ] == warned(text)


@pytest.mark.parametrize(
    ("cap", "told"),
    [
        (
            "99999.99",
            [
                "city.toml:27: scheme.2.cap_per_household_year: is below cap_per_year, which then never applies: "
                "raise it, or delete cap_per_year"
            ],
        ),
        ("100000.00", []),
    ],
)
def test_a_household_that_gets_less_than_a_person_is_a_warning(cap: str, told: list[str]) -> None:
    """Up to the person's yearly cap the household's makes it useless."""
    assert told == warned(changed('"100000.00"', f'"100000.00"\ncap_per_household_year = "{cap}"'))


def test_a_floor_above_the_cap_of_a_household_is_a_warning() -> None:
    """As above every other cap."""
    text = changed('cap_per_year = "100000.00"', 'cap_per_household_year = "10.00"\nfloor_per_stay = "20.00"')
    assert ["city.toml:27: scheme.2.floor_per_stay: is above the cap, so nothing is ever paid: lower it"] == warned(
        text
    )


@pytest.mark.parametrize(
    ("programmes", "with_pools", "warns"),
    [("aid", "", True), ("aid other", "other", True), ("aid", "aid", False), ("", "", False)],
)
def test_a_pool_that_no_coverage_names_is_a_warning_before_publishing(
    programmes: str, with_pools: str, warns: bool
) -> None:
    """Of the scheme's own programme; while that has no coverages, there is nothing to warn of."""
    text = (
        (SAMPLES / "village-pool-sample.toml")
        .read_text("utf-8")
        .replace('programme = "village_mutual_aid"', 'programme = "aid"')
    )
    policy = parse_policy(text)
    seen = SeenCoverages(set(), set(programmes.split()), set(with_pools.split()), set())
    policies = Policies((policy,), elsewhere=True)
    told = [str(each) for each in publishing_warnings(policy, text, "city.toml", date(2025, 12, 1), seen, policies)]
    (line,) = (n for n, row in enumerate(text.splitlines(), 1) if row.startswith("funded_by"))
    expected = (
        f"city.toml:{line}: scheme.1.funded_by: no coverage of aid in the ledger names a pool (pool_id), so each "
        "benefit is paid at once with the alert NO_POOL: have the coverages corrected first, or delete the field"
    )
    assert ([expected] if warns else []) == [each for each in told if "funded_by" in each]


@pytest.mark.parametrize(("months", "warns"), [(0, True), (1, False)])
def test_a_grace_of_no_months_is_a_warning(months: int, warns: bool) -> None:
    """It is allowed, and gives nothing to anybody."""
    told = "city.toml:25: scheme.2.grace_months: is 0, which is no grace: write how many months, or delete it"
    assert ([told] if warns else []) == warned(changed("waiting_days = 90", f"grace_months = {months}"))


@pytest.mark.parametrize(
    ("programmes", "with_reasons", "warns"),
    [("aid", "", True), ("aid village", "village", True), ("aid", "aid", False), ("", "", False)],
)
def test_reasons_that_no_coverage_tells_are_a_warning_before_publishing(
    programmes: str, with_reasons: str, warns: bool
) -> None:
    """Of the scheme's own programme; while that has no coverages, there is nothing to warn of."""
    text = changed("waiting_days = 90", 'grace_months = 6\ngrace_reasons = ["income"]')
    policy = parse_policy(text)
    seen = SeenCoverages(set(), set(programmes.split()), set(), set(with_reasons.split()))
    policies = Policies((policy,))
    told = [str(each) for each in publishing_warnings(policy, text, "city.toml", date(2023, 12, 1), seen, policies)]
    expected = (
        "city.toml:26: scheme.2.grace_reasons: no coverage of aid in the ledger says why it ended (ended_reason), so "
        "nobody has a grace: have the registry send the reasons, or delete the field to count them all"
    )
    assert ([expected] if warns else []) == [each for each in told if "grace" in each]


@pytest.mark.parametrize(
    ("checks", "told"),
    [
        ("", []),
        ('duplicate_invoice = "alert"', []),
        ('overlapping_stays = "hold"', []),
        (
            'overlapping_stays = "off"',
            [
                '39: checks.overlapping_stays: is "off", so nobody will know of it: write "alert" if somebody should '
                "look while the claim is paid"
            ],
        ),
        (
            "# nothing",
            [
                "38: checks: is empty, as if it were not there: say what follows, such as "
                'duplicate_invoice = "hold", or delete it'
            ],
        ),
    ],
)
def test_checks_that_are_off_or_say_nothing_are_a_warning(checks: str, told: list[str]) -> None:
    """They are allowed, and look unintended; an alert or a hold does not."""
    text = SAMPLE + (f"[checks]\n{checks}\n" if checks else "")
    assert [f"city.toml:{each}" for each in told] == warned(text)


@pytest.mark.parametrize(
    ("before", "after", "warns"),
    [
        ("hold", "", True),
        ("hold", '[checks]\noverlapping_stays = "alert"\n', True),
        ("hold", '[checks]\nduplicate_invoice = "alert"\n', False),
        ("hold", '[checks]\nduplicate_invoice = "hold"\n', False),
        ("alert", "", False),
    ],
)
def test_a_hold_that_a_successor_forgets_is_a_warning_before_publishing(before: str, after: str, warns: bool) -> None:
    """Whoever copies the schemes alone pays claims that were held until then; whoever says so means it."""
    held = parse_policy(SAMPLE + f'[checks]\nduplicate_invoice = "{before}"\n')
    text = SAMPLE.replace("sample-2024", "next").replace("2024-01-01", '2025-01-01\nsucceeds = "sample-2024"') + after
    policy = parse_policy(text)
    given = (policy, text, "city.toml", date(2024, 12, 1), SeenCoverages.none(), Policies((held, policy)))
    expected = (
        "city.toml:5: checks.duplicate_invoice: is not set, so staff are only alerted, while the policy that it "
        'succeeds says "hold": write duplicate_invoice = "hold" below [checks] if such claims are still to be held'
    )
    assert ([expected] if warns else []) == [str(each) for each in publishing_warnings(*given) if "checks" in str(each)]


def test_checks_at_their_default_leave_the_policy_as_it_is() -> None:
    """What every policy did before there were checks is no other policy; a hold is."""
    alert = SAMPLE + '[checks]\nduplicate_invoice = "alert"\noverlapping_stays = "alert"\n'
    assert parse_policy(SAMPLE).sha256 == parse_policy(alert).sha256
    assert parse_policy(SAMPLE).sha256 != parse_policy(alert.replace("alert", "hold", 1)).sha256


def test_the_sample_with_a_village_pool_is_the_wuxi_sample_but_for_who_pays() -> None:
    """It is marked as a sample, warns of nothing, succeeds the Wuxi sample, and pays what that one pays."""
    text = (SAMPLES / "village-pool-sample.toml").read_text("utf-8")
    pooled, wuxi = parse_policy(text), parse_policy(WUXI.read_text("utf-8"))
    assert ("sample", wuxi.id, []) == (pooled.status, pooled.succeeds, warnings(pooled, text))
    assert 2 == len(Policies((wuxi, pooled)).releases)
    unfunded = [scheme.model_copy(update={"funded_by": None}) for scheme in pooled.schemes]
    assert (["pool", None], list(wuxi.schemes)) == ([scheme.funded_by for scheme in pooled.schemes], unfunded)
