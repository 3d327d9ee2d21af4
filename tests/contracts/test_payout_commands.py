"""`huzhu payouts` and `huzhu reconcile` as people use them, on a real ledger."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.ledgers import person_of_shard
from tests.support.owed_person import OwedPerson
from tests.support.processes import CHINESE, huzhu

WIDE = 220


@pytest.fixture
def owed(ledger: Engine) -> OwedPerson:
    return OwedPerson(ledger)


@pytest.fixture
def url(ledger_url: str) -> str:
    return ledger_url


def test_a_failed_payout_is_found_shown_and_reissued(owed: OwedPerson, url: str) -> None:
    """From the list to the new payout; what is not allowed is refused in both languages, with exit status 2."""
    (name,) = owed.payouts
    owed.report(name, "failed")
    listed = huzhu("payouts", "list", "--state", "failed", columns=WIDE, HUZHU_DATABASE_URL=url)
    assert name in listed.stdout
    assert "300.00" in listed.stdout
    order = ("payouts", "reissue", name, "--operator", "li.na", "--reason", "账号已更正")
    assert 0 == huzhu(*order, HUZHU_DATABASE_URL=url).returncode
    assert [name] == owed.payouts
    done = huzhu("payouts", "approve", "1", "--operator", "wang.wei", HUZHU_DATABASE_URL=url)
    assert 0 == done.returncode, done.stderr
    new = owed.payouts[-1]
    assert 2 == done.stdout.count(new)
    again = huzhu(*order, columns=WIDE, HUZHU_DATABASE_URL=url)
    assert (2, 2) == (again.returncode, again.stderr.count(new))
    assert CHINESE.search(again.stderr)
    shown = huzhu("payouts", "show", name, "--language", "both", columns=WIDE, HUZHU_DATABASE_URL=url).stdout
    assert f"新指令 {new}" in shown
    assert f"reissued as {new}" in shown
    assert "failed bank-1: 采用 applied" in shown
    everything = huzhu("payouts", "list", "--language", "en", columns=WIDE, HUZHU_DATABASE_URL=url).stdout
    assert "3 shown; all by state: instructed 1, failed 1, book entry 1" in everything


def test_the_insurers_reason_is_shown(owed: OwedPerson, url: str) -> None:
    """Why a payout did not arrive, in the insurer's words, with numbers of persons covered."""
    (name,) = owed.payouts
    owed.report(name, "failed", reason="账号不存在 [11010519491231002X]")
    for language, said in (("zh", "保险公司的理由:账号不存在"), ("en", "the insurer's reason: 账号不存在")):
        shown = huzhu("payouts", "show", name, "--language", language, columns=WIDE, HUZHU_DATABASE_URL=url).stdout
        assert f"{said} [110105********002X]" in shown


