"""`huzhu books` as an accountant uses it, on a real ledger, and what Beancount says to the export."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.support.bean_check import bean_check
from tests.support.book_year import BookYear
from tests.support.builders import bill, contribution, pool, void
from tests.support.pools import POOL_POLICY, villager
from tests.support.processes import CHINESE, huzhu

WIDE = 220


@pytest.fixture
def year(ledger: Engine) -> BookYear:
    return BookYear(ledger)


def test_a_month_is_looked_at_and_closed(year: BookYear, ledger_url: str) -> None:
    """The balance says whether the month is open; closing says its totals and SHA-256; then the next is open."""
    year.take(bill())
    shown = huzhu("books", "balance", "--language", "en", columns=WIDE, HUZHU_DATABASE_URL=ledger_url)
    assert (0, "") == (shown.returncode, shown.stderr)
    assert "trial balance of 2025-04, open" in shown.stdout
    cells = [re.split(r"\s*│\s*", line.strip("│ ")) for line in shown.stdout.splitlines()]
    assert ["payable:fund:person", "payable: public fund to persons", "0.00", "0.00", "300.00", "-300.00"] in cells
    assert ["total", "0.00", "300.00", "300.00", "0.00"] in cells
    closed = huzhu("books", "close", "2025-04", "--operator", "li.na", "--yes", HUZHU_DATABASE_URL=ledger_url)
    assert (0, "") == (closed.returncode, closed.stderr)
    told = json.loads(huzhu("books", "balance", "2025-04", "--json", HUZHU_DATABASE_URL=ledger_url).stdout)
    assert ("2025-04", "li.na") == (told["month"], told["closed"]["operator"])
    assert 2 == closed.stdout.count(told["trial_balance_sha256"])
    assert "已结 2025-04:本月借方、贷方各 300.00 元" in closed.stdout
    then = json.loads(huzhu("books", "balance", "--json", HUZHU_DATABASE_URL=ledger_url).stdout)
    assert ("2025-05", None, "0.00") == (then["month"], then["closed"], then["debit"])


def test_what_cannot_be_closed_is_refused_in_both_languages(year: BookYear, ledger_url: str) -> None:
    """Nothing posted, out of order, closed already, nobody asked, no name, no month: exit status 2."""
    order: tuple[str, ...] = ("books", "close", "2025-04", "--operator", "li.na", "--yes")
    wrong: tuple[str, ...]
    for wrong, said in (
        (order, "Nothing has been posted yet"),
        (("books", "balance"), "Nothing has been posted yet"),
        (("books", "journal"), "Nothing has been posted yet"),
    ):
        told = huzhu(*wrong, HUZHU_DATABASE_URL=ledger_url)
        assert (2, "") == (told.returncode, told.stdout)
        assert said in told.stderr
        assert CHINESE.search(told.stderr)
    year.take(bill())
    for wrong, said in (
        (("books", "close", "2025-05", *order[3:]), "The next one is 2025-04"),
        (("books", "close", "2025-4", *order[3:]), "2025-4: a month is written YYYY-MM"),
        (order[:-1], "Nothing was closed: a closed month is never booked in again. Confirm with --yes"),
        ((*order[:3], "--operator", " ", "--yes"), "--operator and --reason must not be empty"),
        (("books", "journal", "--account", "cash:nobody"), "nothing was booked to cash:nobody; there are: expense:"),
    ):
        told = huzhu(*wrong, HUZHU_DATABASE_URL=ledger_url)
        assert 2 == told.returncode
        assert said in told.stderr
        assert CHINESE.search(told.stderr)
    assert 0 == huzhu(*order, HUZHU_DATABASE_URL=ledger_url).returncode
    assert "2025-04 is closed already" in huzhu(*order, HUZHU_DATABASE_URL=ledger_url).stderr


def test_the_journal_names_the_month_that_an_entry_concerns(year: BookYear, ledger_url: str) -> None:
    """One line a leg for people, one line an entry for programs; a payout's entries of all months at once."""
    year.take(bill())
    (name,) = year.payouts()
    year.on("2025-05-02").report(name, "paid")
    shown = huzhu("books", "journal", "--language", "en", columns=WIDE, HUZHU_DATABASE_URL=ledger_url).stdout
    assert all(word in shown for word in ("payment instructed", name, "2025-04-02", "2024-03", "300.00"))
    assert "payment paid" not in shown
    lines = huzhu("books", "journal", "--payout", name, "--json", HUZHU_DATABASE_URL=ledger_url).stdout.splitlines()
    first, second = map(json.loads, lines)
    assert ("2025-04-02", "2025-05-02") == (first["booked_on"], second["booked_on"])
    assert ("2024-03-10", "2024-03", name) == (second["effective_on"], second["concerns"], second["reference"])
    assert [
        {"account": "payable:fund:person", "debit": "300.00", "credit": "0.00"},
        {"account": "cash:fund", "debit": "0.00", "credit": "300.00"},
    ] == second["legs"]
    cash = huzhu("books", "journal", "2025-05", "--account", "cash:fund", "--json", HUZHU_DATABASE_URL=ledger_url)
    assert [second] == [json.loads(line) for line in cash.stdout.splitlines()]


