"""`huzhu statements answers` and `huzhu reconcile --statement` as people use them, on a real ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from schemas.records import PayoutRecord
from tests.support.builders import answer, bill, report
from tests.support.processes import CHINESE, huzhu
from tests.support.stated_town import StatedTown

WIDE = 260
HEAD = "支付编号,金额,状态"


class Stated(StatedTown):
    """January 2025 with two payouts, of which one was reported as paid; ``statements`` are the ids by insurer."""

    def __init__(self, ledger: Engine) -> None:
        super().__init__(ledger)
        self.cover("P1", "P2")
        self.take(bill("S1", "E-P1", person_id="P1"), bill("S2", "E-P2", 5000, person_id="P2"))
        self.report("paid", self.payouts()[0])
        self.set("2025-02-03T09:00:00+08:00")
        self.statements = {each.insurer: each.statement_id for each in self.issue("2025-01")}

    def report(self, status: str, payout: PayoutRecord) -> None:
        self.take(report(payout.payout_id, status=status, person_id=payout.claim_id.removeprefix("E-")))


@pytest.fixture
def town(ledger: Engine) -> Stated:
    return Stated(ledger)


def told(url: str, *words: str) -> Any:
    done = huzhu("statements", *words, "--json", HUZHU_DATABASE_URL=url)
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


def test_an_answer_is_seen_wherever_the_statement_is(town: Stated, ledger_url: str) -> None:
    """Open, then as the newest version says; the reasons show nobody's number; all versions of one statement."""
    name, other = town.statements["insurer-b"], town.statements["insurer-c"]
    assert {"open"} == {each["answer"] for each in told(ledger_url, "list")["statements"]}
    assert {"answers": []} == told(ledger_url, "answers")
    empty = huzhu("statements", "answers", name, "--language", "en", HUZHU_DATABASE_URL=ledger_url)
    assert (0, f"{name}: open\n") == (empty.returncode, empty.stdout)
    why = ["110105194912310021 是别家的客户", "少了一笔"]
    town.take(answer(name, "insurer-b", version=2, lines=[2, 1], reasons=why))
    town.take(answer(name, "insurer-b", version=3), answer(other, "insurer-c", reasons=why))
    states = {each["insurer"]: each["answer"] for each in told(ledger_url, "list")["statements"]}
    assert {"insurer-a": "open", "insurer-b": "confirmed", "insurer-c": "disputed"} == states
    assert ["confirmed", "disputed"] == [told(ledger_url, "show", each)["answer"] for each in (name, other)]
    newest = told(ledger_url, "answers")["answers"]
    assert [(name, 3, "confirmed"), (other, 1, "disputed")] == [
        (each["statement_id"], each["version"], each["verdict"]) for each in newest
    ]
    versions = told(ledger_url, "answers", name)["answers"]
    assert [(2, [2, 1], True, True), (3, [], True, False)] == [
        (each["version"], each["lines"], each["matched"], each["replaced"]) for each in versions
    ]
    assert ["110105********0021 是别家的客户", "少了一笔"] == versions[0]["reasons"]
    assert ("t1", "2025-01", "insurer-b") == tuple(versions[0][each] for each in ("treaty_id", "month", "insurer"))
    table = huzhu("statements", "answers", name, columns=WIDE, HUZHU_DATABASE_URL=ledger_url).stdout
    assert [f"{name} v2 第 2 行:110105********0021 是别家的客户", f"{name} v2 第 1 行:少了一笔"] == table.splitlines()[
        -2:
    ]
    assert "110105194912310021" not in table
    assert "已有更新的答复" in table
    shown = huzhu("statements", "show", other, "--language", "en", columns=WIDE, HUZHU_DATABASE_URL=ledger_url).stdout
    assert "answer: disputed" in shown
    listed = huzhu("statements", "list", columns=WIDE, HUZHU_DATABASE_URL=ledger_url).stdout
    assert {"未答复", "已确认", "有异议"} <= set(listed.replace("│", " ").split())