def test_unmatched_and_contradicting_reports_are_shown(owed: OwedPerson, url: str) -> None:
    """Nothing that an insurer said is hidden."""
    (name,) = owed.payouts
    owed.report(name, "paid", 1)
    owed.report(name, "failed", 2)
    owed.report("PO-unknown", "paid")
    owed.report(name, "paid", person_id=person_of_shard(0))
    listed = huzhu("payouts", "list", "--language", "en", columns=WIDE, HUZHU_DATABASE_URL=url).stdout
    assert "reports contradict" in listed
    assert "Unmatched report: PO-unknown, paid, reference bank-1: no such payout in the ledger." in listed
    assert f"Unmatched report: {name}, paid, reference bank-1: the person in the report is not" in listed
    shown = huzhu("payouts", "show", name, "--language", "en", columns=WIDE, HUZHU_DATABASE_URL=url).stdout
    told = [line.split()[-1] for line in shown.splitlines() if line.startswith("  2025-04-0")]
    assert ["applied", "contradicts"] == told
    assert person_of_shard(0) not in listed + shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("payouts", "show", "PO-x"), "no payout PO-x"),
        (("payouts", "reissue", "PO-x", "--operator", "li.na", "--reason", "r"), "no payout PO-x"),
        (("payouts", "reissue", "PO-x", "--operator", " ", "--reason", "r"), "must not be empty"),
    ],
)
def test_a_call_that_cannot_be_is_refused_for_people(
    owed: OwedPerson, url: str, words: tuple[str, ...], said: str
) -> None:
    """Exit status 2 and one message, no traceback."""
    assert 1 == len(owed.payouts)
    done = (
        huzhu(*words, "--language", "en", HUZHU_DATABASE_URL=url)
        if "show" in words
        else huzhu(*words, HUZHU_DATABASE_URL=url)
    )
    assert (2, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_statement_that_agrees_has_exit_status_0(owed: OwedPerson, url: str, tmp_path: Path) -> None:
    """Before the report without states, after it with them."""
    (name,) = owed.payouts
    file = tmp_path / "march.csv"
    file.write_text(f"支付编号,金额\n{name},300.00\n", "utf-8")
    done = huzhu("reconcile", file, HUZHU_DATABASE_URL=url)
    assert 0 == done.returncode, done.stderr
    assert "未核对状态" in done.stdout
    owed.report(name, "paid")
    file.write_text(f"支付编号,金额,状态\n{name},300.00,支付成功\n", "utf-8")
    done = huzhu("reconcile", file, "--language", "en", HUZHU_DATABASE_URL=url)
    assert 0 == done.returncode, done.stderr
    assert "statement and ledger agree" in done.stdout


def test_differences_are_listed_and_written(owed: OwedPerson, url: str, tmp_path: Path) -> None:
    """Exit status 3; the table, the CSV and the JSON say the same."""
    (name,) = owed.payouts
    file = tmp_path / "march.csv"
    file.write_text(f"支付编号,金额,状态\n{name},299.99,退票\nPO-9,1.005,成功\nPO-8,7,成功\n", "utf-8")
    for out in (tmp_path / "found.csv", tmp_path / "found.json"):
        done = huzhu("reconcile", file, "--out", out, columns=WIDE, HUZHU_DATABASE_URL=url)
        assert 3 == done.returncode, done.stderr
    kinds = ["amount_differs", "state_differs", "unreadable_line", "missing_in_ledger"]
    told = json.loads((tmp_path / "found.json").read_text("utf-8"))
    with (tmp_path / "found.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert kinds == [each["kind"] for each in told] == [each["kind"] for each in rows]
    assert ("300.00", "299.99", 2) == (told[0]["ledger_amount"], told[0]["statement_amount"], told[0]["line"])
    assert ("instructed", "returned") == (told[1]["ledger_state"], told[1]["statement_state"])
    assert "PO-9" == told[2]["payout_id"]
    for word in ("金额不符: 1", "状态不符: 1", "无法识别的行: 1", "账本缺失: 1"):
        assert word in done.stdout


def test_the_scope_says_what_must_be_there(owed: OwedPerson, url: str, tmp_path: Path) -> None:
    """A payout that the statement lacks is missing where its day and scheme are asked for, and else is not."""
    assert 1 == len(owed.payouts)
    file = tmp_path / "march.csv"
    file.write_text("支付编号,金额\n", "utf-8")
    scopes = {
        (): 3,
        ("--since", "2025-03-01", "--until", "2025-03-02", "--scheme", "village_mutual_aid"): 3,
        ("--since", "2025-03-02"): 0,
        ("--until", "2025-03-01"): 0,
        ("--scheme", "nope"): 2,
        ("--since", "2025-03-02", "--until", "2025-03-01"): 2,
    }
    assert scopes == {scope: huzhu("reconcile", file, *scope, HUZHU_DATABASE_URL=url).returncode for scope in scopes}


@pytest.mark.parametrize(
    ("content", "words"),
    [("a,b\n1,2\n", ()), ("支付编号,金额\n", ("--out", "found.txt")), ("支付编号,金额\n", ("--column", "x=y"))],
)
def test_an_unusable_statement_or_call_has_exit_status_2(
    owed: OwedPerson, url: str, tmp_path: Path, content: str, words: tuple[str, ...]
) -> None:
    """With a message that says what to do, in both languages."""
    file = tmp_path / "march.csv"
    file.write_text(content, "utf-8")
    done = huzhu("reconcile", file, *words, HUZHU_DATABASE_URL=url)
    assert (2, "") == (done.returncode, done.stdout)
    assert CHINESE.search(done.stderr)
    assert "Traceback" not in done.stderr


def test_missing_and_duplicate_are_told_apart_on_a_narrow_page(owed: OwedPerson, url: str, tmp_path: Path) -> None:
    """No kind of difference begins like another one, and nothing is cut or broken where the output is a pipe."""
    (name,) = owed.payouts
    file = tmp_path / "march.csv"
    file.write_text("支付编号,金额\nPO-8,7\nPO-8,7\n=HYPERLINK(1),x\n", "utf-8")
    done = huzhu("reconcile", file, "--out", tmp_path / "found.csv", columns=80, HUZHU_DATABASE_URL=url)
    assert 3 == done.returncode, done.stderr
    lines = done.stdout.splitlines()
    assert any("对账单缺失" in line and name in line for line in lines)
    assert any("重复" in line and "PO-8" in line for line in lines)
    assert "…" not in done.stdout
    with (tmp_path / "found.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert "'=HYPERLINK(1)" in [row["payout_id"] for row in csv.DictReader(stream)]
