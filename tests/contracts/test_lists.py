"""Lists of the commands in pipes: JSON for programs, tables without a broken line, times of Asia/Shanghai."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from infra.population import generate
from schemas.access.callers import ApiRole
from schemas.access.console_rights import ConsoleRole
from tests.support.acts import create_key, create_user
from tests.support.builders import encode
from tests.support.ledgers import give, in_order
from tests.support.owed_person import OwedPerson, standing
from tests.support.paths import SELF_PAY_TREATY, VILLAGE_TREATY, WUXI
from tests.support.processes import huzhu
from tests.support.succession import successor

LISTS = {
    ("payouts", "list"): "payouts",
    ("deadletter", "list"): "refused",
    ("keys", "list"): "keys",
    ("users", "list"): "users",
    ("deadletter", "proposals"): "proposals",
}
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


@pytest.fixture
def url(ledger: Engine, ledger_url: str) -> str:
    """A ledger with something of each kind."""
    owed = OwedPerson(ledger)
    owed.report(owed.payouts[0], "failed", reason="账号 110105194912310021 不存在")
    give(ledger, in_order([encode({"event_type": "unknown", "event_id": "ev-1"})]))
    create_key(
        ledger,
        ApiRole.HOSPITAL,
        ["H1"],
        "the cashier's office on the second floor of the old building",
        "li.na",
        standing,
    )
    number = json.loads(huzhu("deadletter", "list", "--json", HUZHU_DATABASE_URL=ledger_url).stdout)["refused"][0][
        "number"
    ]
    huzhu("deadletter", "replay", str(number), "--operator", "li.na", "--reason", "why", HUZHU_DATABASE_URL=ledger_url)
    create_user(ledger, "li.na", ConsoleRole.AUDITOR, "a long and good password", "wang.wei", standing)
    return ledger_url


def test_every_list_is_json_for_programs_and_lines_for_people(url: str) -> None:
    """One document with one entry; in the table no cell is broken or cut at 80 columns, no time lacks its offset."""
    for words, member in LISTS.items():
        told = huzhu(*words, "--json", HUZHU_DATABASE_URL=url)
        entries = json.loads(told.stdout)[member]
        assert 1 == len(entries), (words, told.stderr)
        table = huzhu(*words, columns=80, HUZHU_DATABASE_URL=url).stdout
        assert "…" not in table
        assert "{'" not in table, "a Python dict is for nobody"
        for text in (told.stdout, table):
            for found in TIME.finditer(text):
                assert "+08:00" in text[found.start() : found.start() + 40], (words, text)
        long = max((str(value) for value in entries[0].values()), key=len)
        if member in ("payouts", "keys"):
            assert long in told.stdout
            assert entries[0].get("payout_id", entries[0].get("note")) in table


def test_a_payout_is_json_too(url: str) -> None:
    """With its reports; the insurer's reason without the numbers in it."""
    (listed,) = json.loads(huzhu("payouts", "list", "--json", HUZHU_DATABASE_URL=url).stdout)["payouts"]
    assert "300.00" == listed["amount"]
    shown = json.loads(huzhu("payouts", "show", listed["payout_id"], "--json", HUZHU_DATABASE_URL=url).stdout)
    assert [listed] == shown["payouts"]
    (report,) = shown["reports"]
    assert ("failed", "applied") == (report["status"], report["effect"])
    assert "110105194912310021" not in report["reason"]


def test_a_comparison_is_json_too(url: str, tmp_path: Path) -> None:
    """The differences with their amounts, and the exit status as without it."""
    file = tmp_path / "march.csv"
    file.write_text("支付编号,金额\nPO-8,5200\n", "utf-8")
    done = huzhu("reconcile", file, "--json", HUZHU_DATABASE_URL=url)
    told = json.loads(done.stdout)["differences"]
    assert (3, ["missing_in_ledger", "missing_in_statement"]) == (done.returncode, [each["kind"] for each in told])
    assert ("5200.00", None) == (told[0]["statement_amount"], told[0]["ledger_amount"])


def test_reports_in_a_pipe_are_neither_wrapped_nor_cut(tmp_path: Path) -> None:
    """However narrow the terminal is, each sentence and each line of a table stays on one line."""
    facts, new = tmp_path / "facts.jsonl", tmp_path / "new.toml"
    facts.write_bytes(b"".join(line + b"\n" for line in generate(1, 40)))
    new.write_text(successor("new", "2024-01-01", "wuxi-sample"), "utf-8")
    decided = [json.loads(line) for line in huzhu("adjudicate", "--policy", WUXI, facts).stdout.splitlines()]
    claim = max(decided, key=lambda each: len(each["explanation"]))
    files, language = ("--facts", facts, "--policy", WUXI), ("--language", "both")
    for words in (
        ("explain", claim["claim_id"], *files, *language),
        ("simulate", *files, "--baseline", WUXI, *language),
        ("policy", "check", WUXI, new),
        ("policy", "diff", WUXI, new),
        ("treaty", "check", SELF_PAY_TREATY, VILLAGE_TREATY),
        ("treaty", "show", SELF_PAY_TREATY),
        ("treaty", "diff", SELF_PAY_TREATY, VILLAGE_TREATY),
    ):
        narrow, wide = (huzhu(*words, columns=columns).stdout for columns in (30, 300))
        assert narrow == wide, words
        assert "…" not in wide
        assert "--out" not in wide, "no row is left to the files"
    explained = huzhu("explain", claim["claim_id"], *files, columns=30).stdout
    for step in claim["explanation"]:
        assert step["zh"] in explained
