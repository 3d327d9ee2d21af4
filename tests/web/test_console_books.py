"""The books in the console: a month's trial balance down to its lines, and its closing by two persons."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from urllib.parse import parse_qs

import httpx
import pytest

from acts.verify_audit_log import Trust, verify_ledger
from schemas.canonical import sha256_hex
from schemas.dates import shanghai_date
from tests.support.book_year import BookYear
from tests.support.builders import bill, discharge
from tests.support.replayed import recorded, replayed
from tests.web.desk import SIGNER, Desk, Visitor
from tests.web.words import words
from web.console import books_pages

CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>")
REASON = "all reports are in"
PAYABLE = "payable:fund:person"


def amount(text: str) -> Decimal:
    plain = re.sub(r"<[^>]+>", "", text).replace(",", "")
    return Decimal(plain or "0")


def rows(page: str) -> list[list[str]]:
    """The cells of a page's table."""
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    return [CELL.findall(row) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]


def shown(visitor: Visitor, month: str) -> dict[str, tuple[str, ...]]:
    """The trial balance on the page: opening, debit, credit and closing by account."""
    found = rows(visitor.get(f"/books?month={month}").text)
    names = [re.findall(r'class="id">([^<]+)<', name)[0] for name, *_ in found]
    return {name: tuple(str(amount(each)) for each in rest) for name, (_, *rest) in zip(names, found, strict=True)}


def propose(visitor: Visitor, month: str, **fields: str) -> httpx.Response:
    return visitor.post("/books/close", seen="/books", **{"month": month, "reason": REASON, **fields})


def approve(visitor: Visitor, month: str, **fields: str) -> httpx.Response:
    """Presses the button on the month's page."""
    page = visitor.get(f"/books?month={month}").text
    (number,) = re.findall(r'action="/clearing/(\d+)/approve"', page)
    (sha256,) = re.findall(r'name="sha256" value="([0-9a-f]*)"', page)
    return visitor.post(f"/clearing/{number}/approve", seen="/books", **{"sha256": sha256, **fields})


def state_of(desk: Desk) -> list[str]:
    """What is closed, and what became of each proposal."""
    closed = [f"{row.month:%Y-%m}" for row in desk.rows("SELECT month FROM book_months ORDER BY month")]
    decisions = desk.rows("SELECT coalesce(decision, 'open') AS decision FROM clearing_proposals ORDER BY proposal_no")
    return closed + [row.decision for row in decisions]


@pytest.fixture
def year(desk: Desk) -> BookYear:
    """In April two payouts of 300.00 are instructed, of which one is paid; in May half of that is to be given back."""
    made = BookYear(desk.engine)
    made.take(bill())
    made.report(made.payouts()[0], "paid")
    made.take(discharge("E2"), bill("S2", "E2"))
    made.on("2025-05-06").take(bill(copay=2500, version=2))
    desk.catch_up()
    return made


def test_the_trial_balance_of_a_month(desk: Desk, year: BookYear) -> None:
    """As the command gives it, with the accounts in words in both languages; it opens with the month to close."""
    visitor = desk.visitor("auditor", "en")
    assert shown(visitor, "2025-04") == {
        "cash:fund": ("0.00", "0.00", "300.00", "-300.00"),
        PAYABLE: ("0.00", "300.00", "600.00", "-300.00"),
        "expense:village_mutual_aid": ("0.00", "600.00", "0.00", "600.00"),
    }
    assert shown(visitor, "2025-05")["receivable:fund:person"] == ("0.00", "150.00", "0.00", "150.00")
    page = visitor.get("/books").text
    assert "Trial balance 2025-04 open" in words(page)
    assert "payable: public fund to persons" in words(page)
    assert "Total 0.00 900.00 900.00 0.00" in words(page)
    assert sha256_hex(year.balance("2025-04")) in page
    assert "应付补助款—公共基金付给个人" in words(desk.visitor("operator").get("/books").text)
    assert re.findall(r"<option[^>]*>(\d{4}-\d{2})", page)[-2:] == ["2025-05", "2025-04"]


