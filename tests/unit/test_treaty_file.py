"""What a treaty file gives, and what is said about one that is wrong: file, line, field, what to write instead."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from schemas.policy.model import Policy
from schemas.policy.policy_file import FileProblem
from schemas.toml_values import STATUSES
from schemas.treaty.treaty_file import TreatyError, parse_treaty, read_treaties
from schemas.treaty.treaty_model import Share, StopLoss
from tests.support.paths import SAMPLES
from tests.unit.treaty_mistakes import FIRST, SAMPLE, SECOND, WRONG


def problems(text: str) -> list[str]:
    """All that is said about a text."""
    with pytest.raises(TreatyError) as caught:
        parse_treaty(text, "treaty.toml")
    return [str(problem) for problem in caught.value.problems]


def changed(before: str, after: str) -> str:
    """The sample with its first ``before`` replaced."""
    assert before in SAMPLE
    return SAMPLE.replace(before, after, 1)


def test_a_treaty_is_what_its_file_says() -> None:
    """Amounts in fen, shares exact, and everybody who bears a part, the lead first."""
    treaty = parse_treaty(SAMPLE)
    assert ("self-pay-2024", "责任保险", "sample") == (treaty.id, treaty.title, treaty.status)
    assert (date(2024, 1, 1), date(2025, 1, 1)) == (treaty.effective_from, treaty.effective_to)
    assert ("self_pay_assistance", "village_mutual_aid") == treaty.schemes
    assert (Share("insurer-a", Decimal("0.6")), Share("insurer-b", Decimal("0.4"))) == treaty.shares
    assert StopLoss(1_000_000_00, 500_000_00, Decimal("0.9"), "reinsurer-x") == treaty.stop_loss
    assert ("insurer-a", "insurer-b", "reinsurer-x") == treaty.insurers
    led_by_b = parse_treaty(changed('lead = "insurer-a"', 'lead = "insurer-b"').replace("reinsurer-x", "insurer-a"))
    assert ("insurer-b", "insurer-a") == led_by_b.insurers


def test_what_need_not_be_there() -> None:
    """A title, an end and a stop-loss may be missing; one insurer may bear all."""
    text = SAMPLE[: SAMPLE.index("[treaty.stop_loss]")].replace("effective_to = 2025-01-01\n", "")
    text = text.replace('title = "责任保险"\n', "").replace(SECOND, "").replace("0.60", "1")
    treaty = parse_treaty(text)
    assert ("", None, None, ("insurer-a",)) == (treaty.title, treaty.effective_to, treaty.stop_loss, treaty.insurers)
    assert treaty.holds(date(2999, 1, 1))


def test_a_treaty_is_identified_by_its_canonical_form() -> None:
    """The SHA-256 is that of these bytes: another one would make every published treaty another treaty."""
    treaty = parse_treaty(SAMPLE)
    canonical = (
        '{"effective_from":"2024-01-01","effective_to":"2025-01-01","id":"self-pay-2024","lead":"insurer-a",'
        '"schemes":["self_pay_assistance","village_mutual_aid"],'
        '"share":[{"insurer":"insurer-a","share":"0.6"},{"insurer":"insurer-b","share":"0.4"}],"status":"sample",'
        '"stop_loss":{"attachment":"1000000.00","insurer":"reinsurer-x","limit":"500000.00","share":"0.9"},'
        '"title":"责任保险"}'
    ).encode()
    assert canonical == treaty.canonical
    assert hashlib.sha256(canonical).hexdigest() == treaty.sha256


def test_comments_and_spellings_are_the_same_treaty() -> None:
    """Windows line ends, bare numbers, quoted days and another order of the keys change nothing."""
    text = "\ufeff# again\n" + SAMPLE.replace('"0.60"', "0.6000").replace('"1000000.00"', "1000000")
    text = text.replace("2024-01-01", '"2024-01-01"').replace('"500000.00"\nshare = "0.90"', '"500000"\nshare = "0.9"')
    other = text.replace('insurer = "insurer-b"\nshare = "0.40"', 'share = "0.40"\ninsurer = "insurer-b"')
    assert parse_treaty(SAMPLE).sha256 == parse_treaty(other.replace("\n", "\r\n")).sha256


def test_everything_that_changes_a_payment_is_another_treaty() -> None:
    """Each field counts, and the order of the shares, which decides who gets a fen that is left over."""
    others = [
        changed("self-pay-2024", "self-pay-2025"),
        changed('"sample"', '"enacted"'),
        changed("2024-01-01", "2024-01-02"),
        changed("2025-01-01", "2025-01-02"),
        changed(', "village_mutual_aid"', ""),
        changed('lead = "insurer-a"', 'lead = "insurer-b"'),
        changed('"0.60"', '"0.61"').replace('"0.40"', '"0.39"'),
        changed(f"{FIRST}\n{SECOND}", f"{SECOND}\n{FIRST}"),
        changed('"1000000.00"', '"1000000.01"'),
        changed('"500000.00"', '"500000.01"'),
        changed('"0.90"', '"0.91"'),
        changed("reinsurer-x", "reinsurer-y"),
        SAMPLE[: SAMPLE.index("[treaty.stop_loss]")],
    ]
    assert len(others) + 1 == len({parse_treaty(text).sha256 for text in [SAMPLE, *others]})


@pytest.mark.parametrize(("before", "after", "said"), WRONG, ids=[f"{after!r}"[:40] for _, after, _ in WRONG])
def test_one_mistake_gives_one_message(before: str, after: str, said: str) -> None:
    """The message names file, line, field and remedy, and no other message follows from the same mistake."""
    assert [f"treaty.toml:{said}"] == problems(changed(before, after))


def test_several_mistakes_are_all_told_in_order_of_their_lines() -> None:
    """Whoever corrects a file sees everything at once, from the top."""
    text = changed('"sample"', '"draft"').replace('"0.60"', '"0.50"').replace('lead = "insurer-a"', 'lead = "x"')
    text = text.replace('"500000.00"', '"0"').replace('"reinsurer-x"', '"X"').replace("2025-01-01", "2023-01-01")
    assert ["4", "6", "8", "10", "20", "22"] == [said.split(":")[1] for said in problems(text)]


def test_a_file_without_its_table_is_told_which_one() -> None:
    """An empty file, a policy and a list of treaties have no treaty in them."""
    said = "treaty: is missing: a treaty file starts with one [treaty] table, with single brackets"
    assert [f"treaty.toml:1: {said}"] == problems("") == problems('[policy]\nid = "wuxi"\n')
    assert [f"treaty.toml:1: {said}"] == problems("[[treaty]]\n")


STRANGE = (
    *(
        "1",
        "-1",
        "1.5",
        "nan",
        "-inf",
        "1e400",
        "0x10",
        "true",
        "9" * 5000,
        "'x'",
        "'fund'",
        "'\uff11'",
        '"\\ud800"',
        '"\\u0000"',
    ),
    *("[]", "[[]]", "[{}]", "['a', 1]", "{}", "{ a = 1 }", "12:00:00", "2024-01-01", "'2024-01-01'", "", "'"),
)


@pytest.mark.parametrize("number", [number for number, line in enumerate(SAMPLE.splitlines()) if "=" in line])
def test_whatever_stands_in_a_field_is_a_value_or_a_message(number: int) -> None:
    """No text makes the reader fail with anything else, and each message stands in both languages."""
    lines = SAMPLE.splitlines()
    name = lines[number].partition("=")[0]
    for strange in STRANGE:
        text = "\n".join([*lines[:number], f"{name}= {strange}", *lines[number + 1 :]])
        said = unusable(text)
        assert said is None or (said and all(problem.message.zh and problem.message.en for problem in said)), strange


def unusable(text: str) -> list[FileProblem] | None:
    """What is wrong with a text; None if it is a treaty."""
    try:
        parse_treaty(text)
    except TreatyError as error:
        return error.problems
    return None


WORDS_TO_WRITE = re.compile(r'"[^"]*"|\[\[?[\w.]+\]\]?|[\w./-]*[_./=][\w./-]*')
"""What a Chinese sentence quotes of a treaty file: values, headings, fields."""


def test_every_message_is_chinese_too() -> None:
    """A reader of Chinese gets no English sentence, only the words that he has to write."""
    for before, after, _ in WRONG:
        with pytest.raises(TreatyError) as caught:
            parse_treaty(changed(before, after))
        for problem in caught.value.problems:
            assert re.search("[\u4e00-\u9fff]", problem.message.zh), problem
            assert not re.search("[a-z]{2,} [a-z]{2,}", WORDS_TO_WRITE.sub("", problem.message.zh)), problem.message.zh


def written(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A file with the sample, changed; each text stands there."""
    text = SAMPLE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def said_of(files: list[Path]) -> list[str]:
    """What is said about files that are to be in force together, without the folder."""
    with pytest.raises(TreatyError) as caught:
        read_treaties(files)
    return [str(problem).replace(f"{files[0].parent}/", "") for problem in caught.value.problems]


