"""`huzhu explain` of a member of a household: with the sums of the household, and nothing of another member."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.acts import publish
from tests.support.builders import RECORDED_AT, SHARDS, encode
from tests.support.household import FAMILY, HOUSEHOLD_ID, MOTHER, POLICY, SON
from tests.support.processes import facts_file, huzhu, squeezed
from tests.web.town import post

OF_THE_MOTHER = (MOTHER, HOUSEHOLD_ID, "E-mother", "S-mother", "M-mother", "C50", "2024-03-10", "3,400.00yuanis")
SAID = {
    "zh": (
        "您一家这个年度已经补了700.00元,还能补300.00元",
        "各项补助合计300.00元",
        "您一家这个年度里以前累计3,400.00元",
    ),
    "en": ("700.00werepaidtoyourhouseholdbefore,300.00areleft", "3,400.00yuaninyourhouseholdearlier"),
}


def check(told: str, language: str) -> None:
    said = squeezed(told)
    assert [] == [each for each in SAID[language] if each not in said]
    assert [] == [each for each in OF_THE_MOTHER if each in said]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_member_s_claim_is_explained_with_the_household_s_sums_from_files(tmp_path: Path, language: str) -> None:
    """What was paid to the household before counts; nothing says to whom, for which stay, or why."""
    (tmp_path / "policy.toml").write_text(POLICY, "utf-8")
    given = ("--facts", facts_file(tmp_path, FAMILY), "--policy", tmp_path / "policy.toml", "--language", language)
    told = huzhu("explain", "E-son", *given)
    assert (0, "") == (told.returncode, told.stderr)
    check(told.stdout, language)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_member_s_claim_is_explained_with_the_household_s_sums_from_the_ledger(
    ledger: Engine, ledger_url: str, language: str
) -> None:
    """The same sentences, as they were decided."""
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    post(ledger, FAMILY)
    told = huzhu("explain", "E-son", "--language", language, HUZHU_DATABASE_URL=ledger_url)
    assert (0, "") == (told.returncode, told.stderr)
    check(told.stdout, language)


def test_the_order_of_the_facts_in_the_file_changes_no_explanation(tmp_path: Path) -> None:
    """Each claim of each member, whoever comes first in the file."""
    (tmp_path / "policy.toml").write_text(POLICY, "utf-8")
    told = set()
    for at, (members, stays) in enumerate(itertools.product((FAMILY[:4], FAMILY[3::-1]), (FAMILY[4:], FAMILY[:3:-1]))):
        file = tmp_path / f"facts-{at}.jsonl"
        file.write_bytes(b"".join(encode(each) + b"\n" for each in [*stays, *members]))
        explained = huzhu("explain", "E-mother", "--facts", file, "--policy", tmp_path / "policy.toml", "--json")
        claim = json.loads(explained.stdout)["claim"]
        assert "700.00" == claim["total_benefit"]
        assert SON not in explained.stdout
        told.add(json.dumps(claim))
    assert 1 == len(told)