def test_each_figure_leads_to_its_lines(desk: Desk, year: BookYear, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of every account add up to its debit and credit, page by page, and lead to their claims."""
    monkeypatch.setattr(books_pages, "PAGE_ROWS", 1)
    visitor, claims = desk.visitor("finance"), set()
    for month in ("2025-04", "2025-05"):
        page = visitor.get(f"/books?month={month}").text
        linked = [html.unescape(each) for each in re.findall(r'href="/books/journal\?([^"]+)"', page)]
        for account, (_, debit, credit, _) in shown(visitor, month).items():
            address = next(each for each in linked if parse_qs(each)["account"] == [account])
            sums, pages = [Decimal("0.00"), Decimal("0.00")], 0
            while address:
                lines = visitor.get(f"/books/journal?{address}").text
                for row in rows(lines) if "<tbody>" in lines else []:
                    sums = [sums[0] + amount(row[-2]), sums[1] + amount(row[-1])]
                claims |= set(re.findall(r'href="/claims/(E\d)"', lines))
                following = re.search(r'rel="next" href="/books/journal\?([^"]+)"', lines)
                address, pages = html.unescape(following[1]) if following else "", pages + 1
            assert (account, debit, credit) == (account, *map(str, sums))
            assert pages <= 3
    assert claims == {"E1", "E2"}


def test_a_line_says_which_month_it_concerns(desk: Desk, year: BookYear) -> None:
    """A correction in May of a stay in March is booked in May, and says March, and what was done."""
    page = desk.visitor("finance").get("/books/journal?account=receivable:fund:person&month=2025-05").text
    assert re.search(r"2025-05-06 2024-03 下达收回 PO-\w+ E1 150.00", words(page))


def test_two_persons_close_a_month(desk: Desk, year: BookYear) -> None:
    """One proposes, the other one sees totals and SHA-256 and approves; then it never changes, whatever comes later."""
    first, second = desk.visitor("finance"), desk.visitor("finance2", "en")
    answer = propose(first, "2025-04")
    assert (303, "/books?month=2025-04") == (answer.status_code, answer.headers["location"])
    own = first.get("/books?month=2025-04").text
    assert "要由另一位财务人员批准" in own
    assert "/approve" not in own
    page = second.get("/books?month=2025-04").text
    assert "Debits = credits (yuan) 900.00 = 900.00" in words(page)
    assert REASON in page
    before = shown(second, "2025-04")
    assert 303 == approve(second, "2025-04").status_code
    assert ["2025-04", "approved"] == state_of(desk)
    closed = second.get("/books?month=2025-04").text
    assert "Closed by finance2" in words(closed)
    assert sha256_hex(year.stored("2025-04")) in closed
    year.on("2025-05-20").take(bill("S2", "E2", copay=5000, version=2))
    assert before == shown(second, "2025-04")
    assert "Trial balance 2025-05 open" in words(second.get("/books").text)
    (told,) = desk.audited("month.closed")
    assert told["actor"] == "operator:finance2"
    desk.catch_up()
    assert recorded(desk.engine) == replayed(desk.engine)
    desk.sign_checkpoints()
    assert [] == verify_ledger(desk.engine, Trust([SIGNER.verifier]), lambda _: None).findings


def test_nobody_closes_alone(desk: Desk, year: BookYear) -> None:
    """Who proposed can neither approve nor reject, even by hand; nor can who only looks."""
    first = desk.visitor("finance")
    propose(first, "2025-04")
    number = desk.value("SELECT proposal_no FROM clearing_proposals")
    for name in ("finance", "auditor", "operator", "admin"):
        visitor = desk.visitor(name)
        for act in ("approve", "reject"):
            assert 403 == visitor.post(f"/clearing/{number}/{act}", reason="because I can").status_code
    assert ["open"] == state_of(desk)
    assert 403 == desk.visitor("finance2").post(f"/clearing/{number}/approve", csrf="guessed").status_code
    assert ["open"] == state_of(desk)


def test_a_rejected_closing_can_be_proposed_again(desk: Desk, year: BookYear) -> None:
    """With a reason, which the audit log keeps; a proposal is decided once."""
    first, second = desk.visitor("finance"), desk.visitor("finance2")
    propose(first, "2025-04")
    number = desk.value("SELECT proposal_no FROM clearing_proposals")
    assert 422 == second.post(f"/clearing/{number}/reject", reason="no").status_code
    assert 303 == second.post(f"/clearing/{number}/reject", reason="one report is missing").status_code
    assert 409 == second.post(f"/clearing/{number}/reject", reason="one report is missing").status_code
    assert ["one report is missing"] == [each["subject"]["reason"] for each in desk.audited("replay.rejected")]
    assert 303 == propose(first, "2025-04").status_code
    assert 303 == approve(second, "2025-04").status_code
    assert ["2025-04", "rejected", "approved"] == state_of(desk)


def test_what_cannot_be_closed(desk: Desk, year: BookYear) -> None:
    """Not out of order, before its end, twice, or without a reason: the page says why, and nothing is written."""
    first = desk.visitor("finance")
    this_month = f"{shanghai_date(desk.now()):%Y-%m}"
    for month, status, why in (
        ("2025-05", 422, "2025-04"),
        (this_month, 422, "2025-04"),
        ("2025-13", 404, "没有这一页"),
    ):
        answer = propose(first, month)
        assert (month, status) == (month, answer.status_code)
        assert why in answer.text
    short = propose(first, "2025-04", reason="no")
    assert 422 == short.status_code
    assert [] == state_of(desk)
    propose(first, "2025-04")
    assert 409 == propose(first, "2025-04").status_code
    approve(desk.visitor("finance2"), "2025-04")
    again = propose(first, "2025-04")
    assert 422 == again.status_code
    assert "已经结账" in again.text
    assert REASON in again.text or "2025-05" in again.text
    assert ["2025-04", "approved"] == state_of(desk)
    assert 404 == first.post("/clearing/99/approve").status_code


def test_only_what_was_seen_is_approved(desk: Desk, year: BookYear) -> None:
    """A balance with another SHA-256 than that on the page is not closed."""
    propose(desk.visitor("finance"), "2025-04")
    answer = approve(desk.visitor("finance2"), "2025-04", sha256="0" * 64)
    assert 409 == answer.status_code
    assert "没有办理" in answer.text
    assert ["open"] == state_of(desk)


def test_the_menu_counts_what_waits_for_me(desk: Desk, year: BookYear) -> None:
    """The second person finds the proposal from every page; the first one, and who only looks, are not asked."""
    propose(desk.visitor("finance"), "2025-04")
    second = desk.visitor("finance2", "en")
    assert 'aria-label="Waiting for your approval: 1"' in second.get("/policies").text
    assert (
        "1 proposal about statements, the books, recoveries or held claims waits for your approval"
        in second.get("/").text
    )
    waiting = second.get("/clearing").text
    assert "close a month 2025-04 finance" in words(waiting)
    assert 'href="/books?month=2025-04"' in waiting
    for name in ("finance", "auditor", "operator"):
        page = desk.visitor(name).get("/")
        assert 'class="awaiting"' not in page.text
    assert "没有等待批准的提议" not in desk.visitor("auditor").get("/clearing").text


@pytest.mark.parametrize(
    "asked",
    ["account=x", "account=cash:nobody", "month=2025-99", "month=", "after=1", "after=1.2.x", f"after={2**63}.1.1"],
)
def test_an_address_that_no_link_has(desk: Desk, year: BookYear, asked: str) -> None:
    """Is not found, and no fault."""
    name, _, value = asked.partition("=")
    fields = {"account": PAYABLE, "month": "2025-04", name: value}
    assert 404 == desk.visitor("finance").get("/books/journal", params=fields).status_code


def test_books_in_which_nothing_is(desk: Desk) -> None:
    """An empty ledger has an empty page, and nothing to close."""
    page = desk.visitor("finance").get("/books")
    assert 200 == page.status_code
    assert "账上还没有任何分录" in page.text
    assert 422 == propose(desk.visitor("finance"), "2025-04").status_code
