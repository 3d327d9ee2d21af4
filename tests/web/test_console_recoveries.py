"""Recoveries in the console: how old they are, and setting one off or waiving it by two persons."""

from __future__ import annotations

import html
import re

import httpx
import pytest

from schemas.records import Manner
from tests.support.debtor import Debtor
from tests.support.replayed import recorded, replayed
from tests.web.desk import Desk, Visitor
from tests.web.open_money import check_books, links
from tests.web.words import words

REASON = "agreed by telephone"


@pytest.fixture
def debtor(desk: Desk) -> Debtor:
    """Somebody who has to give back 150.00 of what was paid for E1."""
    made = Debtor(desk.engine)
    made.report(made.payouts[0], "paid")
    desk.catch_up()
    return made


def propose(visitor: Visitor, debtor: Debtor, manner: str, reason: str = REASON) -> httpx.Response:
    address = f"/recoveries/{debtor.recovery}"
    return visitor.post(f"{address}/propose", seen=address, manner=manner, reason=reason)


def decide(visitor: Visitor, debtor: Debtor, act: str, **fields: str) -> httpx.Response:
    """Presses a button on the recovery's page."""
    page = visitor.get(f"/recoveries/{debtor.recovery}").text
    (address,) = re.findall(rf'action="(/clearing/\d+/{act})"', page)
    return visitor.post(address, seen="/books", **fields)


def owed(desk: Desk, visitor: Visitor) -> str:
    """What the page of recoveries says in all; nothing where it lists none."""
    desk.catch_up()
    check_books(desk)
    found = re.search(r"合计 (?:[\d,.]+ ){4}([\d,.]+)", words(visitor.get("/recoveries").text))
    return found[1] if found else ""


def test_a_recovery_is_found_from_its_figure(desk: Desk, debtor: Debtor) -> None:
    """From the table by age to the payout and its claim, in both languages, and nobody is named."""
    visitor = desk.visitor("auditor", "en")
    page = visitor.get("/recoveries").text
    assert "public fund persons and estates" in words(page)
    listed = visitor.get(html.unescape(links(page)[0])).text
    assert f'href="/recoveries/{debtor.recovery}"' in listed
    shown = visitor.get(f"/recoveries/{debtor.recovery}").text
    assert "To be recovered (yuan) 150.00" in words(shown)
    assert 'href="/claims/E1"' in shown
    assert "/propose" not in shown
    assert not re.search(r"\bP1\b", words(shown))
    assert "150.00" == owed(desk, desk.visitor("finance"))


def test_two_persons_set_a_recovery_off(desk: Desk, debtor: Debtor) -> None:
    """What the next payments keep back is listed there, and counts no more; the ledger replays."""
    first, second = desk.visitor("finance"), desk.visitor("finance2")
    assert 303 == propose(first, debtor, "set_off").status_code
    assert "/approve" not in first.get(f"/recoveries/{debtor.recovery}").text
    assert debtor.recovery in second.get("/clearing").text
    assert 303 == decide(second, debtor, "approve").status_code
    assert {debtor.recovery: ("set_off", 15_000)} == debtor.left()
    assert "150.00" == owed(desk, second)
    debtor.stay(4, 2100)
    assert "120.00" == owed(desk, second)
    shown = words(second.get(f"/recoveries/{debtor.recovery}").text)
    assert "已抵扣(元) 30.00 还没有抵扣(元) 120.00" in shown
    assert re.search(r"PO-\w+ E4 30\.00", shown)
    assert "抵扣中" in second.get(html.unescape(links(second.get("/recoveries").text)[0])).text
    debtor.stay(5)
    assert "" == owed(desk, second)
    desk.catch_up()
    assert recorded(desk.engine) == replayed(desk.engine)


def test_two_persons_waive_a_recovery(desk: Desk, debtor: Debtor) -> None:
    """It counts no more, its page says who and why, and it cannot be proposed again."""
    first, second = desk.visitor("finance"), desk.visitor("finance2")
    propose(first, debtor, "waived")
    assert 409 == propose(first, debtor, "waived").status_code
    decide(second, debtor, "approve")
    assert "" == owed(desk, second)
    shown = second.get(f"/recoveries/{debtor.recovery}").text
    assert f"已核销 · finance2 · {REASON} (proposed by finance, approved by finance2)" in words(shown)
    assert "/propose" not in shown
    again = propose(first, debtor, "set_off")
    assert 422 == again.status_code
    assert "已经" in again.text


def test_a_proposal_about_a_recovery_is_rejected(desk: Desk, debtor: Debtor) -> None:
    """By another person and with a reason; the page keeps both, and nothing is settled."""
    first, second = desk.visitor("finance"), desk.visitor("finance2")
    propose(first, debtor, "waived")
    assert 422 == decide(second, debtor, "reject", reason="no").status_code
    assert 303 == decide(second, debtor, "reject", reason="they can pay").status_code
    assert {} == debtor.left()
    assert "核销 finance · " in words(second.get(f"/recoveries/{debtor.recovery}").text)
    assert 303 == propose(first, debtor, "set_off").status_code


def test_what_cannot_be_settled(desk: Desk, debtor: Debtor) -> None:
    """The page says why, what was typed stays, and nothing is written."""
    first, second = desk.visitor("finance"), desk.visitor("finance2")
    short = propose(first, debtor, "waived", "no")
    assert 422 == short.status_code
    assert '<option value="waived" selected>' in short.text
    assert 422 == propose(first, debtor, "forgotten").status_code
    assert 404 == first.post(f"/recoveries/{debtor.payouts[0]}/propose", manner="waived", reason=REASON).status_code
    assert 404 == first.get("/recoveries/PO-nowhere").status_code
    propose(first, debtor, "waived")
    debtor.report(debtor.recovery, "paid", 2)
    answer = decide(second, debtor, "approve")
    assert 422 == answer.status_code
    assert "已报告收回" in answer.text
    assert {} == debtor.left()
    assert 422 == propose(first, debtor, "set_off").status_code


def test_one_act_settles_once(desk: Desk, debtor: Debtor) -> None:
    """Both manners can be proposed; after the one is approved, the other is refused."""
    first, second = desk.visitor("finance"), desk.visitor("finance2")
    propose(first, debtor, "waived")
    debtor.settle(Manner.SET_OFF)
    assert 422 == decide(second, debtor, "approve").status_code
    assert {debtor.recovery: ("set_off", 15_000)} == debtor.left()