def test_files_that_overlap_are_both_named_with_scheme_days_and_remedy(tmp_path: Path) -> None:
    """The message stands at the file that is to be changed, whichever was given first."""
    one = written(tmp_path, "one.toml")
    two = written(
        tmp_path,
        "two.toml",
        ("self-pay-2024", "two"),
        ("2024-01-01", "2024-07-01"),
        ("2025-01-01", "2026-01-01"),
        ('"self_pay_assistance", ', ""),
    )
    said = (
        'one.toml:6: effective_to: "self-pay-2024" and "two" (two.toml:5) both cover the scheme "village_mutual_aid" '
        'from 2024-07-01 to 2024-12-31 inclusive: end "self-pay-2024" with effective_to = 2024-07-01, or let "two" '
        'start on 2025-01-01, or take "village_mutual_aid" out of the schemes of one of them'
    )
    assert [said] == said_of([one, two]) == said_of([two, one])


def test_two_treaties_need_two_ids(tmp_path: Path) -> None:
    """The second file of one id is named, with the place of the first."""
    one = written(tmp_path, "one.toml")
    two = written(tmp_path, "two.toml", ("2025-01-01", "2026-01-01"), ("2024-01-01", "2025-01-01"))
    assert [
        'two.toml:2: id: "self-pay-2024" is also the id of another treaty (one.toml:2): give each treaty its own id'
    ] == said_of([one, two])


