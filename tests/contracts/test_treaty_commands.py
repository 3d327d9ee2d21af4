"""`huzhu treaty check`, `diff` and `show` as a person calls them: output and exit status."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.paths import SELF_PAY_TREATY as SELF_PAY
from tests.support.paths import VILLAGE_TREATY as VILLAGE
from tests.support.paths import WUXI
from tests.support.processes import CHINESE, huzhu, squeezed


def changed(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A file with the self-pay sample, changed; each text stands there."""
    text = SELF_PAY.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def cells(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_check_names_each_treaty_that_can_be_used() -> None:
    """With its schemes, its days and its SHA-256; the last day is the last one that is covered."""
    told = huzhu("treaty", "check", SELF_PAY, VILLAGE, "--language", "en")
    assert (0, "") == (told.returncode, told.stderr)
    first, sha256, second, _ = told.stdout.splitlines()
    assert first.endswith(
        "(self-pay-sample-2024): usable; self_pay_assistance, discharges from 2024-01-01 to 2024-12-31 inclusive."
    )
    assert "(village-sample-2024): usable; village_mutual_aid," in second
    assert re.fullmatch("SHA-256 [0-9a-f]{64}", sha256)


def test_check_ends_with_all_that_is_wrong_with_the_files(tmp_path: Path) -> None:
    """Exit status 2; file, line, field and remedy on standard error, in the languages that are asked for."""
    file = changed(tmp_path, "wrong.toml", ('share = "0.40"', 'share = "0.39"'), ('"insurer-a"', '"insurer-z"'))
    told = huzhu("treaty", "check", file, VILLAGE)
    assert (2, "") == (told.returncode, told.stdout)
    lines = told.stderr.splitlines()
    assert lines[0].startswith(f'{file}:10: lead: "insurer-z" 是未知的保险公司')
    assert lines[1].startswith(f'{file}:10: lead: "insurer-z" is an unknown insurer')
    assert lines[2] == f"{file}:12: share: 各份额合计 0.99,少 0.01:请改正,合计要正好是 1"
    assert lines[3].startswith(f"{file}:12: share: the shares add up to 0.99, 0.01 too little")
    for language, chosen in (("zh", lines[::2]), ("en", lines[1::2])):
        assert chosen == huzhu("treaty", "check", file, "--language", language).stderr.splitlines()


def test_check_refuses_files_that_cover_a_scheme_on_one_day(tmp_path: Path) -> None:
    """Both treaties, the scheme and the days are named; without the overlap the same files pass."""
    days = ("2025-01-01", "2026-01-01"), ("2024-01-01", "2024-12-31"), ("self-pay-sample-2024", "next")
    told = huzhu("treaty", "check", SELF_PAY, changed(tmp_path, "next.toml", *days), "--language", "en")
    assert 2 == told.returncode
    said = f'{SELF_PAY}:8: effective_to: "self-pay-sample-2024" and "next" ({tmp_path / "next.toml"}:7) both cover '
    assert told.stderr.startswith(f'{said}the scheme "self_pay_assistance" from 2024-12-31 to 2024-12-31 inclusive: ')
    file = changed(tmp_path, "next.toml", days[0], ("2024-01-01", "2025-01-01"), days[2])
    assert 0 == huzhu("treaty", "check", SELF_PAY, file).returncode


def test_check_refuses_a_policy() -> None:
    """A file of another kind is told what a treaty file starts with."""
    told = huzhu("treaty", "check", WUXI, "--language", "en")
    assert 2 == told.returncode
    assert "treaty: is missing: a treaty file starts with one [treaty] table" in told.stderr


def test_show_says_who_bears_what() -> None:
    """Schemes, days, the lead who pays, the shares and the stop-loss, in words and a table."""
    told = huzhu("treaty", "show", SELF_PAY, "--language", "en")
    assert 0 == told.returncode
    table = cells(told.stdout)
    assert ["insurer-a", "lead", "60%"] in table
    assert ["insurer-b", "co-insurer", "40%"] in table
    assert ["Schemes", "self_pay_assistance"] in table
    assert ["Status", "a sample, not a treaty that was signed"] in table
    for sentence in (
        "The lead insurer-a receives and pays every instruction; the insurers share the cost.",
        "Stop-loss: reinsurer-x bears 90% of what the whole period costs over 1,000,000.00 yuan, counting at most "
        "500,000.00 yuan of it; the insurers bear the rest by their shares.",
        "discharges from 2024-01-01 to 2024-12-31 inclusive",
    ):
        assert squeezed(sentence) in squeezed(told.stdout)
    without = huzhu("treaty", "show", VILLAGE, "--language", "en").stdout
    assert ["insurer-b", "lead", "33.3334%"] in cells(without)
    assert "No stop-loss." in without


def test_show_speaks_both_languages() -> None:
    """Chinese first; with English alone only the title is Chinese."""
    both = squeezed(huzhu("treaty", "show", SELF_PAY).stdout)
    for word in ("主承保", "共保", "超赔", "整个协议期内累计超过1,000,000.00元的部分", "Stop-loss:"):
        assert word in both
    english = huzhu("treaty", "show", SELF_PAY, "--language", "en").stdout
    assert 1 == sum(bool(CHINESE.search(line)) for line in english.splitlines())


@pytest.mark.parametrize("columns", [80, 120])
def test_tables_are_readable_at_any_width(columns: int, tmp_path: Path) -> None:
    """Nothing is cut off, no line is wider than the terminal, and no amount is broken in two."""
    file = changed(tmp_path, "new.toml", ("1000000.00", "2000000.00"), ("0.60", "0.55"), ("0.40", "0.45"))
    for words in (("show", SELF_PAY), ("check", SELF_PAY, VILLAGE), ("diff", SELF_PAY, file)):
        shown = huzhu("treaty", *words, columns=columns, TTY_COMPATIBLE="1", TERM="xterm").stdout
        lines = re.sub(r"\x1b\[[\d;]*m", "", shown).splitlines()
        assert "…" not in shown
        texts = [line for line in lines if not line.startswith("SHA-256")]
        assert columns >= max(sum(2 if ord(sign) > 0x2E7F else 1 for sign in line.rstrip()) for line in texts)
        assert [] == re.findall(r"\d[,.]\s*\n\s*\d", "\n".join(texts))


def test_diff_of_equal_treaties_is_silent_success(tmp_path: Path) -> None:
    """Comments and another spelling of a share make no difference: exit status 0."""
    told = huzhu("treaty", "diff", SELF_PAY, changed(tmp_path, "same.toml", ('"0.60"', '"0.6"'), ("# SAMPLE", "# x")))
    assert 0 == told.returncode
    assert "两份协议完全相同。" in told.stdout
    assert "The two treaties are the same." in told.stdout


def test_diff_says_each_field_as_people_write_it(tmp_path: Path) -> None:
    """A moved share, a new insurer, a new lead, a stop-loss that is gone; exit status 1."""
    new = changed(
        tmp_path,
        "new.toml",
        ('"0.60"', '"0.50"'),
        ('lead = "insurer-a"', 'lead = "insurer-b"'),
        ("2025-01-01", "2026-01-01"),
        ("[treaty.stop_loss]", '[[treaty.share]]\ninsurer = "insurer-c"\nshare = "0.10"\n[treaty.stop_loss]'),
    )
    text = new.read_text("utf-8")
    new.write_text(text[: text.index("[treaty.stop_loss]")], "utf-8")
    told = huzhu("treaty", "diff", SELF_PAY, new, "--language", "en")
    assert 1 == told.returncode
    table = cells(told.stdout)
    assert ["no longer in force from", "2025-01-01", "2026-01-01"] in table
    assert ["lead", "insurer-a", "insurer-b"] in table
    assert ["share of insurer-a", "60%", "50%"] in table
    assert ["share of insurer-c", "not set", "10%"] in table
    assert "share of insurer-b" not in [row[0] for row in table]
    assert squeezed("reinsurer-x bears 90%") in squeezed(told.stdout)
    chinese = huzhu("treaty", "diff", SELF_PAY, new, "--language", "zh").stdout
    assert ["insurer-c 的份额", "没有规定", "10%"] in cells(chinese)
    assert "超赔" in chinese


def test_diff_tells_shares_that_change_places(tmp_path: Path) -> None:
    """Their order decides who gets a fen that is left over."""
    blocks = SELF_PAY.read_text("utf-8").split("[[treaty.share]]\n")
    end = blocks[2].partition("[treaty.stop_loss]")
    file = tmp_path / "turned.toml"
    turned = [blocks[0], end[0], blocks[1] + "".join(end[1:])]
    file.write_text("[[treaty.share]]\n".join(turned), "utf-8")
    told = huzhu("treaty", "diff", SELF_PAY, file, "--language", "en")
    assert ["order of the shares", "insurer-a, insurer-b", "insurer-b, insurer-a"] in cells(told.stdout)


def test_diff_of_an_unusable_file_is_status_2(tmp_path: Path) -> None:
    """An error and a difference have different exit statuses."""
    assert 2 == huzhu("treaty", "diff", SELF_PAY, tmp_path / "gone.toml").returncode


def test_treaties_are_json(tmp_path: Path) -> None:
    """As the file spells them, with what identifies them; both days are days that are covered."""
    told = json.loads(huzhu("treaty", "show", SELF_PAY, "--json").stdout)
    (treaty,) = told["treaties"]
    assert ("self-pay-sample-2024", "2024-01-01", "2024-12-31") == (
        treaty["treaty_id"],
        treaty["first_day"],
        treaty["last_day"],
    )
    assert ["insurer-a", "insurer-b", "reinsurer-x"] == treaty["insurers"]
    assert {"insurer": "insurer-a", "share": "0.6"} == treaty["treaty"]["share"][0]
    assert ("1000000.00", "0.9") == tuple(treaty["treaty"]["stop_loss"][name] for name in ("attachment", "share"))
    checked = json.loads(huzhu("treaty", "check", VILLAGE, SELF_PAY, "--json").stdout)["treaties"]
    assert treaty in checked
    assert 2 == len(checked)


def test_what_changed_between_treaties_is_json(tmp_path: Path) -> None:
    """Field by field with the values of the files, null where not set; the exit status is that of a diff."""
    new = changed(tmp_path, "new.toml", ('"0.60"', '"0.50"'), ('"0.40"', '"0.50"'), ("effective_to = 2025-01-01\n", ""))
    done = huzhu("treaty", "diff", SELF_PAY, new, "--json")
    found = json.loads(done.stdout)
    assert (1, False) == (done.returncode, found["same"])
    assert [
        {"field": "effective_to", "before": "2025-01-01", "after": None},
        {"field": "share.insurer-a", "before": "0.6", "after": "0.5"},
        {"field": "share.insurer-b", "before": "0.4", "after": "0.5"},
    ] == found["changes"]
    same = json.loads(huzhu("treaty", "diff", SELF_PAY, SELF_PAY, "--json").stdout)
    assert (True, []) == (same["same"], same["changes"])
