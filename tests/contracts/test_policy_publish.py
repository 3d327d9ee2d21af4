"""`huzhu policy publish` as an operator calls it: what it shows, what it warns of, what it asks and does."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from infra.ledger import tables
from tests.support.acts import publish
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, VILLAGE, bill, coverage, discharge, policy_text
from tests.support.ledgers import contents, give, held, in_order
from tests.support.paths import REPOSITORY
from tests.support.processes import CHINESE, huzhu, squeezed
from tests.support.succession import successor


@pytest.fixture
def settled(ledger: Engine) -> Engine:
    """A ledger under a policy without an end, with a paid stay in March and one in September."""
    held(ledger)
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    stays = [
        (discharge(f"E{number}", day), bill(f"S{number}", f"E{number}", 4000))
        for number, day in enumerate(("2024-03-10", "2024-09-10"))
    ]
    give(ledger, in_order([coverage(), *chained(stays)]))
    return ledger


def chained(stays: list[Any]) -> list[Any]:
    return list(chain(*stays))


@pytest.fixture
def july(tmp_path: Path) -> Path:
    """A file that succeeds the ledger's policy from July on: half of the village's amount instead of 30 %."""
    file = tmp_path / "july.toml"
    file.write_text(successor("july", "2024-07-01", "both-layers"), "utf-8")
    return file


def published(ledger: Engine) -> list[tuple[str, str]]:
    """Ids and operators of the published policies."""
    with ledger.connect() as connection:
        query = select(tables.policies).order_by(tables.policies.c.effective_from)
        return [(row.policy_id, row.operator) for row in connection.execute(query)]


def test_the_preview_tells_claims_and_money_and_the_act_does_the_same(
    settled: Engine, ledger_url: str, july: Path
) -> None:
    """With --yes: the end of the other policy, the claims that are decided again, and each scheme's difference."""
    told = huzhu(
        "policy", "publish", july, "--operator", "wang.wei", "--yes", "--language", "en", HUZHU_DATABASE_URL=ledger_url
    )
    assert 0 == told.returncode
    text = squeezed(told.stdout)
    assert squeezed("To be published july: discharges from 2024-07-01 on, with no end date.") in text
    assert 2 == text.count(squeezed("both-layers is in force until 2024-06-30 inclusive."))
    sentence = (
        "Persons: 1. Claims decided again: 1, for the first time: 0, of these with another amount: 1. "
        "Payout instructions: 1."
    )
    assert 2 == text.count(squeezed(sentence))
    lines = [line.split() for line in told.stdout.splitlines()]
    assert ["village_mutual_aid", "400.00", "0.00", "400.00"] in lines
    assert ["total", "400.00", "0.00", "400.00"] in lines
    assert [("both-layers", "li.na"), ("july", "wang.wei")] == published(settled)
    with settled.connect() as connection:
        assert 1_400_00 + 200_00 == connection.scalar(select(func.sum(tables.instructions.c.amount)))


def test_without_a_terminal_it_shows_everything_and_publishes_nothing(
    settled: Engine, ledger_url: str, july: Path
) -> None:
    """Exit status 2, and how to confirm."""
    before = contents(settled)
    told = huzhu("policy", "publish", july, "--operator", "li.na", HUZHU_DATABASE_URL=ledger_url)
    assert 2 == told.returncode
    assert "--yes" in told.stderr
    assert "400.00" in told.stdout
    assert before == contents(settled)


@pytest.mark.parametrize(("answer", "status", "count"), [(b"n\n", 1, 1), (b"\n", 1, 1), (b"y\n", 0, 2)])
def test_on_a_terminal_it_asks(
    settled: Engine, ledger_url: str, july: Path, answer: bytes, status: int, count: int
) -> None:
    """No, or nothing, publishes nothing: exit status 1."""
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    command = [sys.executable, "-m", "cli.main", "policy", "publish", str(july), "--operator", "li.na"]
    environment = {**os.environ, "HUZHU_DATABASE_URL": ledger_url}
    done = subprocess.run(
        command, stdin=theirs, capture_output=True, env=environment, cwd=REPOSITORY, check=False, timeout=60
    )
    os.close(ours)
    os.close(theirs)
    assert (status, count) == (done.returncode, len(published(settled)))
    assert "现在公布吗?" in done.stderr.decode()