def test_what_a_pool_received_and_paid_is_in_the_journal(ledger: Engine, ledger_url: str) -> None:
    """In words, under the contribution's id and the payout's; the trial balance lists pools before what they bear."""
    year = BookYear(ledger, policy=POOL_POLICY)
    year.take(pool(), contribution(yuan=800), *villager("A", "2024-03-01", 500))
    year.take(bill("S-A", "E-A", 2800, version=2, person_id="A"), contribution(yuan=700, version=2))
    lines = huzhu("books", "journal", "--account", "pool:V1", "--json", HUZHU_DATABASE_URL=ledger_url).stdout
    told = [(each["reference"][:2], each["about"]["zh"]) for each in map(json.loads, lines.splitlines())]
    assert [
        ("G1", "资金池收款"),
        ("PO", "由资金池列支"),
        ("PO", "冲回资金池列支"),
        ("G1", "冲减资金池收款"),
    ] == told
    shown = huzhu("books", "balance", columns=WIDE, HUZHU_DATABASE_URL=ledger_url).stdout
    cells = [re.split(r"\s*│\s*", line.strip("│ ")) for line in shown.splitlines()]
    assert ["pool:V1", "资金池结余—V1", "0.00", "600.00", "900.00", "-300.00"] in cells
    order = ["cash:fund", "payable:fund:person", "pool:V1", "funded:village_mutual_aid", "expense:village_mutual_aid"]
    assert order == [each[0] for each in cells if each[0] in order]


@pytest.fixture
def exported(year: BookYear, ledger_url: str, tmp_path: Path) -> Path:
    """The books of three months with a payment, a recovery and a hospital that advanced, as a file for Beancount."""
    year.take(bill(advances=[{"scheme_id": "village_mutual_aid", "amount": "100.00"}]))
    year.report(year.payouts()[0], "paid")
    year.on("2025-06-02").take(void(version=2))
    file = tmp_path / "books.beancount"
    told = huzhu("books", "export", "--out", file, "--language", "en", HUZHU_DATABASE_URL=ledger_url)
    assert (0, f"{file}: 5 entries, 6 accounts, up to 2025-06\n", "") == (told.returncode, told.stdout, told.stderr)
    return file


def test_beancount_accepts_the_books(exported: Path) -> None:
    """Without a warning; there is an assertion for each month and account, and no person."""
    assert (0, "") == bean_check(exported)
    text = exported.read_text("utf-8")
    assert 3 * 6 - 2 * 2 == text.count(" balance ")
    assert "P1" not in text
    assert '  concerns: "2024-03"' in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-200.00 CNY", "-200.01 CNY"),
        ("  200.00 CNY", "  200.01 CNY"),
        ("balance Assets:Cash:Fund  -", "balance Assets:Cash:Fund  -1"),
    ],
)
def test_beancount_refuses_a_doctored_amount(exported: Path, old: str, new: str) -> None:
    """One fen more on one leg, or in what an account closes with."""
    text = exported.read_text("utf-8")
    assert old in text
    exported.write_text(text.replace(old, new, 1), "utf-8")
    status, said = bean_check(exported)
    assert 1 == status
    assert re.search("does not balance|Balance failed", said)


def test_beancount_refuses_a_fen_that_is_missing_from_a_whole_entry(exported: Path) -> None:
    """Both legs alike: the entry balances, the month does not."""
    text = exported.read_text("utf-8")
    (whole,) = set(re.findall(r"\n  \S+  100\.00 CNY\n  \S+  -100\.00 CNY\n", text)[:1])
    exported.write_text(text.replace(whole, whole.replace("100.00", "99.99"), 1), "utf-8")
    status, said = bean_check(exported)
    assert 1 == status
    assert "Balance failed" in said


def test_the_books_of_earlier_months_are_exported_alone(exported: Path, ledger_url: str) -> None:
    """Up to and including a month; nothing before the first, and the earlier file is left as it was."""
    before = exported.read_bytes()
    told = huzhu("books", "export", "--out", exported, "--until", "2025-03", HUZHU_DATABASE_URL=ledger_url)
    assert (2, before) == (told.returncode, exported.read_bytes())
    told = huzhu("books", "export", "--out", exported, "--until", "2025-04", HUZHU_DATABASE_URL=ledger_url)
    assert (0, (0, "")) == (told.returncode, bean_check(exported))
    assert "2025-06" not in exported.read_text("utf-8")


def test_the_books_are_made_again_from_the_events(year: BookYear, ledger_url: str) -> None:
    """The same postings, or the first that differs, with exit status 3."""
    year.take(bill())
    year.report(year.payouts()[0], "paid")
    year.on("2025-05-02").close("2025-04")
    told = huzhu("books", "check", HUZHU_DATABASE_URL=ledger_url)
    assert (0, "") == (told.returncode, told.stderr)
    assert "The books are what the events give: 4 postings." in told.stdout
    changes = (
        ("UPDATE postings SET effective_on = '2024-03-11' WHERE account = 'cash:fund'", "2024-03-11", "2024-03-10"),
        ("DELETE FROM postings WHERE account = 'cash:fund'", "cash:fund", "in the books: -"),
    )
    for change, *said in changes:
        with year.ledger.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(change))
        told = huzhu("books", "check", HUZHU_DATABASE_URL=ledger_url)
        assert 3 == told.returncode
        assert all(each in told.stdout for each in said)
    found = json.loads(huzhu("books", "check", "--json", HUZHU_DATABASE_URL=ledger_url).stdout)
    assert (False, 3, None) == (found["same"], found["postings"], found["difference"]["kept"])