def test_an_answer_to_no_statement_is_listed(town: Stated, ledger_url: str) -> None:
    """One that was not issued, and one that another insurer has; neither changes how a statement stands."""
    town.take(answer("ST-nowhere"), answer(town.statements["insurer-b"], "insurer-a"))
    found = told(ledger_url, "answers")["answers"]
    assert [("ST-nowhere", False, None), (town.statements["insurer-b"], False, None)] == [
        (each["statement_id"], each["matched"], each["treaty_id"]) for each in found
    ]
    assert {"open"} == {each["answer"] for each in told(ledger_url, "list")["statements"]}
    table = huzhu("statements", "answers", "--language", "en", columns=WIDE, HUZHU_DATABASE_URL=ledger_url).stdout
    assert 2 == table.count("this insurer has no such statement")


def test_an_unknown_statement_is_refused(town: Stated, ledger_url: str, tmp_path: Path) -> None:
    """In both languages, with exit status 2; so is a statement together with what it says already."""
    file = tmp_path / "january.csv"
    file.write_text("支付编号,金额\n", "utf-8")
    name = town.statements["insurer-a"]
    for words in (
        ("statements", "answers", "ST-nowhere"),
        ("reconcile", file, "--statement", "ST-nowhere"),
        ("reconcile", file, "--statement", name, "--scheme", "village_mutual_aid"),
        ("reconcile", file, "--statement", name, "--payer", "insurer-a"),
        ("reconcile", file, "--statement", name, "--since", "2025-01-01"),
        ("reconcile", file, "--statement", name, "--until", "2025-02-01"),
    ):
        done = huzhu(*words, HUZHU_DATABASE_URL=ledger_url)
        assert (2, "") == (done.returncode, done.stdout)
        assert CHINESE.search(done.stderr), done.stderr
        assert "Traceback" not in done.stderr


def test_a_list_is_compared_with_a_statement(town: Stated, ledger_url: str, tmp_path: Path) -> None:
    """With the states at the end of its month: what is reported or ordered later is another month's."""
    first, second = town.payouts()
    for each in (first, second):
        town.report("returned", each)
    town.take(bill("S2", "E-P2", 6000, person_id="P2", version=2))
    later = town.payouts()[-1]
    file, name = tmp_path / "january.csv", town.statements["insurer-a"]
    amounts = {each.payout_id: f"{each.amount // 100}.{each.amount % 100:02d}" for each in (first, second, later)}
    words = {first.payout_id: "支付成功", second.payout_id: "处理中", later.payout_id: "处理中"}
    lines = {name: f"{name},{amounts[name]},{word}" for name, word in words.items()}
    file.write_text("\n".join([HEAD, lines[first.payout_id], lines[second.payout_id], ""]), "utf-8")
    done = huzhu("reconcile", file, "--statement", name, "--language", "en", HUZHU_DATABASE_URL=ledger_url)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"2 lines in the file, 2 payouts on the statement {name}" in done.stdout
    assert 3 == huzhu("reconcile", file, HUZHU_DATABASE_URL=ledger_url).returncode
    bounced = lines[first.payout_id].replace("支付成功", "退票")
    file.write_text("\n".join([HEAD, bounced, lines[later.payout_id], ""]), "utf-8")
    done = huzhu("reconcile", file, "--statement", name, "--json", HUZHU_DATABASE_URL=ledger_url)
    assert 3 == done.returncode, done.stderr
    assert [
        ("state_differs", first.payout_id),
        ("other_statement", later.payout_id),
        ("missing_in_statement", second.payout_id),
    ] == [(each["kind"], each["payout_id"]) for each in json.loads(done.stdout)["differences"]]
    shown = huzhu("reconcile", file, "--statement", name, columns=WIDE, HUZHU_DATABASE_URL=ledger_url).stdout
    assert "不在本期" in shown