def test_it_warns_of_what_looks_unintended(settled: Engine, ledger_url: str, tmp_path: Path) -> None:
    """A sample, no end, a start in the past, a category that nobody has ever had; each with its line and field."""
    file = tmp_path / "typo.toml"
    text = successor("july", "2024-07-01", "both-layers", None, VILLAGE.replace('["member"]', '["membre", "orphan"]'))
    file.write_text(text, "utf-8")
    told = huzhu("policy", "publish", file, "--operator", "li.na", "--language", "en", HUZHU_DATABASE_URL=ledger_url)
    places = re.findall(rf"warning: {re.escape(str(file))}:(\d+): ([\w.]+): (.*)", told.stderr)
    assert [
        ("3", "status"),
        ("4", "effective_to"),
        ("4", "effective_from"),
        ("19", "scheme.1.tier.1.categories.1"),
        ("19", "scheme.1.tier.1.categories.2"),
    ] == [each[:2] for each in places]
    said = [each[2] for each in places]
    assert 'until another one says succeeds = "july"' in said[1]
    assert said[3].endswith('is in no coverage of the ledger and in no other policy: did you mean "member"?')
    assert said[4] == 'category "orphan" is in no coverage of the ledger and in no other policy'


def test_the_first_policy_of_an_empty_ledger_has_no_unknown_categories(
    ledger: Engine, ledger_url: str, tmp_path: Path
) -> None:
    """There is nothing yet to compare them with."""
    file = tmp_path / "first.toml"
    file.write_text(POLICY, "utf-8")
    told = huzhu("policy", "publish", file, "--operator", "li.na", "--yes", HUZHU_DATABASE_URL=ledger_url)
    assert 0 == told.returncode
    assert "categories" not in told.stderr
    assert 1 == len(published(ledger))


def test_it_says_the_same_in_chinese(settled: Engine, ledger_url: str, july: Path) -> None:
    """Preview, warnings and refusals; nothing in English but names."""
    words = ("policy", "publish", july, "--operator", "li.na", "--language", "zh")
    told = huzhu(*words, HUZHU_DATABASE_URL=ledger_url)
    for line in (*told.stderr.splitlines(), *told.stdout.splitlines()):
        assert CHINESE.search(line) or not re.search(r"[a-z] [a-z]", line), line
    assert squeezed("重新核定 1 笔理赔") in squeezed(told.stdout)
    july.write_text(policy_text("july", "2024-07-01", None, VILLAGE), "utf-8")
    refused = huzhu(*words, HUZHU_DATABASE_URL=ledger_url)
    assert 2 == refused.returncode
    assert (
        f'{july}: “both-layers”和“july”在 2024-07-01 同时有效:在“july”中写 succeeds = "both-layers"' in refused.stderr
    )


@pytest.mark.parametrize("given", [[], ["--operator", " "]])
def test_it_needs_a_named_operator(settled: Engine, ledger_url: str, july: Path, given: list[str]) -> None:
    """Nobody publishes in the name of the system's user."""
    told = huzhu("policy", "publish", july, "--yes", *given, HUZHU_DATABASE_URL=ledger_url)
    assert 2 == told.returncode
    assert "--operator" in told.stderr
    assert 1 == len(published(settled))


def test_publishing_the_same_again_asks_nothing(settled: Engine, ledger_url: str, tmp_path: Path) -> None:
    """It says so and ends well."""
    file = tmp_path / "same.toml"
    file.write_text(POLICY, "utf-8")
    told = huzhu("policy", "publish", file, "--operator", "li.na", "--language", "en", HUZHU_DATABASE_URL=ledger_url)
    assert (0, "") == (told.returncode, told.stderr)
    assert "Already published, nothing to do." in told.stdout


def test_show_and_explain_tell_the_end_that_a_successor_made(settled: Engine, ledger_url: str, july: Path) -> None:
    """The published file has no end, and yet the policy has one."""
    assert (
        0 == huzhu("policy", "publish", july, "--operator", "li.na", "--yes", HUZHU_DATABASE_URL=ledger_url).returncode
    )
    shown = squeezed(huzhu("policy", "show", "--language", "en", HUZHU_DATABASE_URL=ledger_url).stdout)
    assert squeezed("discharges from 2020-01-01 to 2024-06-30 inclusive") in shown
    assert squeezed("Succeeded by july, from 2024-07-01 on") in shown
    told = squeezed(huzhu("explain", "E0", "--language", "en", HUZHU_DATABASE_URL=ledger_url).stdout)
    assert squeezed("for discharges from 2020-01-01 to 2024-06-30 inclusive") in told