def test_what_is_wrong_with_several_files_is_told_at_once(tmp_path: Path) -> None:
    """A file that is not there, one that is no text, and one with a mistake."""
    wrong = written(tmp_path, "wrong.toml", ('"0.40"', '"0.41"'))
    gbk = tmp_path / "gbk.toml"
    gbk.write_bytes(b"[treaty]\n# " + "承保".encode("gbk"))
    said = said_of([wrong, gbk, tmp_path / "gone.toml"])
    assert ["wrong.toml:10", "gbk.toml:2", "gone.toml:1"] == [":".join(each.split(":")[:2]) for each in said]


def test_the_samples_can_be_in_force_together() -> None:
    """They are marked as samples, one of them has a stop-loss, and the same file twice is one treaty."""
    files = sorted(SAMPLES.glob("treaty-*.toml"))
    treaties = read_treaties([*files, files[0]])
    assert len(files) == len(treaties.releases) == 2
    assert {"sample"} == {treaty.status for treaty in treaties.releases}
    assert {True, False} == {treaty.stop_loss is None for treaty in treaties.releases}
    assert all("示例" in treaty.title for treaty in treaties.releases)
    assert all("SAMPLE 示例" in file.read_text("utf-8") for file in files)


def test_statuses_are_those_of_policies() -> None:
    """A treaty is a sample or enacted, as a policy is."""
    assert get_args(Policy.model_fields["status"].annotation) == STATUSES
